"""Doubling and 3×3 convolution as four 2×2 convolutions at the low resolution: 4/9 of the multiplications.

After doubling, two of the three taps of a row fall on the same pixel, so they are one tap with the weights'
sum. Which two depends on whether the output's row is even or odd; the same goes for columns.

Shapes: N pictures, C channels in, O channels out, H height, W width.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..onednn import convolution
from ..prepared import prepared

_SUMS = (((1, 0, 0), (0, 1, 1)), ((1, 1, 0), (0, 0, 1)))
"""By phase, even and odd: which of three taps each of two is the sum of."""


def upsample_conv2d(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """As the naive function, one picture at a time; the result lies channels last."""
    n, _, h, w = x.shape
    phases = prepared(weight, "phases", phase_weights)
    out = x.new_empty(n, 2 * h, 2 * w, weight.shape[0])
    for picture, target in zip(x, out, strict=True):
        for down in (0, 1):
            for across in (0, 1):
                taps = phases[down, across].permute(0, 3, 1, 2)
                made = convolution(picture[None], taps, bias, padding=(1, 1))[0]  # [O,H+1,W+1]
                window = made[:, down : down + h, across : across + w]
                target[down::2, across::2] = window.permute(1, 2, 0)
    return out.permute(0, 3, 1, 2)


def phase_weights(weight: Tensor) -> Tensor:
    """[O,C,3,3] → [2,2,O,2,2,C]: by the phase of the row and of the column, channels last."""
    sums = torch.tensor(_SUMS, dtype=torch.float32)
    made = torch.einsum("pih,qjw,ochw->pqoijc", sums, sums, weight.float())
    return made.to(weight.dtype).contiguous()
