"""oneDNN's convolution, without PyTorch's choice of a slower one for small inputs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .prepared import prepared


def convolution(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    padding: Sequence[int],
    stride: Sequence[int] = (),
) -> Tensor:
    """Convolve [N,C,…] with [O,C,…] over two or three axes, on a processor for which `fast_cpu` allows it.

    For few channels, frames and rows `torch.conv3d` unrolls its input into a matrix instead, which takes up
    to six times as long. A channels-last x gives a channels-last result.
    """
    axes = x.dim() - 2
    return torch.mkldnn_convolution(x, weight, bias, padding, stride or (1,) * axes, (1,) * axes, 1)


def weights_channels_last(weight: Tensor) -> Tensor:
    """[O,C,…] laid out as a channels-last convolution wants it, which else it does itself at every call.

    Kept for bfloat16, where that takes a fifth of a convolution's time; in float32 it is quick, and the
    copies would be large.
    """
    layout = torch.channels_last if weight.dim() == 4 else torch.channels_last_3d
    if weight.dtype == torch.float32:
        return weight.contiguous(memory_format=layout)
    return prepared(weight, layout, lambda taps: taps.contiguous(memory_format=layout))
