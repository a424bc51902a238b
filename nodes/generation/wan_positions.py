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


def rotations(
    grid: tuple[int, int, int],
    head_width: int,
    device: torch.device,
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0),
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Tensor:
    """[S,1,head_width/2], complex: the turn of every pair of channels (Su et al. 2021), over three axes.

    The first pairs turn with time, the next with height, the last with width.

    Args:
        scale, shift: of the places along the axes; patch n stands at n · scale + shift.
    """
    axes = [
        _turns(torch.arange(length, dtype=_exact(device), device=device) * step + start, width)
        for length, width, step, start in zip(grid, axis_widths(head_width), scale, shift, strict=True)
    ]
    shapes = ((-1, 1, 1), (1, -1, 1), (1, 1, -1))
    spread = [
        turns.view(*shape, turns.shape[-1]).expand(*grid, -1)
        for turns, shape in zip(axes, shapes, strict=True)
    ]
    return torch.cat(spread, dim=-1).flatten(0, 2).unsqueeze(1)


def axis_widths(head_width: int) -> tuple[int, int, int]:
    """Channels of a head that turn with time, height and width."""
    spatial = 2 * (head_width // 6)
    return head_width - 2 * spatial, spatial, spatial


def turned_in_time(keys: Tensor, steps: Tensor) -> Tensor:
    """Rotated keys [B,T,P,H,D], as if each frame stood `steps` [T] further on in time."""
    time, space, _ = axis_widths(keys.shape[-1])
    turning, staying = keys.split((time, 2 * space), dim=-1)
    turns = _turns(steps.to(keys.device, _exact(keys.device)), time)[:, None, None]  # [T,1,1,time/2]
    pairs = torch.view_as_complex(turning.float().unflatten(-1, (-1, 2)).contiguous())
    turned = torch.view_as_real(pairs * turns).flatten(-2)
    return torch.cat([turned.to(keys.dtype), staying], dim=-1)


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Turn each pair of neighbouring channels of x [B,S,H,head width]; float32 in any case."""
    pairs = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * rotation).flatten(-2)


def _turns(places: Tensor, width: int) -> Tensor:
    """Places [n] → [n,width/2], complex, of magnitude one."""
    rates = BASE ** -(torch.arange(0, width, 2, dtype=places.dtype, device=places.device) / width)
    angles = places[:, None] * rates
    return torch.complex(angles.cos().float(), angles.sin().float())


def _exact(device: torch.device) -> torch.dtype:
    """The finest float that the device has."""
    return torch.float32 if device.type == "mps" else torch.float64
