"""The denoising step that some decoders do themselves: what it is told, and its noise.

Shapes: B batch, C channels, T frames, H height, W width (of the layer's resolution).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class LastStep:
    """How a conditioned decoder does the last denoising step; other decoders ignore it.

    Attributes:
        timestep: 0 (clean) to 1 (noise), which the decoder is told.
        noise_scale: share of noise that is mixed into the latents before.
        seed: of that noise and of what the decoder injects itself.
        window: where the latents lie in their frame: top, left, and the frame's height and width, in latent
            cells. A tile then gets its part of the frame's noise. None: they are the whole frame.
    """

    timestep: float = 0.05
    noise_scale: float = 0.025
    seed: int = 0
    window: tuple[int, int, int, int] | None = None


class StepNoise:
    """The noise of one chunk: the same for a frame, layer and place whatever the chunks and tiles."""

    def __init__(self, step: LastStep, latents: Tensor) -> None:
        self.step = step
        self.width = latents.shape[4]
        self.window = step.window or (0, 0, *latents.shape[3:])
        self.planes = 0

    def mixed(self, latents: Tensor, first: int) -> Tensor:
        """Latents [B,C,T,H,W], whose first is the film's frame number `first`, with their share of noise."""
        share = self.step.noise_scale
        if share == 0:
            return latents
        shape = (*latents.shape[:2], *latents.shape[3:])
        frames = [self._drawn(2 * (first + t) + 1, shape, 1) for t in range(latents.shape[2])]
        return (1 - share) * latents + share * torch.stack(frames, dim=2).to(latents)

    def plane(self, x: Tensor) -> Tensor:
        """The next layer's noise [H,W] for [B,C,T,H,W]: one for all frames and channels."""
        self.planes += 1
        return self._drawn(2 * self.planes, tuple(x.shape[3:]), x.shape[4] // self.width).to(x)

    def _drawn(self, stream: int, shape: tuple[int, ...], scale: int) -> Tensor:
        """Noise of this shape, cut from the frame's; `scale` is the layer's pixels per latent cell."""
        top, left, height, width = (scale * cells for cells in self.window)
        generator = torch.Generator().manual_seed((self.step.seed * 1_000_003 + stream) % 2**63)
        frame = torch.randn(*shape[:-2], height, width, generator=generator)
        return frame[..., top : top + shape[-2], left : left + shape[-1]]


def injected(x: Tensor, strength: Tensor | None, noise: StepNoise | None) -> Tensor:
    """[B,C,T,H,W] plus a noise plane times each channel's strength [C,1,1], where there is one."""
    return x if strength is None else x + (noise.plane(x) * strength.to(x))[:, None]


class TimestepEmbedding(nn.Module):
    """Timesteps [B] in 0..1000 as sines and cosines through two layers: [B,D]."""

    WAVES = 128

    def __init__(self, out: int, operations: Any) -> None:
        super().__init__()
        self.timestep_embedder = nn.ModuleDict(
            {"linear_1": operations.Linear(2 * self.WAVES, out), "linear_2": operations.Linear(out, out)}
        )

    def forward(self, timestep: Tensor) -> Tensor:
        steps = torch.arange(self.WAVES, device=timestep.device) / self.WAVES
        angles = timestep[:, None].float() * torch.exp(-math.log(10_000) * steps)  # [B, 128]
        waves = torch.cat([angles.cos(), angles.sin()], dim=1).to(timestep)
        hidden = F.silu(self.timestep_embedder["linear_1"](waves))
        return self.timestep_embedder["linear_2"](hidden)


def modulation(table: Tensor, embedded: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Pairs of shift and scale, each [B,C,1,1,1], from a table [2n,C] and a timestep's embedding [B,2n·C]."""
    values = table.to(embedded) + embedded.unflatten(1, table.shape)  # [B, 2n, C]
    shifts_and_scales = values[..., None, None, None].unbind(dim=1)
    return list(zip(shifts_and_scales[::2], shifts_and_scales[1::2], strict=True))
