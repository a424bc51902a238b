"""A video several times over."""

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
class Loop(Recipe):
    """The source `times` times, one after the other."""

    source: Recipe
    times: int

    def __post_init__(self) -> None:
        if self.times < 1:
            raise VideoError(f"a loop needs at least one turn, got {self.times}")

    @cached_property
    def spec(self) -> VideoSpec:
        once = self.source.spec
        return replace(once, frame_count=once.frame_count * self.times, duration=once.duration * self.times)

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        once = self.source.spec.duration
        for turn in range(int(start / once), self.times):
            begun = turn * once
            for image, time in self.source.frames(max(Fraction(0), start - begun)):
                yield Frame(image, begun + time)

    def audio(self, start: Fraction = Fraction(0)) -> Iterator[np.ndarray]:
        spec, once = self.spec, self.source.spec.duration
        if spec.audio is None:
            return
        rate = spec.audio.sample_rate
        for turn in range(int(start / once), self.times):
            begin = max(start, turn * once)
            wanted = sample_at((turn + 1) * once, rate) - sample_at(begin, rate)
            yield from exactly(self.source.audio(begin - turn * once), spec.audio.channels, wanted)

    def fingerprint(self) -> str:
        return f"loop({self.source.fingerprint()}, {self.times})"

    @property
    def notes(self) -> tuple[str, ...]:
        return self.source.notes
