"""The sound of a video being written, kept just ahead of its picture."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from .codecs import AUDIO_BIT_RATES
from .recipe import AudioSpec, Recipe
from .sound import audio_frame, exactly, layout_of, resampled, sample_at

if TYPE_CHECKING:
    import av
    import numpy as np


class AudioTrack:
    """Encodes a recipe's sound into a container, exactly as many samples as its picture lasts."""

    def __init__(
        self, container: av.container.OutputContainer, recipe: Recipe, encoder: str, bit_rate: int
    ) -> None:
        given = recipe.spec.audio
        self._sound = AudioSpec(_nearest_rate(encoder, given.sample_rate), min(given.channels, 8))
        self._container = container
        self._stream = container.add_stream(
            encoder, rate=self._sound.sample_rate, layout=layout_of(self._sound.channels)
        )
        default = AUDIO_BIT_RATES.get(encoder.removeprefix("lib"), 0) * max(2, self._sound.channels) // 2
        if default:
            self._stream.bit_rate = bit_rate or default
        self._pieces = self._resampled(recipe)
        self._position = 0

    @property
    def adapted(self) -> tuple[AudioSpec, str]:
        """The sound as written, and the encoder's name."""
        return self._sound, self._stream.codec_context.name

    def _resampled(self, recipe: Recipe) -> Iterator[np.ndarray]:
        spec = recipe.spec
        samples = sample_at(spec.duration, self._sound.sample_rate)
        pieces = resampled(recipe.audio(), spec.audio, self._sound)
        return exactly(pieces, self._sound.channels, samples)

    def write_until(self, seconds: Fraction | None) -> None:
        """Encode up to a time; None encodes the rest and flushes."""
        rate = self._sound.sample_rate
        while seconds is None or self._position < seconds * rate:
            piece = next(self._pieces, None)
            if piece is None:
                break
            frame = audio_frame(piece, rate)
            frame.pts, frame.time_base = self._position, Fraction(1, rate)
            self._position += piece.shape[1]
            self._container.mux(self._stream.encode(frame))
        if seconds is None:
            self._container.mux(self._stream.encode(None))


def _nearest_rate(encoder: str, sample_rate: int) -> int:
    """The rate itself if the encoder takes it, else the next higher one, else the highest."""
    from av import Codec

    rates = sorted(Codec(encoder, "w").audio_rates or [sample_rate])
    return next((rate for rate in rates if rate >= sample_rate), rates[-1])
