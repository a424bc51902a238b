"""Noise schedules for flow matching: the sigmas, from 1 (pure noise) to 0 (clean), that a sampler visits.

In flow terms x_σ = (1 − σ)·x0 + σ·noise; the velocity is noise − x0 (Lipman et al. 2023, Liu et al. 2023).
Large pictures and long films hide their content only behind more noise, so schedules dwell at high σ by the
time shift σ' = s·σ / (1 + (s − 1)·σ) (Esser et al. 2024). The names are those that users of ComfyUI know.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

TRAINED_LEVELS = 1000
"""Networks of this family count noise levels in thousandths; the lowest they know is 1 / 1000."""

Level = TypeVar("Level", float, Tensor)


def time_shift(sigma: Level, shift: float) -> Level:
    """Move noise levels towards 1 (shift above 1) or 0 (below 1); 0 and 1 stay. Source: Esser et al. 2024."""
    return shift * sigma / (1 + (shift - 1) * sigma)


def flow_sigmas(schedule: str, steps: int, *, shift: float = 1.0, denoise: float = 1.0) -> Tensor:
    """The sigmas of `steps` steps, float32 [steps + 1], from noise down to 0.

    Args:
        schedule: a name in `SCHEDULES`.
        steps: how many times the sampler steps; `beta` may merge some where they are many.
        shift: of time, see `time_shift`; `linear_quadratic` takes none.
        denoise: below 1, the last `steps` steps of a schedule of `steps / denoise`: an edit instead of a
            fresh start.

    Raises:
        ValueError: an unknown schedule, or a number out of range.
    """
    if schedule not in SCHEDULES:
        raise ValueError(f"no noise schedule {schedule!r}; choose one of {', '.join(SCHEDULES)}")
    if steps < 1:
        raise ValueError(f"sampling takes at least 1 step, got {steps}")
    if not shift > 0:
        raise ValueError(f"the time shift must be above 0, got {shift}")
    if not 0 < denoise <= 1:
        raise ValueError(f"denoise must be above 0 and at most 1, got {denoise}")
    levels = SCHEDULES[schedule](int(steps / denoise), shift)
    sigmas = torch.cat([levels, levels.new_zeros(1)])
    return sigmas[-(steps + 1) :].float()


def noised(clean: Tensor, noise: Tensor, sigmas: Tensor) -> Tensor:
    """(1 − σ)·clean + σ·noise; where σ is 0, `clean` itself.

    Args:
        clean, noise: [B,C,T,h,w].
        sigmas: one level for the film (no dimension), or one per frame [T].
    """
    if sigmas.ndim:
        sigmas = sigmas.view(1, 1, -1, 1, 1)
    sigmas = sigmas.to(clean)
    return (1 - sigmas) * clean + sigmas * noise


def _even(first: float, last: float, count: int) -> Tensor:
    return torch.linspace(first, last, count, dtype=torch.float64)


def _linear(steps: int, shift: float) -> Tensor:
    """Even steps of time from 1 to 0."""
    return time_shift(_even(1, 0, steps + 1)[:-1], shift)


def _wan(steps: int, shift: float) -> Tensor:
    """As Wan's own code and diffusers' DPM-Solver space them: from 0.999 to 0."""
    return time_shift(_even(1 - 1 / TRAINED_LEVELS, 0, steps + 1)[:-1], shift)


def _wan_diffusers(steps: int, shift: float) -> Tensor:
    """As diffusers' UniPC spaces them for Wan: towards 0.001, then 0."""
    return time_shift(_even(1, 1 / TRAINED_LEVELS, steps + 1)[:-1], shift)


def _simple(steps: int, shift: float) -> Tensor:
    """Even steps, rounded up to the levels of training."""
    times = [TRAINED_LEVELS - int(step * (TRAINED_LEVELS / steps)) for step in range(steps)]
    return time_shift(torch.tensor(times, dtype=torch.float64) / TRAINED_LEVELS, shift)


def _normal(steps: int, shift: float) -> Tensor:
    """From 1 to the lowest level, both counted; diffusers' flow-match Euler. The lowest is shifted twice."""
    return time_shift(_even(1, time_shift(1 / TRAINED_LEVELS, shift), steps), shift)


def _sgm_uniform(steps: int, shift: float) -> Tensor:
    """As `normal`, the lowest level left out."""
    return time_shift(_even(1, time_shift(1 / TRAINED_LEVELS, shift), steps + 1)[:-1], shift)


def _beta(steps: int, shift: float) -> Tensor:
    """Dense at both ends: quantiles of the Beta(0.6, 0.6) distribution (Lee et al. 2024)."""
    times = (_beta_quantiles(_even(1, 0, steps + 1)[:-1]) * (TRAINED_LEVELS - 1)).round()
    return time_shift((times.unique_consecutive() + 1) / TRAINED_LEVELS, shift)


def _beta_quantiles(probabilities: Tensor, cells: int = 1 << 16) -> Tensor:
    """Quantiles of Beta(0.6, 0.6); x = sin²θ turns the density's poles into mere corners."""
    angles = _even(0, math.pi / 2, cells + 1)
    middles = (angles[1:] + angles[:-1]) / 2
    mass = torch.cat([angles.new_zeros(1), (middles.sin() * middles.cos()).pow(0.2).cumsum(0)])
    mass /= mass[-1].clone()
    right = torch.searchsorted(mass, probabilities).clamp(1, cells)
    part = (probabilities - mass[right - 1]) / (mass[right] - mass[right - 1])
    return (angles[right - 1] + part * (angles[right] - angles[right - 1])).sin().square()


def _linear_quadratic(steps: int, shift: float) -> Tensor:
    """Half of the steps remove 2.5 % of the noise, the others the rest, ever faster (Mochi 1, 2024)."""
    slow = steps // 2
    if not slow:
        return _even(1, 1, 1)
    slope, fast = 0.025 / slow, steps - slow
    step = torch.arange(steps, dtype=torch.float64)
    beyond = (step - slow).clamp(min=0)
    return 1 - slope * step - (1 - slope * steps) * (beyond / fast).square()


def _karras(steps: int, shift: float) -> Tensor:
    """Even in the seventh root of σ (Karras et al. 2022)."""
    return _even(1, time_shift(1 / TRAINED_LEVELS, shift) ** (1 / 7), steps) ** 7


def _exponential(steps: int, shift: float) -> Tensor:
    """Even in log σ."""
    return _even(0, math.log(time_shift(1 / TRAINED_LEVELS, shift)), steps).exp()


def _kl_optimal(steps: int, shift: float) -> Tensor:
    """Even in arctan σ (Sabour et al. 2024)."""
    return _even(math.atan(1), math.atan(time_shift(1 / TRAINED_LEVELS, shift)), steps).tan()


SCHEDULES: dict[str, Callable[[int, float], Tensor]] = {
    "simple": _simple,
    "linear": _linear,
    "wan": _wan,
    "wan_diffusers": _wan_diffusers,
    "normal": _normal,
    "sgm_uniform": _sgm_uniform,
    "beta": _beta,
    "linear_quadratic": _linear_quadratic,
    "karras": _karras,
    "exponential": _exponential,
    "kl_optimal": _kl_optimal,
}
"""Levels before the final 0, float64 [steps], by name, for a number of steps and a shift."""
