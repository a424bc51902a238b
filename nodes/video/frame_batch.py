"""Chosen frames of a video as tensors, with the memory they need told beforehand."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from .pixels import Converter, bit_depth, has_alpha, rgb_format
from .recipe import Recipe, VideoError
from .trim import Trim

if TYPE_CHECKING:
    import torch

MEGABYTE = 1_000_000


def every_nth(spec_count: int, stride: int) -> int:
    """How many frames are left of `spec_count` when every `stride`-th is kept, the first included."""
    return -(-spec_count // stride)


def stretch(recipe: Recipe, start: Fraction, count: int, stride: int) -> Trim:
    """The part of a video that `count` frames from `start` seconds on, every `stride`-th, come from.

    Args:
        count: 0 is all to the end.
    """
    length = count * stride / recipe.spec.fps if count else None
    return Trim(recipe, start, None if length is None else start + length)


def check_memory(shape: tuple[int, int, int, int], limit_mb: int, remedy: str) -> None:
    """Refuse a batch of float32 images [B, H, W, C] larger than `limit_mb` megabytes.

    Raises:
        VideoError: tells the size, the limit and the remedy.
    """
    frames, height, width, _ = shape
    size = math.prod(shape) * 4 / MEGABYTE
    if size > limit_mb:
        raise VideoError(
            f"{frames} images of {width} x {height} take {size:,.0f} MB of at most {limit_mb:,}; {remedy}"
        )


def frame_batch(
    recipe: Recipe, stride: int, limit_mb: int, tick: Callable[[int], None] = lambda frames: None
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Every `stride`-th frame of a video as tensors.

    Frames wait in their 8 or 16 bits, so the peak is 1.3 (8 bit) or 1.5 times the result.

    Args:
        limit_mb: megabytes that the result may take.
        tick: called with 1 after each frame kept and 0 after one passed over.

    Returns:
        images float32 [B, H, W, 3] in 0..1, and alpha [B, H, W] where the video has any.

    Raises:
        VideoError: the result would pass the limit, or there is no frame.
    """
    import numpy as np
    import torch

    spec = recipe.spec
    pixel_format = rgb_format(spec.pixel_format)
    alpha = has_alpha(pixel_format)
    shape = (every_nth(spec.frame_count, stride), spec.height, spec.width, 3 + alpha)
    check_memory(shape, limit_mb, "take fewer frames, resize the video first, or raise the limit")
    to_rgb = Converter(pixel_format=pixel_format)
    kept = []
    for index, frame in enumerate(recipe.frames()):
        wanted = index % stride == 0
        if wanted:
            kept.append(to_rgb(frame.image).to_ndarray(format=pixel_format))
        tick(int(wanted))
    if not kept:
        raise VideoError("the video has no frame in this stretch; choose an earlier start")
    peak = 255 if bit_depth(pixel_format) == 8 else 65535
    batch = torch.empty((len(kept), spec.height, spec.width, 3 + alpha))
    for index, picture in enumerate(kept):
        batch[index] = torch.from_numpy(picture.astype(np.float32)).div_(peak)
    return batch[..., :3], batch[..., 3] if alpha else None
