"""How much a picture differs from the one before it, in hue, saturation and brightness."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

HALF_TURN = 90
"""Hue goes round in 180 steps, so two hues are never further apart than this."""


def content_scores(pictures: Iterable[np.ndarray]) -> Iterator[float]:
    """The content score of each picture against the one before it; 0 for the first.

    The score is the mean over pixels of the change in hue (0..90, the short way round), saturation
    (0..255) and brightness (0..255), averaged over the three. A still scores 0, a hard cut 30 to 100.

    Args:
        pictures: uint8 RGB [H, W, 3], all of one size.
    """
    import numpy as np

    before = None
    for picture in pictures:
        now = _hsv(picture)
        if before is None:
            yield 0.0
        else:
            change = np.abs(now - before)
            np.minimum(change[0], 2 * HALF_TURN - change[0], out=change[0])
            yield float(change.mean())
        before = now


def _hsv(picture: np.ndarray) -> np.ndarray:
    """uint8 RGB [H, W, 3] to float32 [3, H, W]: hue 0..180, saturation and value 0..255."""
    import numpy as np

    red, green, blue = picture.transpose(2, 0, 1).astype(np.float32)
    value = np.maximum(np.maximum(red, green), blue)
    chroma = value - np.minimum(np.minimum(red, green), blue)
    safe = np.maximum(chroma, 1)
    sixth = np.where(
        value == red,
        (green - blue) / safe,
        np.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    return np.stack([30 * sixth % 180, 255 * chroma / np.maximum(value, 1), value])
