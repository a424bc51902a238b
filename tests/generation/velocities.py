"""Velocities to sample with: a random network, and a flow whose solution is known."""

from __future__ import annotations

import torch
from torch import Tensor


class RandomVelocity:
    """A small nonlinear network of random weights that mixes channels and frames; counts its calls."""

    def __init__(self, channels: int = 4, dtype: torch.dtype = torch.float32) -> None:
        generator = torch.Generator().manual_seed(7)
        self.into = torch.randn(16, channels + 1, generator=generator, dtype=dtype) / 2
        self.out = torch.randn(channels, 16, generator=generator, dtype=dtype) / 2
        self.seen: list[Tensor] = []

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        self.seen.append(sigma)
        level = sigma[:, None, :, None, None].expand(-1, 1, -1, *x.shape[3:])
        hidden = torch.tanh(torch.einsum("oc,bcthw->bothw", self.into, torch.cat([x, level], dim=1)))
        return torch.einsum("co,bothw->bcthw", self.out, hidden) + 0.3 * x.mean(dim=2, keepdim=True)


class PerFrameVelocity(RandomVelocity):
    """The same without mixing: what a frame does depends on itself alone."""

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        return super().__call__(x, sigma) - 0.3 * x.mean(dim=2, keepdim=True)


class GaussianFlow:
    """Films whose every value is normal, of the given mean and deviation: the exact velocity and solution."""

    def __init__(self, mean: float = 0.7, deviation: float = 0.4) -> None:
        self.mean, self.deviation = mean, deviation

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        """E[noise − x0 | x]."""
        sigma = sigma[:, None, :, None, None]
        gain = (sigma - (1 - sigma) * self.deviation**2) / self._variance(sigma)
        return gain * (x - (1 - sigma) * self.mean) - self.mean

    def solution(self, x: Tensor, start: float, end: float) -> Tensor:
        """Where the flow takes x from sigma `start` to sigma `end`."""
        stretch = (self._variance(end) / self._variance(start)) ** 0.5
        return (1 - end) * self.mean + stretch * (x - (1 - start) * self.mean)

    def _variance(self, sigma: Tensor | float) -> Tensor | float:
        return ((1 - sigma) * self.deviation) ** 2 + sigma**2


def latent(frames: int = 3, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Noise [2, 4, frames, 3, 4]."""
    return torch.randn(2, 4, frames, 3, 4, generator=torch.Generator().manual_seed(seed), dtype=dtype)
