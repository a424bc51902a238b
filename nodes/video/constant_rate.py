"""Any video at a constant frame rate, by the nearest frame or a blend of two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from .blend import blended
from .recipe import Frame, Recipe, VideoError, VideoSpec
from .sound import exactly, sample_at

if TYPE_CHECKING:
    import av
    import numpy as np

METHODS = ("nearest", "blend")


@dataclass(frozen=True)
class SteadyRate(Recipe):
    """`round(duration * fps)` frames, at least one, each at `index / fps`; the sound follows.

    fps: frames per second.
    """

    source: Recipe
    fps: Fraction

    def __post_init__(self) -> None:
        if self.fps <= 0:
            raise VideoError(f"a frame rate must be above 0, got {float(self.fps):g}")

    @cached_property
    def spec(self) -> VideoSpec:
        count = max(1, round(self._length * self.fps))
        return replace(
            self.source.spec,
            fps=self.fps,
            frame_count=count,
            duration=count / self.fps,
            exact_count=True,
            variable_rate=False,
        )

    @property
    def _length(self) -> Fraction:
        """Seconds to fill with frames."""
        return self.source.spec.duration

    @property
    def _last_instant(self) -> Fraction:
        """A time at which the source still shows its last frame."""
        whole = self.source.spec
        return max(Fraction(0), whole.duration - 1 / (2 * whole.fps))

    def audio(self, start: Fraction = Fraction(0)) -> Iterator[np.ndarray]:
        spec = self.spec
        if spec.audio is None:
            return
        rate = spec.audio.sample_rate
        wanted = max(0, sample_at(spec.duration, rate) - sample_at(start, rate))
        yield from exactly(self._sound(start), spec.audio.channels, wanted)

    def _sound(self, start: Fraction) -> Iterator[np.ndarray]:
        """What is heard from `start` on; its end need not be exact."""
        return self.source.audio(start)

    @property
    def notes(self) -> tuple[str, ...]:
        return self.source.notes


@dataclass(frozen=True)
class ConstantRate(SteadyRate):
    """Any video at a steady rate, made of its own frames.

    method: "nearest" repeats or drops frames; "blend" mixes the frames before and after each instant by
        how near they are.
    """

    method: str = "nearest"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.method not in METHODS:
            raise VideoError(f"cannot change the rate by {self.method!r}; choose one of {', '.join(METHODS)}")

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        index = max(0, int(start * self.fps))
        last = self.spec.frame_count - 1
        if index > last:
            return
        around = _neighbours(self.source, min(index / self.fps, self._last_instant))
        before, after = next(around)
        for position in range(index, last + 1):
            time = position / self.fps
            while after is not None and after.time <= time:
                before, after = next(around)
            yield Frame(self._at(time, before, after), time)

    def _at(self, time: Fraction, before: Frame, after: Frame | None) -> av.VideoFrame:
        if after is None:
            return before.image
        share = (time - before.time) / (after.time - before.time)
        if self.method == "blend":
            return blended(before.image, after.image, float(share))
        return after.image if share > Fraction(1, 2) else before.image

    def fingerprint(self) -> str:
        return f"rate({self.source.fingerprint()}, {self.fps}, {self.method})"


def _neighbours(source: Recipe, start: Fraction) -> Iterator[tuple[Frame, Frame | None]]:
    """Each frame and the one after it, from the one on screen at `start`; None follows the last."""

    def then_none() -> Iterator[Frame | None]:
        yield from source.frames(start)
        yield None

    return pairwise(then_none())
