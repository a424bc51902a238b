"""Whether oneDNN's float32 product beats PyTorch's own on this processor, measured once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

ROWS, WIDTH, ROUNDS = 192, 512, 7
"""A product large enough to time: 0.1 GFLOP, a millisecond or less."""


@dataclass(frozen=True)
class Measured:
    """oneDNN's product beside PyTorch's.

    Attributes:
        time_ratio: oneDNN's time over PyTorch's.
        relative_error: of oneDNN's result.
    """

    time_ratio: float
    relative_error: float


@lru_cache(maxsize=1)
def measured() -> Measured:
    """Time both in turns, and compare the results; the least time of several rounds counts."""
    with torch.inference_mode():
        generator = torch.Generator().manual_seed(0)
        x, weight, bias = (
            torch.randn(*shape, generator=generator) for shape in ((ROWS, WIDTH), (WIDTH, WIDTH), (WIDTH,))
        )
        ways = (lambda: onednn_linear(x, weight, bias), lambda: F.linear(x, weight, bias))
        ours, plain = (way() for way in ways)
        rounds = [[_seconds(way) for way in ways] for _ in range(ROUNDS)]
        quickest = [min(times) for times in zip(*rounds, strict=True)]
        return Measured(quickest[0] / quickest[1], float((ours - plain).norm() / plain.norm()))


def onednn_linear(x: Tensor, weight: Tensor, bias: Tensor | None, *, gelu: bool = False) -> Tensor:
    """x [… ,I] times weight [O,I], plus bias [O], then GELU (tanh) where asked for, in one oneDNN product."""
    activation, variant = ("gelu", "tanh") if gelu else ("none", "")
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, activation, [], variant)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
