"""The frames of a video as the pixels that autoencoders take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import torch
from torch import Tensor

from ..video.pixels import Converter, images_of_frames, opaque_format, rgb_format
from ..video.recipe import Recipe


def pulled_pixels(recipe: Recipe, count: int, tick: Callable[[int], None]) -> Iterator[Tensor]:
    """Pull a video `count` frames at a time.

    Transparency is dropped: what lies under it shows.

    Args:
        tick: called with the number of frames just given out.

    Yields:
        [1, 3, t, H, W] float in −1..1.
    """
    to_rgb = Converter(pixel_format=opaque_format(rgb_format(recipe.spec.pixel_format)))
    frames = recipe.frames()
    while images := [to_rgb(frame.image) for frame in islice(frames, count)]:
        pixels: torch.Tensor = images_of_frames(images).mul_(2).sub_(1)
        yield pixels.permute(3, 0, 1, 2)[None]
        tick(len(images))
