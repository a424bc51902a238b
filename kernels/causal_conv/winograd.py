"""Causal 3×3×3 convolution with a quarter of the multiplications, over time and height (Winograd 1980).

F(m,3) gives m outputs of a three-tap filter from m+2 products: the inputs, the filter and the products are
taken through small fixed matrices (Lavin & Gray 2016). Time and height are transformed, width is left to an
ordinary (1,3) convolution: so every step of the transforms runs over whole rows of pixels, [W,C] floats in
one piece, and no pixel is shuffled. Over height tiles have four rows, over time four or two frames.

Exact in exact arithmetic; in float32 the relative error is about 5e-6 (direct convolution: 3e-7).

Shapes: C channels in, O channels out, T frames, N rows of output, W width.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..onednn import convolution

ROWS = 4
"""Rows of output in a tile."""

FRAMES = (4, 2)
"""Frames of output that a tile may have."""

_FILTER = {
    4: ((6, 0, 0), (-4, -4, -4), (-4, 4, -4), (1, 2, 4), (1, -2, 4), (0, 0, 24)),
    2: ((24, 0, 0), (12, 12, 12), (12, -12, 12), (0, 0, 24)),
}
"""The filter's transform, times 24: rows are products, columns the taps."""


def transformed_size(weight: Tensor, frames: int) -> int:
    """Numbers in the `transformed_weight` of [O,C,3,3,3]."""
    return weight.numel() * (frames + 2) * (ROWS + 2) // 9


def transformed_weight(weight: Tensor, frames: int) -> Tensor:
    """[O,C,3,3,3] → [frames+2,6,O,1,3,C]: a filter for each product over time and each over height."""
    over_time = torch.tensor(_FILTER[frames], dtype=torch.float64) / 24
    over_height = torch.tensor(_FILTER[ROWS], dtype=torch.float64) / 24
    out, channels = weight.shape[:2]
    made = weight.new_empty(frames + 2, ROWS + 2, out, 1, 3, channels)
    for taps, filters in zip(over_time, made, strict=True):
        flat = torch.einsum("t,octhw->ochw", taps, weight.double())
        filters[:, :, 0] = torch.einsum("jh,ochw->jowc", over_height, flat)
    return made


def conv_strip(strip: Tensor, weight: Tensor) -> list[Tensor]:
    """Convolve a strip of rows, with the row above and the row below it; overwrites `strip`.

    Args:
        strip: [T+2, N+2, W, C], T one of `FRAMES`, N a multiple of `ROWS`.
        weight: `transformed_weight` for T frames.

    Returns:
        T frames, each [N,W,O].
    """
    frames, rows = strip.shape[0] - 2, strip.shape[1] - 2
    width, out = strip.shape[2], weight.shape[2]
    planes = _forth4_in_place(strip) if frames == 4 else _forth2_in_place(strip)
    products = strip.new_empty(frames + 2, rows, width, out)
    for plane, filters, product in zip(planes, weight, products, strict=True):
        _conv_rows(plane, filters, product)
    spare = torch.empty_like(products[0])
    if frames == 4:
        targets = [products[0], products[4], spare, products[5]]  # each read for the last time before
        _back4(products, targets, spare)
        return targets
    return _back2_in_place(products)


def _conv_rows(plane: Tensor, filters: Tensor, target: Tensor) -> None:
    """Convolve one plane [N+2,W,C] over height and width with [6,O,1,3,C] into `target` [N,W,O]."""
    tiles = target.shape[0] // ROWS
    rows = [plane[k : k + ROWS * (tiles - 1) + 1 : ROWS] for k in range(ROWS + 2)]  # each [N/4, W, C]
    turned = plane.new_empty(ROWS + 2, *rows[0].shape)
    spare = (torch.empty_like(rows[0]), torch.empty_like(rows[0]))
    _forth4(rows, turned, spare)
    products = [
        convolution(row.permute(2, 0, 1)[None], taps.permute(0, 3, 1, 2), padding=(0, 1))[0].permute(1, 2, 0)
        for row, taps in zip(turned, filters, strict=True)
    ]
    split = target.unflatten(0, (tiles, ROWS))
    _back4(products, split.unbind(1), torch.empty_like(products[0]))


def _forth4(d: Sequence[Tensor], v: Sequence[Tensor], spare: Sequence[Tensor]) -> None:
    """Six inputs to the six factors of a tile of four outputs; v may be d in the order 0, 3, 4, 1, 2, 5."""
    even, odd = spare
    torch.sub(d[4], d[2], out=even)
    torch.sub(d[3], d[1], out=odd)
    torch.sub(d[0], d[2], out=v[0])
    torch.add(even, v[0], alpha=4, out=v[0])  # 4 d0 − 5 d2 + d4
    torch.sub(d[5], d[3], out=v[5])
    v[5].sub_(odd, alpha=4)  # 4 d1 − 5 d3 + d5
    torch.sub(even, d[2], alpha=3, out=v[1])
    torch.sub(odd, d[1], alpha=3, out=v[3])
    torch.sub(v[1], v[3], out=v[2])  # (d4 − 4 d2) − (d3 − 4 d1)
    v[1].add_(v[3])
    torch.add(even, odd, alpha=2, out=v[3])  # (d4 − d2) + 2 (d3 − d1)
    torch.sub(even, odd, alpha=2, out=v[4])


def _forth4_in_place(d: Tensor) -> list[Tensor]:
    v = [d[k] for k in (0, 3, 4, 1, 2, 5)]
    _forth4(d, v, (torch.empty_like(d[0]), torch.empty_like(d[0])))
    return v


def _back4(m: Sequence[Tensor], y: Sequence[Tensor], spare: Tensor) -> None:
    """Six products to the tile's four outputs; overwrites m, and y may be m0, m4, spare, m5."""
    torch.add(m[1], m[2], out=spare)
    m[1].sub_(m[2])
    torch.add(m[3], m[4], out=m[2])
    m[3].sub_(m[4])
    torch.add(m[0], spare, out=y[0]).add_(m[2])
    torch.add(m[1], m[3], alpha=2, out=y[1])
    torch.add(spare, m[2], alpha=4, out=y[2])
    torch.add(m[5], m[1], out=y[3]).add_(m[3], alpha=8)


def _forth2_in_place(d: Tensor) -> list[Tensor]:
    """Four inputs to the four factors of a tile of two outputs."""
    total = d[1] + d[2]
    d[0].sub_(d[2])
    d[3].sub_(d[1])
    d[2].sub_(d[1])
    return [d[0], total, d[2], d[3]]


def _back2_in_place(m: Tensor) -> list[Tensor]:
    """Four products to the tile's two outputs."""
    m[0].add_(m[1]).add_(m[2])
    m[3].add_(m[1]).sub_(m[2])
    return [m[0], m[3]]
