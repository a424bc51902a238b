"""How much each frame of a film differs from the one before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, pairwise, tee
from typing import TYPE_CHECKING, NamedTuple

from ..video.content_score import content_scores
from ..video.recipe import Frame

if TYPE_CHECKING:
    import numpy as np

BLOCK = 8
"""Pixels of a small picture: a mouth that moves in a still face fills one block, not the mean of all."""


class Change(NamedTuple):
    """From the frame before to this one.

    content: the content score (see `nodes.video.content_score`), 30 to 100 at a hard cut.
    largest: mean absolute difference, in levels of 0..255, of the block of 8 × 8 pixels that differs most.
    """

    content: float
    largest: float


def with_changes(
    frames: Iterable[Frame], small: Callable[[Frame], np.ndarray]
) -> Iterator[tuple[Frame, Change | None]]:
    """Each frame with its change; None with the first.

    Args:
        small: a frame as a small picture, uint8 RGB [H, W, 3]; every frame's once, in order.
    """
    given, shown = tee(frames)
    pictures, again = tee(map(small, shown))
    changes = map(Change, content_scores(pictures), largest_changes(again))
    for index, (frame, change) in enumerate(zip(given, changes, strict=True)):
        yield frame, change if index else None


def largest_changes(pictures: Iterable[np.ndarray]) -> Iterator[float]:
    """`Change.largest` of each picture against the one before it; 0 for the first."""
    import numpy as np

    pictures = iter(pictures)
    first = next(pictures, None)
    if first is None:
        return
    yield 0.0
    rows, columns = (range(0, side, BLOCK) for side in first.shape[:2])
    height, width = (np.diff([*range(0, side, BLOCK), side]) for side in first.shape[:2])
    samples = 3 * height[:, None] * width
    for before, now in pairwise(chain([first], pictures)):
        difference = np.abs(now.astype(np.int16) - before).sum(2)
        sums = np.add.reduceat(np.add.reduceat(difference, rows, 0), columns, 1)
        yield float((sums / samples).max())
