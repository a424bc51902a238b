"""Weights of the multistep samplers, planned on the CPU in double precision for every step and frame.

With λ = log((1 − σ) / σ), half the log of the signal-to-noise ratio, the flow's equation is linear in x and
integrates exactly where x0 is constant; multistep methods let x0 vary linearly or quadratically in λ, through
values of earlier steps (Lu et al. 2022, Zhao et al. 2023). In flow terms the exponentials become ratios of σ:
e^(−h)·α_t / α_s = σ_t / σ_s.

A frame's earlier steps are those in which it moved: one that starts late, or waits, starts over or goes on as
if it had been sampled alone. Tables are float64 [steps + 1, T].
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

NEARLY_ONE = 1 - 17 / 2**24
"""Pure noise has an infinite λ; it counts as this, 1 − 10⁻⁶ in float32, which diffusers starts from."""


class Past(NamedTuple):
    """For every step and frame, the last and the last but one step in which the frame moved; −1 for none."""

    last: Tensor  # int64 [steps, T]
    before: Tensor


class Corrector(NamedTuple):
    """UniC's weights at every step and frame.

    corrects: bool [steps, T], whether there is an earlier step to correct.
    left: weight of x before that step, less the x0 seen there.
    far: weight of the x0 one step earlier still, less the x0 seen there.
    new: weight of the x0 seen now, less the x0 seen there. All float64 [steps, T].
    """

    corrects: Tensor
    left: Tensor
    far: Tensor
    new: Tensor


def log_snr(sigmas: Tensor) -> Tensor:
    """λ = log((1 − σ) / σ); infinite for clean frames, large but finite for pure noise."""
    held = sigmas.clamp(max=NEARLY_ONE)
    return torch.log1p(-held) - held.log()


def steps_before(table: Tensor) -> Past:
    """Find each frame's own earlier steps."""
    moves = table[1:] != table[:-1]
    last = before = torch.full_like(moves[0], -1, dtype=torch.int64)
    lasts, befores = [], []
    for step, moving in enumerate(moves):
        lasts.append(last)
        befores.append(before)
        before = torch.where(moving, last, before)
        last = torch.where(moving, step, last)
    return Past(torch.stack(lasts), torch.stack(befores))


def dpmpp_weights(table: Tensor) -> Tensor:
    """Weights of DPM-Solver++ 2M, float64 [steps, 2, T]: of x − x0, and of x0 less the x0 one step before.

    x_t = x0 + σ_t/σ_s · (x − x0) + ½ · (1 − σ_t/σ_s) · h/h_before · (x0 − x0_before). Without an earlier
    step, and for a step to 0 (where h is infinite), the last term is none. UniP of order 2 is the same.
    """
    ratio = _ratio(table[:-1], table[1:])
    lambdas = log_snr(table)
    past = steps_before(table).last
    length = lambdas[1:] - lambdas[:-1]
    length_before = lambdas[:-1] - lambdas.gather(0, past.clamp(min=0))
    second_order = (past >= 0) & (table[1:] > 0) & (table[1:] != table[:-1])
    change = torch.where(second_order, (1 - ratio) * length / length_before / 2, 0.0)
    return torch.stack([ratio, change], dim=1)


def unic_weights(table: Tensor) -> Corrector:
    """Weights of UniC-2 with B(h) = e^h − 1, which corrects the step before this one.

    Of order 1 where that was the frame's first step, else of order 2: ρ solves ρ₁ + ρ₂ = b₁, r·ρ₁ + ρ₂ = b₂.
    Source: Zhao et al. 2023, algorithm 1.
    """
    past = steps_before(table)
    lambdas = log_snr(table)
    corrects = (past.last >= 0) & (table[1:] != table[:-1])
    start = past.last.clamp(min=0)
    ratio = _ratio(table.gather(0, start), table.gather(0, start + 1))
    at_start = lambdas.gather(0, start)
    length = lambdas.gather(0, start + 1) - at_start
    back = (lambdas.gather(0, past.before.clamp(min=0)) - at_start) / length
    first, second = _unic_sums(length)
    far = torch.where(past.before >= 0, (first - second) / (1 - back), 0.0)
    new = torch.where(past.before >= 0, first - far, 0.5)
    far = torch.where(past.before >= 0, far / back, 0.0)
    return Corrector(corrects, ratio, (1 - ratio) * far, (1 - ratio) * new)


def _ratio(start: Tensor, end: Tensor) -> Tensor:
    """σ_t / σ_s; 1 where nothing moves, clean frames included."""
    return torch.where(start == end, 1.0, end / start)


def _unic_sums(length: Tensor) -> tuple[Tensor, Tensor]:
    """b₁ = φ₂(−h)·h / B(h) and b₂ = 2·φ₃(−h)·h² / B(h) in the paper's signs, B(h) = e^(−h) − 1."""
    whole = torch.expm1(-length)
    first = whole / -length - 1
    second = first / -length - 0.5
    return first / whole, 2 * second / whole
