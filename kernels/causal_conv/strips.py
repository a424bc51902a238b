"""Norm, SiLU and causal convolution in one pass over strips of rows that stay in the processor's cache.

Channels last: a frame's pixels lie as [H,W,C]. A strip of normed rows, past frames included, is written once
and convolved at once, so no normed, padded or joined copy of the frames ever exists.

Shapes: B batch, C channels in, O channels out, T frames, H height, W width, N rows of a strip.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..onednn import convolution, weights_channels_last
from ..prepared import prepared
from . import winograd
from .naive import EPSILON

STRIP_BYTES = 10_000_000
"""Of a strip of normed rows; about twice as much goes into its products."""


@dataclass(frozen=True)
class Layer:
    """What is done to a strip."""

    gain: Tensor  # [C]
    convolve: Callable[[Tensor], Sequence[Tensor]]  # [F,N+2,W,C], overwritten or not, to T frames [N,W,O]
    bias: Tensor | None  # [O]


def norm_silu_conv3d(
    x: Tensor,
    past: Tensor | None,
    gain: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    *,
    residual: Tensor | None = None,
    overwrite: bool = False,
    tile_frames: int | None = None,
) -> tuple[Tensor, Tensor]:
    """As the naive function, plus `residual` [B,O,T,H,W].

    Args:
        past: its memory takes the next call's past.
        overwrite: put the result in x's memory where O = C.
        tile_frames: use Winograd's convolution for that many frames at a time, a divisor of T; None: direct.

    Returns:
        [B,O,T,H,W] and the past [B,C,2,H,W] of the next call, both channels last.
    """
    x = channels_last(x)
    b, t, h, w, c = x.shape
    out = x if overwrite and weight.shape[0] == c else x.new_empty(b, t, h, w, weight.shape[0])
    skip = None if residual is None else channels_last(residual)
    if past is not None:
        seen = kept = channels_last(past)
    elif t > 1:
        seen, kept = x.new_zeros(()).expand(b, 2, h, w, c), x.new_empty(b, 2, h, w, c)
    else:  # the film's first frame alone: the past is zeros, two taps see nothing
        seen, kept, weight = x[:, :0], x.new_zeros(b, 2, h, w, c), weight[:, :, 2:]
    layer = Layer(gain.flatten(), _winograd(weight, tile_frames) if tile_frames else _direct(weight), bias)
    step = tile_frames or t
    for start in range(0, t, step):
        frames = slice(start, start + step)
        for item in range(b):
            added = None if skip is None else skip[item, frames]
            film(layer, x[item, frames], seen[item], added, out[item, frames], kept[item])
        seen = kept
    return out.permute(0, 4, 1, 2, 3), kept.permute(0, 4, 1, 2, 3)


def channels_last(x: Tensor) -> Tensor:
    """[B,C,T,H,W] → contiguous [B,T,H,W,C]; no copy where x already lies so."""
    return x.permute(0, 2, 3, 4, 1).contiguous()


def norm_silu(x: Tensor, gain: Tensor, out: Tensor) -> Tensor:
    """SiLU of the RMS norm over the last axis, [...,C] with gain [C], written to `out`."""
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True).float()
    scale = norm.square_().div_(x.shape[-1]).add_(EPSILON).rsqrt_()
    torch.mul(x, scale.to(x.dtype), out=out).mul_(gain)
    return F.silu(out, inplace=True)


def film(
    layer: Layer, x: Tensor, past: Tensor, skip: Tensor | None, out: Tensor, kept: Tensor | None
) -> None:
    """Run one film's frames through a layer, strip by strip.

    Args:
        x: [T,H,W,C]. past: normed frames to put before it, [2 or 0,H,W,C].
        skip: [T,H,W,O], added to the result.
        out: [T,H,W,O], takes the result; may be x.
        kept: [2,H,W,C], takes the last normed frames; may be past.
    """
    (t, h, w, c), seen = x.shape, past.shape[0]
    rows = _rows(h, (seen + t) * w * c * x.element_size())
    strip = x.new_empty(seen + t, rows + 2, w, c)
    above = x.new_zeros(())
    for top in range(0, h, rows):
        bottom = min(top + rows, h)
        below = min(bottom + 1, h)
        n, filled = bottom - top, below - top + 1
        strip[:, 0] = above
        strip[:seen, 1:filled] = past[:, top:below]
        norm_silu(x[:, top:below], layer.gain, strip[seen:, 1:filled])
        strip[:, filled:] = 0
        if kept is not None:
            kept[-(seen + t) :, top:bottom] = strip[-2:, 1 : n + 1]
        above = strip[:, n].clone()  # normed once: x's row may be overwritten below
        for frame, made in enumerate(layer.convolve(strip)):
            result = out[frame, top:bottom]
            if layer.bias is not None:
                made += layer.bias
            if skip is None:
                result.copy_(made[:n])
            else:
                torch.add(made[:n], skip[frame, top:bottom], out=result)


def _rows(height: int, row_bytes: int) -> int:
    """Rows of a strip: whole tiles, as many as `STRIP_BYTES` hold, and even over the height."""
    tile = winograd.ROWS
    most = max(STRIP_BYTES // (row_bytes * tile), 1) * tile
    strips = -(-height // most)
    return -(-height // (strips * tile)) * tile


def _direct(weight: Tensor) -> Callable[[Tensor], Sequence[Tensor]]:
    taps = weights_channels_last(weight)

    def convolve(strip: Tensor) -> Tensor:
        made = convolution(strip.permute(3, 0, 1, 2)[None], taps, padding=(0, 0, 1))
        return made[0].permute(1, 2, 3, 0)

    return convolve


def _winograd(weight: Tensor, frames: int) -> Callable[[Tensor], Sequence[Tensor]]:
    form = ("winograd", frames)
    ready = prepared(weight, form, lambda taps: winograd.transformed_weight(taps, frames))
    return lambda strip: winograd.conv_strip(strip, ready)
