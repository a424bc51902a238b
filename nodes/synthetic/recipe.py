"""A described clip as a lazy video: every frame is painted when it is pulled."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from ..video.recipe import AudioSpec, Frame, Recipe, VideoSpec
from .spec import ClipSpec

if TYPE_CHECKING:
    import numpy as np

PAINTING = 1
"""Goes up when the same description would look or sound different."""

PIECE_SECONDS = 2
"""Sound is made in pieces of this length."""


@dataclass(frozen=True)
class SyntheticRecipe(Recipe):
    """The pictures (rgb24) and the sound (mono) of a clip description, whatever its length."""

    clip: ClipSpec

    @property
    def spec(self) -> VideoSpec:
        clip = self.clip
        count, sound = clip.frame_count, AudioSpec(clip.sample_rate, 1)
        return VideoSpec(clip.width, clip.height, clip.fps, count, count / clip.fps, "rgb24", audio=sound)

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        import av

        from .stage import Painter

        painter = Painter(self.clip)
        for index in range(max(math.floor(start * self.clip.fps), 0), self.clip.frame_count):
            picture = painter.frame(self.clip.frame_time(index))
            yield Frame(av.VideoFrame.from_ndarray(picture, format="rgb24"), index / self.clip.fps)

    def audio(self, start: Fraction = Fraction(0)) -> Iterator[np.ndarray]:
        from .sound import clip_audio

        piece = PIECE_SECONDS * self.clip.sample_rate
        first = max(round(start * self.clip.sample_rate), 0)
        for begin in range(first, self.clip.sample_count, piece):
            yield clip_audio(self.clip, begin, begin + piece)

    def fingerprint(self) -> str:
        return hashlib.sha256(f"synthetic {PAINTING} {self.clip.to_json()}".encode()).hexdigest()
