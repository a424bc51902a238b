"""Picture files and tensors: what core's image nodes compute."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch
    from PIL import Image

NO_ALPHA_MASK = (64, 64)  # core's size of the empty mask of a picture without transparency


def read_pictures(path: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Every frame of a still or animated picture, turned upright as its EXIF data say.

    Returns:
        IMAGE [B, H, W, 3] float32 0..1, and MASK [B, H, W], 1 where the picture is transparent.

    Raises:
        ValueError: the file is not a picture, or is cut short.
    """
    import numpy as np
    import torch
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            frames = list(_same_sized_frames(picture))
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(
            f"{path.name} cannot be read as a picture ({error}); save it again as PNG"
        ) from error
    images = torch.from_numpy(np.stack([_rgb(frame) for frame in frames]))
    masks = torch.from_numpy(np.stack([_transparency(frame) for frame in frames]))
    return images, masks


def _same_sized_frames(picture: Image.Image) -> Iterator[Image.Image]:
    from PIL import ImageOps, ImageSequence

    size = None
    for frame in ImageSequence.Iterator(picture):
        upright = ImageOps.exif_transpose(frame)
        size = size or upright.size
        if upright.size == size:
            yield upright.copy()
        else:
            logging.warning(
                "%s: a frame of %s is left out, the first is %s", picture.filename, upright.size, size
            )
        if picture.format == "MPO":  # a camera's main picture, followed by its thumbnails
            return


def _rgb(picture: Image.Image) -> np.ndarray:
    import numpy as np

    if picture.mode.startswith("I"):  # 16 bits per pixel, grey
        grey = np.asarray(picture).astype(np.float32) / 65535
        return np.repeat(grey[..., None].clip(0, 1), 3, axis=2)
    return np.asarray(picture.convert("RGB")).astype(np.float32) / 255


def _transparency(picture: Image.Image) -> np.ndarray:
    import numpy as np

    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return np.zeros(NO_ALPHA_MASK, np.float32)
    alpha = picture.convert("RGBA").getchannel("A")
    return 1 - np.asarray(alpha).astype(np.float32) / 255


def plain_color(color: int, height: int, width: int, count: int) -> torch.Tensor:
    """IMAGE [count, height, width, 3] filled with a colour given as 0xRRGGBB."""
    import torch

    channels = [(color >> shift & 0xFF) / 255 for shift in (16, 8, 0)]
    return torch.tensor(channels).expand(count, height, width, 3).clone()


def size_for(image: torch.Tensor, width: int, height: int) -> tuple[int, int]:
    """The wanted (width, height) in pixels, a 0 replaced by what keeps the picture's proportions."""
    _, rows, columns, _ = image.shape
    if width == 0 and height == 0:
        return columns, rows
    if width == 0:
        return max(1, round(columns * height / rows)), height
    if height == 0:
        return width, max(1, round(rows * width / columns))
    return width, height
