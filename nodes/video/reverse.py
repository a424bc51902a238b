"""A video played backwards in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from .recipe import Frame, Recipe, VideoSpec
from .sound import PIECE, exactly, sample_at

if TYPE_CHECKING:
    import numpy as np

BUFFER_BYTES = 96 * 2**20
"""Pictures held at a time: each stretch is decoded from the key frame before it, so longer is faster."""


@dataclass(frozen=True)
class Reverse(Recipe):
    """The source from its end to its start, picture and sound."""

    source: Recipe

    @property
    def spec(self) -> VideoSpec:
        return self.source.spec

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        duration = self.spec.duration
        end, stop = duration - start, None
        while end > 0:
            begin = max(Fraction(0), end - self._stretch)
            held, following = _stretch_of(self.source, begin, end)
            if stop is None:
                stop = following or duration
            for image, time in reversed(held):
                yield Frame(image, duration - stop)
                stop = time
            end = begin

    @property
    def _stretch(self) -> Fraction:
        """Seconds decoded at a time."""
        from av import VideoFormat

        spec = self.spec
        bits = sum(
            component.width * component.height * (8 if component.bits <= 8 else 16)
            for component in VideoFormat(spec.pixel_format, spec.width, spec.height).components
        )
        return max(4, BUFFER_BYTES * 8 // bits) / spec.fps

    def audio(self, start: Fraction = Fraction(0)) -> Iterator[np.ndarray]:
        import numpy as np

        sound = self.spec.audio
        if sound is None:
            return
        end = sample_at(self.spec.duration, sound.sample_rate) - sample_at(start, sound.sample_rate)
        while end > 0:
            begin = max(0, end - 32 * PIECE)
            pieces = exactly(
                self.source.audio(Fraction(begin, sound.sample_rate)), sound.channels, end - begin
            )
            yield np.concatenate(list(pieces), axis=1)[:, ::-1]
            end = begin

    def fingerprint(self) -> str:
        return f"reverse({self.source.fingerprint()})"

    @property
    def notes(self) -> tuple[str, ...]:
        return self.source.notes


def _stretch_of(source: Recipe, begin: Fraction, end: Fraction) -> tuple[list[Frame], Fraction | None]:
    """The frames that start within [begin, end), and the start of the one after them, if any."""
    held = []
    for frame in source.frames(begin):
        if frame.time >= end:
            return held, frame.time
        if frame.time >= begin:
            held.append(frame)
    return held, None
