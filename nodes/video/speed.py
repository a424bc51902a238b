"""A video played faster or slower, its sound at the same pitch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from .recipe import AudioSpec, Frame, Recipe, VideoError, VideoSpec
from .sound import exactly, filtered, sample_at, silence

if TYPE_CHECKING:
    import numpy as np


RUN_OUT = Fraction(1, 4)
"""Seconds that every step of a change of tempo may hold back."""
EARLY = 3 / 8
"""Of its window, how much earlier atempo places what it slows to a half. It lays windows by their beginnings,
which by itself would make a half; that it looks around for waveforms that match takes some back (measured)."""


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
        stretched = stretched_sound(self.source.audio(start * self.factor), spec.audio, self.factor)
        yield from exactly(stretched, spec.audio.channels, wanted)

    def fingerprint(self) -> str:
        return f"speed({self.source.fingerprint()}, {self.factor})"

    @property
    def notes(self) -> tuple[str, ...]:
        return self.source.notes


def stretched_sound(pieces: Iterator[np.ndarray], spec: AudioSpec, factor: Fraction) -> Iterator[np.ndarray]:
    """Change the tempo and keep the pitch, by FFmpeg's atempo (overlap-add of matching waveforms).

    Some silence follows: what atempo still holds at the end is lost, and that would be sound without it. Slow
    sound is delayed by what atempo is early: at a quarter of the tempo it would be heard 0.05 s before it is
    seen.
    """
    held = round(spec.sample_rate * RUN_OUT * max(1, factor))
    steps = [("atempo", f"{step:.9f}") for step in _tempo_steps(float(factor))]
    early = round(EARLY * _window(spec.sample_rate) * max(0, 1 / factor - 1))
    stretched = filtered(chain(pieces, silence(spec.channels, held)), spec, steps)
    return chain(silence(spec.channels, early), stretched)


def _window(sample_rate: int) -> int:
    """Samples in atempo's window: a power of two, 1/24 s at least."""
    return 1 << (sample_rate // 24 - 1).bit_length()


def _tempo_steps(factor: float) -> list[float]:
    """Tempos that multiply to `factor`, each 0.5 to 2: below, atempo refuses; above, it skips samples and
    ends the process where a piece of sound happens to end in the part skipped."""
    steps = []
    while not 0.5 <= factor <= 2:
        steps.append(0.5 if factor < 1 else 2.0)
        factor /= steps[-1]
    return [*steps, factor]
