"""Samplers: solve the flow's equation dx/dσ = v(x, σ) from noise to film, each frame on its own noise level.

Shapes: B films, C channels, T frames, h, w rows and columns of the latent. A `Velocity` is a network with all
its conditions: from x [B,C,T,h,w] and sigma [B,T] it gives noise − x0, [B,C,T,h,w], so that x0 = x − σ·v.

A schedule is flat, sigmas [steps + 1], or a matrix [steps + 1, T] whose columns are the frames' own schedules
(Diffusion Forcing, Chen et al. 2024; FVDM, Liu et al. 2024). A frame whose sigma stays comes out of the step
as it went in, bit for bit; a flat schedule and the matrix of its repeated column give the same bits.

Any exception raised by the velocity or the callback ends the run; no state outlives it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from .multistep import Corrector, dpmpp_weights, unic_weights

Velocity = Callable[[Tensor, Tensor], Tensor]
"""x [B,C,T,h,w], sigma [B,T] → noise − x0, [B,C,T,h,w]."""

Callback = Callable[[int, int, Tensor, Tensor], None]
"""After each step: its index from 0, their number, x after it, and the x0 that it saw. Raise to cancel."""

Sampler = Callable[[Velocity, Tensor, Tensor, "Callback | None"], Tensor]
"""velocity, x at sigmas[0] in float32, sigmas [steps + 1] or [steps + 1, T], callback → x at sigmas[-1]."""


class Steps:
    """A schedule's steps: what every sampler asks of it.

    Attributes:
        table: sigmas, float64 [steps + 1, T], on the CPU; T is 1 for a flat schedule.
        moves: bool [steps, T], whether a frame's sigma changes in a step.
    """

    def __init__(self, sigmas: Tensor, x: Tensor, velocity: Velocity, *, down_only: bool = False) -> None:
        table = sigmas.detach().cpu().double()
        self.table = table.unsqueeze(1) if table.ndim == 1 else table
        self._velocity, self._like = velocity, x.new_empty(0)
        self._trailing = [1] * (x.ndim - 3)
        self._refuse_what_cannot_be_stepped(x.shape[2], down_only)
        self.moves = self.table[1:] != self.table[:-1]

    def _refuse_what_cannot_be_stepped(self, frames: int, down_only: bool) -> None:
        rows, columns = self.table.shape
        if rows < 2:
            raise ValueError(f"sampling needs at least two sigmas, got {rows}")
        if columns not in (1, frames):
            raise ValueError(f"the schedule is for {columns} frames and the latent has {frames}")
        if not bool(((self.table >= 0) & (self.table <= 1)).all()):
            raise ValueError("sigmas lie between 1 (noise) and 0 (clean); this schedule leaves that range")
        if down_only and bool((self.table[1:] > self.table[:-1]).any()):
            raise ValueError("this sampler only goes from noise to film; for rising sigmas use euler or heun")

    def __len__(self) -> int:
        return len(self.table) - 1

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))

    def over_frames(self, weights: Tensor) -> Tensor:
        """One number per frame [T] as a factor for x."""
        return weights.view(1, 1, -1, *self._trailing).to(self._like)

    def velocity(self, x: Tensor, step: int) -> Tensor:
        """The velocity of x at the noise levels before step `step`."""
        row = self.table[step].to(x.device, x.dtype)
        return self._velocity(x, row.expand(x.shape[0], x.shape[2]))

    def clean(self, x: Tensor, velocity: Tensor, step: int) -> Tensor:
        """The denoised estimate x0 = x − σ·v."""
        return x - self.over_frames(self.table[step]) * velocity

    def where(self, frames: Tensor, then: Tensor, otherwise: Tensor) -> Tensor:
        """`then` in the frames marked in bool [T], `otherwise` in the others."""
        if bool(frames.all()):
            return then
        mask = frames.view(1, 1, -1, *self._trailing).to(then.device)
        return torch.where(mask, then, otherwise)


def euler(velocity: Velocity, x: Tensor, sigmas: Tensor, callback: Callback | None = None) -> Tensor:
    """First order, one call per step: x + Δσ·v. Also from film to noise, with rising sigmas."""
    steps = Steps(sigmas, x, velocity)
    lengths = steps.table.diff(dim=0)
    for step in steps:
        v = steps.velocity(x, step)
        x0 = steps.clean(x, v, step) if callback else None
        x = steps.where(steps.moves[step], x + steps.over_frames(lengths[step]) * v, x)
        if callback:
            callback(step, len(steps), x, x0)
    return x


def heun(velocity: Velocity, x: Tensor, sigmas: Tensor, callback: Callback | None = None) -> Tensor:
    """Second order, two calls per step: the mean of the velocities at both ends (Karras et al. 2022).

    A frame that ends at 0 takes Euler's step: at 0 a network has learned nothing.
    """
    steps = Steps(sigmas, x, velocity)
    lengths = steps.table.diff(dim=0)
    for step in steps:
        v = steps.velocity(x, step)
        x0 = steps.clean(x, v, step) if callback else None
        length = steps.over_frames(lengths[step])
        reached = steps.where(steps.moves[step], x + length * v, x)
        twice = steps.moves[step] & (steps.table[step + 1] > 0)
        if bool(twice.any()):
            mean = (v + steps.velocity(reached, step + 1)) / 2
            reached = steps.where(twice, x + length * mean, reached)
        x = reached
        if callback:
            callback(step, len(steps), x, x0)
    return x


def dpmpp_2m(velocity: Velocity, x: Tensor, sigmas: Tensor, callback: Callback | None = None) -> Tensor:
    """DPM-Solver++ 2M (Lu et al. 2022): second order in log-SNR from one call per step and the one before.

    A frame's first step and its step to 0 are of first order; a frame's past are the steps in which it moved.
    """
    steps = Steps(sigmas, x, velocity, down_only=True)
    weights = dpmpp_weights(steps.table)
    past = None
    for step in steps:
        x0 = steps.clean(x, steps.velocity(x, step), step)
        past = x0 if past is None else past
        x = steps.where(steps.moves[step], _predicted(steps, weights[step], x, x0, past), x)
        past = steps.where(steps.moves[step], x0, past)
        if callback:
            callback(step, len(steps), x, x0)
    return x


def _predicted(steps: Steps, weights: Tensor, x: Tensor, x0: Tensor, past: Tensor) -> Tensor:
    """One multistep prediction; weights [2, T] of x − x0 and of x0 − past."""
    held, change = (steps.over_frames(weight) for weight in weights)
    return x0 + held * (x - x0) + change * (x0 - past)


def unipc(velocity: Velocity, x: Tensor, sigmas: Tensor, callback: Callback | None = None) -> Tensor:
    """UniPC of order 2, B(h) = e^h − 1 (Zhao et al. 2023): DPM-Solver++ 2M, then corrected.

    What a step made is corrected, at no further call, by the x0 that the network sees there. A frame that
    waits is corrected when it moves again.
    """
    steps = Steps(sigmas, x, velocity, down_only=True)
    predictor, corrector = dpmpp_weights(steps.table), unic_weights(steps.table)
    left = past = before = None
    for step in steps:
        moves = steps.moves[step]
        x0 = steps.clean(x, steps.velocity(x, step), step)
        if past is None:
            left, past, before = x, x0, x0
        corrected = _corrected(steps, corrector, step, left, past, before, x0)
        x = steps.where(~corrector.corrects[step], x, corrected)
        left = steps.where(moves, x, left)
        before = steps.where(moves, past, before)
        x = steps.where(moves, _predicted(steps, predictor[step], x, x0, past), x)
        past = steps.where(moves, x0, past)
        if callback:
            callback(step, len(steps), x, x0)
    return x


def _corrected(
    steps: Steps, corrector: Corrector, step: int, left: Tensor, past: Tensor, before: Tensor, x0: Tensor
) -> Tensor:
    """What the step before should have reached: it left `left`, saw `past`, and one step earlier `before`."""
    held, far, new = (
        steps.over_frames(weights[step]) for weights in (corrector.left, corrector.far, corrector.new)
    )
    return past + held * (left - past) + far * (before - past) + new * (x0 - past)


SAMPLERS: dict[str, Sampler] = {"euler": euler, "heun": heun, "dpmpp_2m": dpmpp_2m, "unipc": unipc}
"""The samplers by name."""
