"""Consecutive Brownian bridges: the latent between two others, reached from both at once.

A bridge is Brownian motion with both ends fixed: at time m from the middle latent x0 (m = 0) to a neighbour
y (m = 1) it is normal with mean (1 − m)·x0 + m·y and variance 2s·(m − m²), none at the ends. Two of them meet
in x0, one from each neighbour. Sampling starts at the neighbours themselves, not at noise, and goes from time
t to r < t by x_r = x_t − (t − r)/t · (x_t − x0) + √(2s·r·(t − r)/t) · noise, where a network tells x_t − x0.
All the noise together has a variance below 2s. Source: Lyu et al. 2024, "Frame Interpolation with Consecutive
Brownian Bridge Diffusion", whose sampler has s = ½; here training has the same s.

Shapes: B pairs, Z channels, h × w cells.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import torch
from torch import Tensor

SPREAD = 0.5
"""s above: at ½ the motion's variance grows as fast as time."""

Predictor = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""Tells x_t − x0, [B,Z,h,w], from the states of one bridge and of the other, [B,Z,h,w], both neighbours
[B,2Z,h,w], and times [B]: −1 at the neighbour before, 0 in the middle, 1 at the one after."""


def bridge_variance(time: Tensor, spread: float = SPREAD) -> Tensor:
    """2s·(m − m²)."""
    return 2 * spread * (time - time.square())


def on_bridge(
    middle: Tensor, neighbour: Tensor, time: Tensor, noise: Tensor, spread: float = SPREAD
) -> Tensor:
    """A bridge's state at times [B] of 0 … 1; all else [B,Z,h,w]."""
    time = time.view(-1, *[1] * (middle.ndim - 1))
    return (1 - time) * middle + time * neighbour + bridge_variance(time, spread).sqrt() * noise


def bridge_times(steps: int) -> list[float]:
    """From 1 to 0 in even steps."""
    return [1 - step / steps for step in range(steps)] + [0.0]


def injected_variance(now: float, then: float, spread: float = SPREAD) -> float:
    """Of the noise that a step adds: 2s·r·(t − r)/t."""
    return 2 * spread * then * (now - then) / now


def between(
    predict: Predictor,
    before: Tensor,
    after: Tensor,
    steps: int,
    eta: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """The latent in the middle of two, [B,Z,h,w]: the mean of what both bridges reach.

    Args:
        steps: calls of the network, each for both bridges.
        eta: share of the noise; 0 is none.
        generator: of the noise, on the CPU.
    """
    states, neighbours = torch.cat([before, after]), torch.cat([before, after], dim=1).repeat(2, 1, 1, 1)
    side = torch.tensor([-1.0, 1.0], device=before.device).repeat_interleave(len(before))
    for now, then in pairwise(bridge_times(steps)):
        others = states.roll(len(before), 0)
        distance = predict(states, others, neighbours, side * now)
        states = states - (now - then) / now * distance
        deviation = eta * injected_variance(now, then) ** 0.5
        if deviation:
            noise = torch.randn(states.shape, generator=generator)
            states = states + deviation * noise.to(states)
    return states.view(2, *before.shape).mean(dim=0)


class Halvings:
    """What lies between two latents at halves, quarters, eighths …, each made of its nearest neighbours.

    Args:
        halve: makes the middle of two.
    """

    def __init__(self, before: Tensor, after: Tensor, halve: Callable[[Tensor, Tensor], Tensor]) -> None:
        self._known = {Fraction(0): before, Fraction(1): after}
        self._halve = halve

    def at(self, time: Fraction) -> Tensor:
        """The latent at a time of 0 … 1, a number of halves, quarters …; each is made once."""
        if time not in self._known:
            step = Fraction(1, time.denominator)
            self._known[time] = self._halve(self.at(time - step), self.at(time + step))
        return self._known[time]


def nearest_halving(time: float, depth: int) -> Fraction:
    """The nearest time that is a multiple of 2^−depth."""
    return Fraction(round(time * 2**depth), 2**depth)
