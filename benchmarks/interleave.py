"""Measuring several contenders on a machine whose speed wanders: in turns, compared round by round."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

Samples = dict[str, list[float]]
"""Each contender's measurements, one per round and in the same order."""


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds that one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleave(contenders: dict[str, Callable[[], float]], rounds: int) -> Samples:
    """Measure every contender once per round, each round in the opposite order of the one before.

    Args:
        contenders: by name, a function that does the work and returns its measurement.
        rounds: how often each is measured.
    """
    samples: Samples = {name: [] for name in contenders}
    names = list(contenders)
    for _ in range(rounds):
        for name in names:
            samples[name].append(contenders[name]())
        names.reverse()
    return samples


def median_ratio(samples: Samples, of: str, to: str) -> float:
    """Median over the rounds of one contender's measurement divided by the other's."""
    return median(a / b for a, b in zip(samples[of], samples[to], strict=True))
