"""Which latent frames of a film are given, told by a mask over its latents (1 is made, 0 stays)."""

from __future__ import annotations

from torch import Tensor

LEVELS = "kinograph_frame_levels"
"""Key in ComfyUI's transformer_options: each frame's share of a call's noise level, [T]."""


def frame_mask(mask: Tensor) -> Tensor | None:
    """One number per frame [B,T] of a mask [B,C,T,h,w]; None where a frame is not masked as a whole."""
    planes = mask.movedim(2, 1).flatten(2)  # [B,T,C·h·w]
    levels = planes[..., 0]
    return levels if planes.eq(levels[..., None]).all() else None


def with_frame_levels(timestep: Tensor, levels: Tensor) -> Tensor:
    """Timesteps [B] scaled by each frame's share of the noise, [B,T] or [b,T] with b | B → [B,T]."""
    repeats = timestep.shape[0] // levels.shape[0]
    return timestep[:, None] * levels.repeat(repeats, 1).to(timestep)
