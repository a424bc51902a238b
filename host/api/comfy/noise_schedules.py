"""Noise levels for a number of steps, by core's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def simple(sampling: Any, steps: int) -> Tensor:
    """Evenly spaced entries of the model's table."""
    table = sampling.sigmas
    stride = len(table) / steps
    return torch.tensor([float(table[-(1 + int(step * stride))]) for step in range(steps)] + [0.0])


def normal(sampling: Any, steps: int) -> Tensor:
    """Evenly spaced timesteps, the least of them the table's."""
    times = torch.linspace(
        float(sampling.timestep(sampling.sigma_max)), float(sampling.timestep(sampling.sigma_min)), steps
    )
    return torch.tensor([float(sampling.sigma(time)) for time in times] + [0.0])


def sgm_uniform(sampling: Any, steps: int) -> Tensor:
    """Evenly spaced timesteps, the last of which is left out."""
    return torch.cat([normal(sampling, steps + 1)[:-2], torch.zeros(1)])


_SCHEDULERS: dict[str, Callable[[Any, int], Tensor]] = {
    "simple": simple,
    "sgm_uniform": sgm_uniform,
    "normal": normal,
}
SCHEDULER_NAMES = list(_SCHEDULERS)


def calculate_sigmas(model_sampling: Any, scheduler_name: str, steps: int) -> Tensor:
    """The model's noise levels [steps + 1], falling to 0.

    Raises:
        ValueError: no such schedule.
    """
    if scheduler_name not in _SCHEDULERS:
        raise ValueError(f"no schedule {scheduler_name!r}; choose one of {', '.join(SCHEDULER_NAMES)}")
    return _SCHEDULERS[scheduler_name](model_sampling, steps)
