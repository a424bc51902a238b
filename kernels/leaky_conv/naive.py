"""A convolution and a leaky ReLU: the readable reference."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def leaky_conv2d(
    x: Tensor, weight: Tensor, bias: Tensor, stride: int = 1, groups: int = 1, slope: float = 0.2
) -> Tensor:
    """Convolve [N,C,H,W] with [O,C/groups,k,k] (k odd, zeros around); negatives come out times `slope`."""
    made = F.conv2d(x, weight, bias, stride, weight.shape[-1] // 2, groups=groups)
    return F.leaky_relu_(made, slope)
