"""`comfy.model_sampling`: how a flow-matching model's output and its noise levels are to be read.

A noise level sigma in 0..1 stands for x = (1 - sigma) · clean + sigma · noise; the model gives noise - clean.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


def time_snr_shift(alpha: float, t: Any) -> Any:
    """Move noise levels towards the noisy end by a factor of their odds."""
    return t if alpha == 1.0 else alpha * t / (1 + (alpha - 1) * t)


def reshape_sigma(sigma: Tensor, dims: int) -> Tensor:
    """[B] → [B, 1, …] of that many dimensions; a single level stays as it is."""
    return sigma if sigma.nelement() == 1 else sigma.view(sigma.shape[:1] + (1,) * (dims - 1))


class CONST:
    """Straight paths between noise and data."""

    def calculate_input(self, sigma: Tensor, noise: Tensor) -> Tensor:
        return noise

    def calculate_denoised(self, sigma: Tensor, model_output: Tensor, model_input: Tensor) -> Tensor:
        return model_input - model_output * reshape_sigma(sigma, model_output.ndim)

    def noise_scaling(
        self, sigma: Tensor, noise: Tensor, latent_image: Tensor, max_denoise: bool = False
    ) -> Tensor:
        sigma = reshape_sigma(sigma, noise.ndim)
        return sigma * noise + (1.0 - sigma) * latent_image

    def inverse_noise_scaling(self, sigma: Tensor, latent: Tensor) -> Tensor:
        return latent / (1.0 - reshape_sigma(sigma, latent.ndim))


class ModelSamplingDiscreteFlow(nn.Module):
    """A thousand shifted noise levels, rising, and the timesteps (0..multiplier) that the network sees."""

    sigmas: Tensor

    def __init__(self, model_config: Any = None) -> None:
        super().__init__()
        settings = getattr(model_config, "sampling_settings", {})
        self.set_parameters(settings.get("shift", 1.0), multiplier=settings.get("multiplier", 1000))

    def set_parameters(self, shift: float = 1.0, timesteps: int = 1000, multiplier: float = 1000) -> None:
        self.shift, self.multiplier = shift, multiplier
        times = torch.arange(1, timesteps + 1) / timesteps * multiplier
        self.register_buffer("sigmas", self.sigma(times), persistent=False)

    @property
    def sigma_min(self) -> Tensor:
        return self.sigmas[0]

    @property
    def sigma_max(self) -> Tensor:
        return self.sigmas[-1]

    def timestep(self, sigma: Any) -> Any:
        return sigma * self.multiplier

    def sigma(self, timestep: Any) -> Any:
        return time_snr_shift(self.shift, timestep / self.multiplier)

    def percent_to_sigma(self, percent: float) -> float:
        """The noise level when that share of sampling (0..1) is done."""
        return time_snr_shift(self.shift, 1.0 - min(max(percent, 0.0), 1.0))
