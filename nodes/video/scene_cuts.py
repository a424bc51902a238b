"""Scene cuts: small pictures of a video go through a method, its cuts become spans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, Protocol

from .pixels import Converter
from .reader_thread import read_ahead
from .recipe import Recipe, VideoSpec
from .spans import Span, Spans

if TYPE_CHECKING:
    import numpy as np

NODE = "KinoSceneCuts"
DETECTION_WIDTH = 256
"""Pixels; wide enough for colour statistics, and ten times cheaper than the full picture."""


class Cut(NamedTuple):
    """A new scene begins at frame `index` (from 0); `score` is in the method's own unit."""

    index: int
    score: float


class CutMethod(Protocol):
    """What a file in `methods/` registers under `KinoSceneCuts`."""

    def picture_size(self, spec: VideoSpec) -> tuple[int, int]:
        """Width and height, in pixels, of the pictures it wants to see."""

    def cuts(self, pictures: Iterable[np.ndarray]) -> Iterable[Cut]:
        """Cuts in order. Pictures are uint8 RGB [H, W, 3], every frame once, read as a stream."""


@dataclass(frozen=True)
class SceneCuts:
    """The scenes, and the cuts that were dropped because a scene would have been too short."""

    scenes: Spans
    dropped: list[Fraction] = field(default_factory=list)


def detection_size(spec: VideoSpec) -> tuple[int, int]:
    """Width and height of the picture at most `DETECTION_WIDTH` wide, its shape kept."""
    width = min(DETECTION_WIDTH, spec.width)
    return width, max(1, round(spec.height * width / spec.width))


def find_scenes(
    recipe: Recipe, method: CutMethod, min_length: Fraction, tick: Callable[[int], None] = lambda frames: None
) -> SceneCuts:
    """Split a video at its cuts; the scenes follow each other without gaps.

    Args:
        recipe: pulled once, frame by frame; nothing but small pictures is held.
        method: finds the cuts.
        min_length: seconds; a cut that would end its scene earlier is dropped. The last scene may be shorter.
        tick: called with the number of frames just read.
    """
    times: list[Fraction] = []
    cuts = list(method.cuts(_pictures(recipe, method.picture_size(recipe.spec), times, tick)))
    duration = max(recipe.spec.duration, times[-1]) if times else recipe.spec.duration
    starts, dropped = [(Fraction(0), 0.0)], []
    for index, score in cuts:
        time = times[index]
        if time - starts[-1][0] < min_length:
            dropped.append(time)
        else:
            starts.append((time, score))
    ends = [start for start, _ in starts[1:]] + [duration]
    spans = [
        Span(start, end, f"scene {number}", score)
        for number, ((start, score), end) in enumerate(zip(starts, ends, strict=True))
    ]
    return SceneCuts(Spans(tuple(spans), duration), dropped)


def _pictures(
    recipe: Recipe, size: tuple[int, int], times: list[Fraction], tick: Callable[[int], None]
) -> Iterator[np.ndarray]:
    """Small pictures, decoded while the method looks at those before; their times are noted on the way."""
    with closing(read_ahead(_small(recipe, size))) as pictures:
        for picture, time in pictures:
            times.append(time)
            yield picture
            tick(1)


def _small(recipe: Recipe, size: tuple[int, int]) -> Iterator[tuple[np.ndarray, Fraction]]:
    to_small = Converter(*size, "rgb24", "area")
    for image, time in recipe.frames():
        yield to_small(image).to_ndarray(), time
