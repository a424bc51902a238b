"""Which way a picture is warped here."""

from __future__ import annotations

from types import ModuleType

import torch
from torch import Tensor

from . import naive, sampled


def warp(x: Tensor, flow: Tensor, rows: Tensor | None = None, columns: Tensor | None = None) -> Tensor:
    """Move a picture's pixels against a flow: out[p] = x[p + flow[p]], bilinear, in float32.

    Args:
        x: [N,C,H,W], of any dtype.
        flow: [N,2,h,w] in pixels, x to the right and y down.
        rows, columns: [h] and [w], where only some pixels are wanted: their positions; all by default.

    Returns:
        [N,C,h,w] float32; beyond the picture its border's pixels go on.
    """
    height, width = x.shape[2:]
    if rows is None:
        rows = torch.arange(height, device=x.device, dtype=torch.float32)
    if columns is None:
        columns = torch.arange(width, device=x.device, dtype=torch.float32)
    return path(x).warp(x, flow, rows, columns)


def path(x: Tensor) -> ModuleType:
    """The module for a picture's device: Metal's sampler knows no borders that go on."""
    return naive if x.device.type == "mps" else sampled
