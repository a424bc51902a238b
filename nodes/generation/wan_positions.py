"""How Wan tells its transformer where a token is and how noisy: rotations and waves."""

from __future__ import annotations

import torch
from torch import Tensor

BASE = 10000.0
"""Of the wave lengths, of positions and of timesteps alike."""


def timestep_waves(timestep: Tensor, width: int) -> Tensor:
    """[…] → […,width] in float32: cosines and sines of the timestep (Vaswani et al. 2017)."""
    exact = _exact(timestep.device)
    half = width // 2
    rates = BASE ** -(torch.arange(half, dtype=exact, device=timestep.device) / half)
    angles = timestep.to(exact)[..., None] * rates
    return torch.cat([angles.cos(), angles.sin()], dim=-1).float()


def rotations(grid: tuple[int, int, int], head_width: int, device: torch.device) -> Tensor:
    """[S,1,head_width/2], complex: the turn of every pair of channels (Su et al. 2021), over three axes.

    The first pairs turn with time, the next with height, the last with width.
    """
    spatial = 2 * (head_width // 6)
    widths = (head_width - 2 * spatial, spatial, spatial)
    axes = [_turns(length, width, device) for length, width in zip(grid, widths, strict=True)]
    shapes = ((-1, 1, 1), (1, -1, 1), (1, 1, -1))
    spread = [
        turns.view(*shape, turns.shape[-1]).expand(*grid, -1)
        for turns, shape in zip(axes, shapes, strict=True)
    ]
    return torch.cat(spread, dim=-1).flatten(0, 2).unsqueeze(1)


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Turn each pair of neighbouring channels of x [B,S,H,head width]; float32 in any case."""
    pairs = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * rotation).flatten(-2)


def _turns(length: int, width: int, device: torch.device) -> Tensor:
    """[length,width/2], complex, of magnitude one."""
    exact = _exact(device)
    rates = BASE ** -(torch.arange(0, width, 2, dtype=exact, device=device) / width)
    angles = torch.arange(length, dtype=exact, device=device)[:, None] * rates
    return torch.complex(angles.cos().float(), angles.sin().float())


def _exact(device: torch.device) -> torch.dtype:
    """The finest float that the device has."""
    return torch.float32 if device.type == "mps" else torch.float64
