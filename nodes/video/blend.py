"""Two pictures mixed by weight, in whatever format they are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .pixels import bit_depth, copy_colour, samples_of

if TYPE_CHECKING:
    import av


def blended(first: av.VideoFrame, second: av.VideoFrame, weight: float) -> av.VideoFrame:
    """`first * (1 - weight) + second * weight`, sample by sample.

    Args:
        first, second: frames of one size and format (8-bit, or deeper formats stored in 16 bits).
        weight: 0..1.
    """
    import numpy as np
    from av import VideoFrame

    if weight <= 0 or weight >= 1:
        return second if weight >= 1 else first
    made = VideoFrame(first.width, first.height, first.format.name)
    kind = np.uint8 if bit_depth(first.format.name) == 8 else np.uint16
    share = round(weight * 256)
    for a, b, mixed in zip(first.planes, second.planes, made.planes, strict=True):
        one, other, out = (samples_of(plane, kind) for plane in (a, b, mixed))
        width = min(row.shape[1] for row in (one, other, out))
        wide = np.uint16 if kind is np.uint8 else np.uint32
        total = one[:, :width].astype(wide)
        total *= 256 - share
        total += other[:, :width].astype(wide) * wide(share)
        total += 128
        total >>= 8
        out[:, :width] = total
    return copy_colour(first, made)
