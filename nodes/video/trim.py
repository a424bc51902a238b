"""A stretch of a video, exact to the frame and the sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from .recipe import Frame, Recipe, VideoError, VideoSpec
from .sound import exactly, sample_at

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Trim(Recipe):
    """The part of a video from `start` to `end` seconds.

    The picture on screen at `start` is the first frame, and one that begins at `end` is left out. At a
    constant rate both ends fall on whole frames: `round(time * fps)`.

    start: seconds; negative counts from the end.
    end: seconds; negative counts from the end, None is the end. Beyond the end it is the end.

    Raises:
        VideoError: nothing would be left.
    """

    source: Recipe
    start: Fraction = Fraction(0)
    end: Fraction | None = None

    def __post_init__(self) -> None:
        begin, end = self.window
        if begin >= end:
            length = float(self.source.spec.duration)
            raise VideoError(
                f"nothing is left between {float(self.start):g} s and "
                f"{'the end' if self.end is None else f'{float(self.end):g} s'} of a video of {length:g} s; "
                "choose a start before the end and inside the video"
            )

    @classmethod
    def of_frames(cls, source: Recipe, first: int, count: int | None = None) -> Trim:
        """`count` frames from number `first` on (0 is the first), by the video's average rate."""
        fps = source.spec.fps
        return cls(source, first / fps, None if count is None else (first + count) / fps)

    @property
    def window(self) -> tuple[Fraction, Fraction]:
        """Begin and end in the source's seconds, on whole frames where its rate is constant."""
        spec = self.source.spec
        return self._placed(self.start, spec), self._placed(self.end, spec)

    def _placed(self, time: Fraction | None, spec: VideoSpec) -> Fraction:
        if time is None:
            return spec.duration
        time = Fraction(time) + (spec.duration if time < 0 else 0)
        if not spec.variable_rate:
            time = round(time * spec.fps) / spec.fps
        return min(max(time, Fraction(0)), spec.duration)

    @cached_property
    def spec(self) -> VideoSpec:
        whole = self.source.spec
        begin, end = self.window
        return replace(
            whole,
            duration=end - begin,
            frame_count=max(1, round((end - begin) * whole.fps)),
            exact_count=whole.exact_count and not whole.variable_rate,
        )

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        begin, end = self.window
        for frame in self.source.frames(begin + start):
            if frame.time >= end:
                return
            yield Frame(frame.image, max(frame.time - begin, Fraction(0)))

    def audio(self, start: Fraction = Fraction(0)) -> Iterator[np.ndarray]:
        sound = self.spec.audio
        if sound is None:
            return
        begin, end = self.window
        wanted = sample_at(end - begin, sound.sample_rate) - sample_at(start, sound.sample_rate)
        yield from exactly(self.source.audio(begin + start), sound.channels, wanted)

    def fingerprint(self) -> str:
        return f"trim({self.source.fingerprint()}, {self.start}, {self.end})"

    @property
    def notes(self) -> tuple[str, ...]:
        return self.source.notes
