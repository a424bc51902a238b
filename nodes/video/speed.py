"""A video played faster or slower, its sound at the same pitch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from .recipe import Frame, Recipe, VideoError, VideoSpec
from .sound import exactly, filtered, sample_at, silence

if TYPE_CHECKING:
    import numpy as np


RUN_OUT = Fraction(1, 4)
"""Seconds that every step of a change of tempo may hold back."""
EARLY = Fraction(3, 8)
"""Of its window, how much too early atempo places what it slows to a half. It lays windows by their
beginnings, which makes a half; that it looks around for matching waveforms takes some back (measured)."""


@dataclass(frozen=True)
class Speed(Recipe):
    """Every frame of the source, `factor` times as fast: 2 halves the duration and doubles the rate."""

    source: Recipe
    factor: Fraction

    def __post_init__(self) -> None:
        if not Fraction(1, 100) <= self.factor <= 100:
            raise VideoError(f"a speed must be 0.01 to 100 times, got {float(self.factor):g}")

    @cached_property
    def spec(self) -> VideoSpec:
        whole = self.source.spec
        return replace(whole, fps=whole.fps * self.factor, duration=whole.duration / self.factor)

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        for image, time in self.source.frames(start * self.factor):
            yield Frame(image, time / self.factor)

    def audio(self, start: Fraction = Fraction(0)) -> Iterator[np.ndarray]:
        spec = self.spec
        if spec.audio is None:
            return
        rate = spec.audio.sample_rate
        wanted = max(0, sample_at(spec.duration, rate) - sample_at(start, rate))
        stretched = stretched_sound(self.source, start * self.factor, self.factor)
        yield from exactly(stretched, spec.audio.channels, wanted)

    def fingerprint(self) -> str:
        return f"speed({self.source.fingerprint()}, {self.factor})"

    @property
    def notes(self) -> tuple[str, ...]:
        return self.source.notes


def stretched_sound(source: Recipe, start: Fraction, factor: Fraction) -> Iterator[np.ndarray]:
    """A video's sound from `start` seconds on, its tempo changed and its pitch kept.

    By FFmpeg's atempo (overlap-add of matching waveforms). Some silence follows: what atempo still holds at
    the end is lost, and that would be sound without it.
    """
    sound = source.spec.audio
    begin = start - _lead(sound.sample_rate, factor)
    before = silence(sound.channels, sample_at(max(Fraction(0), -begin), sound.sample_rate))
    after = silence(sound.channels, round(sound.sample_rate * RUN_OUT * max(1, factor)))
    steps = [("atempo", f"{step:.9f}") for step in _tempo_steps(float(factor))]
    return filtered(chain(before, source.audio(max(Fraction(0), begin)), after), sound, steps)


def _lead(sample_rate: int, factor: Fraction) -> Fraction:
    """Seconds of sound to give beforehand, so that what follows comes when it should."""
    window = 1 << (sample_rate // 24 - 1).bit_length()  # atempo's: a power of two, 1/24 s at least
    return EARLY * Fraction(window, sample_rate) * max(Fraction(0), 1 - factor)


def _tempo_steps(factor: float) -> list[float]:
    """Tempos that multiply to `factor`, each 0.5 to 2: below, atempo refuses; above, it skips samples and
    ends the process where a piece of sound happens to end in the part skipped."""
    steps = []
    while not 0.5 <= factor <= 2:
        steps.append(0.5 if factor < 1 else 2.0)
        factor /= steps[-1]
    return [*steps, factor]
