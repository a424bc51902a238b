"""Patches of 1 × 2 × 2 latent cells, which Wan takes as one token."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def padded(latents: Tensor) -> Tensor:
    """[B,C,T,h,w] with an odd height or width made even: its first row or column again, as ComfyUI does."""
    height, width = latents.shape[3:]
    if height % 2 or width % 2:
        return F.pad(latents, (0, width % 2, 0, height % 2, 0, 0), mode="circular")
    return latents


def unpatchified(tokens: Tensor, grid: tuple[int, int, int]) -> Tensor:
    """[B,S,4·C] of this grid → [B,C,T,h,w]."""
    patches = tokens.unflatten(1, grid).unflatten(-1, (2, 2, -1))  # [B,T,h/2,w/2,2,2,C]
    return patches.permute(0, 6, 1, 2, 4, 3, 5).flatten(5, 6).flatten(3, 4)
