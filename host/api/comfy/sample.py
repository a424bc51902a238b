"""`comfy.sample`: noise, and latents made ready for a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .devices import intermediate_device
from .samplers import CFGGuider, KSampler


def prepare_noise(latent_image: Tensor, seed: int, noise_inds: list[int] | None = None) -> Tensor:
    """Noise for a latent, the same on every device.

    Args:
        noise_inds: which film of a larger batch each one is, so that it gets the same noise as there.
    """
    generator = torch.manual_seed(seed)
    if noise_inds is None:
        return torch.randn(latent_image.shape, generator=generator).to(latent_image.dtype)
    one = (1, *latent_image.shape[1:])
    drawn = [torch.randn(one, generator=generator) for _ in range(max(noise_inds) + 1)]
    return torch.cat([drawn[index] for index in noise_inds]).to(latent_image.dtype)


def prepare_empty_noise(latent_image: Tensor) -> Tensor:
    """No noise, for sampling that goes on where another left off."""
    return torch.zeros_like(latent_image, device="cpu")


def fix_empty_latent_channels(
    model: Any,
    latent_image: Tensor,
    downscale_ratio_spacial: int | None = None,
    downscale_ratio_temporal: int | None = None,
) -> Tensor:
    """An empty latent as the model has them; pictures as films of one frame.

    Args:
        downscale_ratio_spacial, downscale_ratio_temporal: pixels and frames that one cell of an empty latent
            was made for; it is scaled where the model's cells are of another size.
    """
    latent_format = model.get_model_object("latent_format")
    if latent_format.latent_dimensions == 3 and latent_image.ndim == 4:
        latent_image = latent_image.unsqueeze(2)
    if latent_image.count_nonzero():
        return latent_image
    batch, _, frames, height, width = latent_image.shape
    space = (downscale_ratio_spacial or latent_format.spacial_downscale_ratio) / (
        latent_format.spacial_downscale_ratio
    )
    time = (downscale_ratio_temporal or latent_format.temporal_downscale_ratio) / (
        latent_format.temporal_downscale_ratio
    )
    sizes = (max(1, round(frames * time)), round(height * space), round(width * space))
    return latent_image.new_zeros(batch, latent_format.latent_channels, *sizes)


def sample(
    model: Any,
    noise: Tensor,
    steps: int,
    cfg: float,
    sampler_name: str,
    scheduler: str,
    positive: list,
    negative: list,
    latent_image: Tensor,
    denoise: float = 1.0,
    noise_mask: Tensor | None = None,
    callback: Callable | None = None,
    disable_pbar: bool = False,
    seed: int | None = None,
) -> Tensor:
    """Latents by the sampler and the noise schedule of those names."""
    sampler = KSampler(model, steps, model.load_device, sampler_name, scheduler, denoise)
    samples = sampler.sample(
        noise, positive, negative, cfg, latent_image, noise_mask, callback, disable_pbar, seed
    )
    return samples.to(intermediate_device())


def sample_custom(
    model: Any,
    noise: Tensor,
    cfg: float,
    sampler: Any,
    sigmas: Tensor,
    positive: list,
    negative: list,
    latent_image: Tensor,
    noise_mask: Tensor | None = None,
    callback: Callable | None = None,
    disable_pbar: bool = False,
    seed: int | None = None,
) -> Tensor:
    """Latents by a SAMPLER and SIGMAS."""
    guider = CFGGuider(model)
    guider.set_conds(positive, negative)
    guider.set_cfg(cfg)
    samples = guider.sample(noise, latent_image, sampler, sigmas, noise_mask, callback, disable_pbar, seed)
    return samples.to(intermediate_device())
