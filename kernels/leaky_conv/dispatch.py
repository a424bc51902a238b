"""Which way a convolution with a leaky ReLU is computed here."""

from __future__ import annotations

from types import ModuleType

import torch
from torch import Tensor

from ..fast_cpu import refusal
from . import naive, packed

NEEDED = ("_convolution_pointwise", "_reorder_convolution_weight")
"""What a PyTorch must have of oneDNN's; they are private and may go."""


def leaky_conv2d(
    x: Tensor, weight: Tensor, bias: Tensor, stride: int = 1, groups: int = 1, slope: float = 0.2
) -> Tensor:
    """Convolve and let negatives through times `slope`.

    Args:
        x: [N,C,H,W]. weight: [O,C/groups,k,k], k odd. bias: [O].

    Returns:
        [N,O,⌈H/stride⌉,⌈W/stride⌉].
    """
    return path(x, weight).leaky_conv2d(x, weight, bias, stride, groups, slope)


def path(x: Tensor, weight: Tensor) -> ModuleType:
    """The module to take: oneDNN's own where it may be called and x lies channels last."""
    if refusal(x, weight) or not x.is_contiguous(memory_format=torch.channels_last):
        return naive
    return packed if all(hasattr(torch.ops.mkldnn, name) for name in NEEDED) else naive
