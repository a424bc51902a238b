"""One picture of matched lines for each frame between two key frames, so that every line has one way to go.

Source: Zhu et al. 2024, "Generative Inbetweening through Frame-wise Conditions-Driven Video Generation".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from .curves import progress
from .picture_matches import Matched
from .strokes import colours, paint, picture


class Sized(Protocol):
    """An array or a tensor."""

    shape: tuple[int, ...]


def refuse_unless_alike(start: Sized, end: Sized) -> None:
    """Raise where two pictures [H,W,C] differ in size.

    Raises:
        ValueError: naming both sizes.
    """
    (high, wide), (other_high, other_wide) = start.shape[:2], end.shape[:2]
    if (high, wide) != (other_high, other_wide):
        raise ValueError(
            f"the start picture is {wide}x{high} pixels and the end picture {other_wide}x{other_high}; "
            "resize one to the other"
        )


def paired_ends(found: Matched) -> Matched:
    """The same pairs, with each second segment's ends in the order that moves them least in all."""
    turned = found.second[:, ::-1]
    straight, crossed = (
        np.linalg.norm(found.first - second, axis=2).sum(axis=1) for second in (found.second, turned)
    )
    return Matched(found.first, np.where((crossed < straight)[:, None, None], turned, found.second))


def condition_frames(
    found: Matched, frames: int, curve: str, size: tuple[int, int], thickness: float
) -> Iterator[np.ndarray]:
    """Matched segments on their way, each in a colour of its own on black.

    Args:
        found: segments of both key frames, in pixels; points are segments of no length.
        frames: how many, key frames included.
        curve: one of `curves.CURVES`.
        size: height and width in pixels.
        thickness: of lines, or diameter of points, in pixels.

    Yields:
        float32 [H,W,3]; the first and the last hold the segments as they were found.
    """
    first, second = paired_ends(found)
    shades = colours(len(first))
    for t in progress(curve, frames):
        near, way = (first, t) if t <= 0.5 else (second, t - 1)  # exact at both ends
        yield picture(paint(near + way * (second - first), *size, thickness), shades)


def overlaid(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Two pictures [H,W,3] on black: where the upper one has ink, it hides the lower one."""
    return np.where((above > 0).any(axis=-1, keepdims=True), above, below)
