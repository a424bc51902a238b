"""A video with another sound."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from .recipe import AudioSpec, Frame, Recipe, VideoSpec
from .sound import exactly, sample_at
from .timecode import timecode

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True, eq=False)
class ReplacedSound(Recipe):
    """The source's picture with this sound, cut or padded with silence to the picture's length.

    waveform: [channels, samples] float -1..1.
    sample_rate: in Hz.
    """

    source: Recipe
    waveform: torch.Tensor
    sample_rate: int

    @cached_property
    def spec(self) -> VideoSpec:
        return replace(self.source.spec, audio=AudioSpec(self.sample_rate, self.waveform.shape[0]))

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        return self.source.frames(start)

    def audio(self, start: Fraction = Fraction(0)) -> Iterator[np.ndarray]:
        begin = sample_at(start, self.sample_rate)
        wanted = max(0, sample_at(self.spec.duration, self.sample_rate) - begin)
        whole = self.waveform.detach().float().cpu().numpy()
        yield from exactly([whole[:, begin:]], whole.shape[0], wanted)

    def fingerprint(self) -> str:
        digest = hashlib.blake2b(self.waveform.detach().float().cpu().contiguous().numpy(), digest_size=16)
        return f"sound({self.source.fingerprint()}, {self.sample_rate}, {digest.hexdigest()})"

    @property
    def notes(self) -> tuple[str, ...]:
        picture = self.spec.duration
        sound = Fraction(self.waveform.shape[1], self.sample_rate)
        if abs(sound - picture) <= 1 / self.spec.fps:
            return self.source.notes
        what = "cut" if sound > picture else "followed by silence"
        return (
            *self.source.notes,
            f"the sound lasts {timecode(sound)}, the picture {timecode(picture)}: it is {what}",
        )
