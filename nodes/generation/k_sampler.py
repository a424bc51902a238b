"""Our samplers as ComfyUI's SAMPLER calls them: from a model that gives x0 at one noise level for all frames.

The model's x0 = x − σ·v (its CONST parametrisation), so v = (x − x0) / σ. Guidance, masks and other packs'
hooks are inside the model. Noise levels per frame come in through the model too: a LATENT's noise mask.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from .samplers import Callback, Sampler, Velocity

Denoiser = Callable[..., Tensor]
"""x [B,C,…], sigma [B], further arguments by name → the estimate x0."""

LOWEST = 1e-3
"""At σ = 0 x0 is x whatever the network says: its velocity is read at the lowest level it was trained on."""


def velocity_of(model: Denoiser, extra_args: dict[str, Any]) -> Velocity:
    """The velocity that a denoiser sees; all frames must be on one level."""

    def velocity(x: Tensor, sigma: Tensor) -> Tensor:
        level = sigma[:, 0].clamp(min=LOWEST)
        return (x - model(x, level, **extra_args)) / level.view(-1, *[1] * (x.ndim - 1))

    return velocity


def as_k_sampler(sampler: Sampler) -> Callable[..., Tensor]:
    """A sampler as the function that ComfyUI's KSAMPLER takes.

    Its callback gets, after each step, a dict of i, x, sigma, sigma_hat and denoised. Flow models only: with
    sigmas above 1 it raises ValueError.
    """

    def sample(
        model: Denoiser,
        x: Tensor,
        sigmas: Tensor,
        extra_args: dict[str, Any] | None = None,
        callback: Callable[[dict[str, Any]], None] | None = None,
        disable: bool | None = None,
    ) -> Tensor:
        tell = callback and _telling(callback, sigmas)
        if len(sigmas) < 2:  # ComfyUI's own samplers take no step then
            return x
        return sampler(velocity_of(model, extra_args or {}), x, sigmas, tell)

    sample.__name__ = f"sample_{sampler.__name__}"
    return sample


def _telling(callback: Callable[[dict[str, Any]], None], sigmas: Tensor) -> Callback:
    def tell(step: int, total: int, x: Tensor, x0: Tensor) -> None:
        level = sigmas[step]
        callback({"i": step, "x": x, "sigma": level, "sigma_hat": level, "denoised": x0})

    return tell
