"""Noise from a seed: the same numbers on every device and with any number of threads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

MASK = (1 << 64) - 1


def noise_for(shape: Sequence[int], seed: int) -> Tensor:
    """Standard normal noise, float32 on the CPU: what ComfyUI's RandomNoise gives for this shape and seed."""
    return torch.randn(tuple(shape), generator=torch.Generator().manual_seed(seed))


def frame_noise_for(shape: Sequence[int], seed: int, *, first_frame: int = 0) -> Tensor:
    """Noise of which each film and frame has its own: frame k is the same however long the film is.

    Args:
        shape: [B,C,T,h,w].
        seed: any integer of 64 bits.
        first_frame: index of the first of the T frames in the film.

    Returns:
        Float32 on the CPU.
    """
    films, channels, frames, height, width = shape
    noise = torch.empty(films, channels, frames, height, width)
    for film in range(films):
        for frame in range(frames):
            own = _mixed(_mixed(_mixed(seed) ^ film) ^ (first_frame + frame))
            noise[film, :, frame] = noise_for((channels, height, width), own)
    return noise


def _mixed(value: int) -> int:
    """SplitMix64's step (Steele et al. 2014): near numbers become unrelated ones."""
    value = (value + 0x9E3779B97F4A7C15) & MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)
