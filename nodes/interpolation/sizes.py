"""Bilinear resizing by whole factors, as flow networks with levels do it: pixels' centres stay in place."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def shrunk(x: Tensor, level: float) -> Tensor:
    """[N,C,H,W] → [N,C,H/level,W/level]; below level 1 it grows.

    Above, `level` is even, and a pixel is the mean of the 2 × 2 in the middle of those it stands for.
    """
    if level == 1:
        return x
    if level < 1:
        return F.interpolate(x, scale_factor=1 / level, mode="bilinear")
    middle = level // 2  # adding slices takes a quarter of the time of interpolating
    rows = x[..., middle - 1 :: level, :] + x[..., middle::level, :]
    return (rows[..., middle - 1 :: level] + rows[..., middle::level]).mul_(0.25)


def enlarged(x: Tensor, level: float) -> Tensor:
    """[N,C,H,W] → [N,C,H·level,W·level]; below level 1 it shrinks."""
    return x if level == 1 else F.interpolate(x, scale_factor=level, mode="bilinear")


def resized(x: Tensor, level: float, wanted: float) -> Tensor:
    """From one level to another, as by enlarging to level 1 and shrinking again; for levels from 1 on."""
    return enlarged(x, level / wanted) if level >= wanted else shrunk(x, int(wanted / level))
