"""Which way a doubling followed by a convolution is computed here."""

from __future__ import annotations

from torch import Tensor

from ..fast_cpu import refusal
from . import naive, phases


def upsample_conv2d(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Double x [N,C,H,W] and convolve with weight [O,C,3,3] and bias [O] → [N,O,2H,2W]."""
    path = naive if refusal(x, weight) else phases
    return path.upsample_conv2d(x, weight, bias)
