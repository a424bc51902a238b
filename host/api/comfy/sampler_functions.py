"""The sampler functions that the host has of its own, by core's names.

Each is called `f(model, x, sigmas, extra_args, callback, disable)`: `model(x, sigma [B], **extra_args)` gives
the denoised x, `sigmas` [steps + 1] falls.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor


def _levels(x: Tensor, sigma: Tensor) -> Tensor:
    return sigma * x.new_ones(x.shape[0])


def _step_done(callback: Callable | None, i: int, x: Tensor, sigma: Tensor, denoised: Tensor) -> None:
    if callback is not None:
        callback({"x": x, "i": i, "sigma": sigma, "sigma_hat": sigma, "denoised": denoised})


@torch.no_grad()
def sample_euler(
    model: Callable,
    x: Tensor,
    sigmas: Tensor,
    extra_args: dict[str, Any] | None = None,
    callback: Callable | None = None,
    disable: bool | None = None,
) -> Tensor:
    """Euler's method."""
    for i, (now, then) in enumerate(pairwise(sigmas)):
        denoised = model(x, _levels(x, now), **(extra_args or {}))
        _step_done(callback, i, x, now, denoised)
        x = x + (x - denoised) / now * (then - now)
    return x


@torch.no_grad()
def sample_heun(
    model: Callable,
    x: Tensor,
    sigmas: Tensor,
    extra_args: dict[str, Any] | None = None,
    callback: Callable | None = None,
    disable: bool | None = None,
) -> Tensor:
    """Heun's method: two calls a step, one in the last."""
    for i, (now, then) in enumerate(pairwise(sigmas)):
        denoised = model(x, _levels(x, now), **(extra_args or {}))
        _step_done(callback, i, x, now, denoised)
        slope = (x - denoised) / now
        ahead = x + slope * (then - now)
        if then > 0:
            again = model(ahead, _levels(x, then), **(extra_args or {}))
            slope = (slope + (ahead - again) / then) / 2
            ahead = x + slope * (then - now)
        x = ahead
    return x


@torch.no_grad()
def sample_dpmpp_2m(
    model: Callable,
    x: Tensor,
    sigmas: Tensor,
    extra_args: dict[str, Any] | None = None,
    callback: Callable | None = None,
    disable: bool | None = None,
) -> Tensor:
    """DPM-Solver++(2M): extrapolates the denoised x from two steps (Lu et al., 2022)."""
    before: Tensor | None = None
    for i, (now, then) in enumerate(pairwise(sigmas)):
        denoised = model(x, _levels(x, now), **(extra_args or {}))
        _step_done(callback, i, x, now, denoised)
        target = denoised
        if before is not None and then > 0:
            ratio = (sigmas[i - 1] / now).log() / (now / then).log()
            target = denoised + (denoised - before) / (2 * ratio)
        x = then / now * x + (1 - then / now) * target
        before = denoised
    return x


SAMPLERS = {"euler": sample_euler, "heun": sample_heun, "dpmpp_2m": sample_dpmpp_2m}
