"""Noise levels to train on: one per latent frame, of the kinds that sampling schedules give.

Vectorised timesteps are of Liu et al. 2024 (FVDM), whose training lets every frame draw its own level with
some probability; here the schedules that sampling uses have a share of their own too.
"""

from __future__ import annotations

import math
import random

KINDS = {"flat": 0.5, "independent": 0.2, "first": 0.1, "ends": 0.08, "prefix": 0.07, "ramp": 0.05}
"""How often each kind is drawn: one level for all frames, one for each, clean frames at the start or at both
ends, and levels that rise from frame to frame."""
CENTER, SPREAD = 0.4, 1.2
"""Of the normal distribution whose logistic function gives a picture's level (Esser et al. 2024). A film of n
frames shows the same through √n times as much noise, so that its motion is decided at higher levels."""
EVEN_SHARE = 0.2
"""Of the levels are drawn evenly: the others hardly ever come near 1, where sampling begins."""


def drawn_level(rng: random.Random, frames: int = 1) -> float:
    """A noise level above 0, up to 1, for a film of that many latent frames."""
    if rng.random() < EVEN_SHARE:
        return 1 - rng.random()
    return 1 / (1 + math.exp(-rng.gauss(CENTER + math.log(frames) / 2, SPREAD)))


def drawn_sigmas(rng: random.Random, frames: int, later: bool = False) -> list[float]:
    """A noise level for each latent frame; some may be 0: clean, and given.

    Args:
        later: the clip is not a film's beginning, and is only ever made with frames before it given.
    """
    kind = "prefix" if later else rng.choices(list(KINDS), list(KINDS.values()))[0]
    level = drawn_level(rng, frames)
    if kind == "independent":
        return [drawn_level(rng, frames) for _ in range(frames)]
    if kind == "ramp":
        ends = sorted((level, drawn_level(rng, frames)))
        step = (ends[1] - ends[0]) / max(frames - 1, 1)
        return [ends[0] + step * frame for frame in range(frames)]
    clean = {
        "flat": set(),
        "first": {0},
        "ends": {0, frames - 1},
        "prefix": set(range(rng.randrange(1, max(frames, 2)))),
    }[kind]
    sigmas = [0.0 if frame in clean else level for frame in range(frames)]
    return sigmas if any(sigmas) else [level] * frames
