"""A video made of an IMAGE batch (and sound) that is already in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from .pixels import frames_of_images
from .recipe import AudioSpec, Frame, Recipe, VideoError, VideoSpec
from .sound import exactly, sample_at

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True, eq=False)
class TensorSource(Recipe):
    """An IMAGE batch shown at a constant rate.

    images: [B, H, W, C] float 0..1; C is 3, or 4 with alpha.
    fps: frames per second.
    waveform: [channels, samples] float -1..1, None for silence.
    sample_rate: of the waveform, in Hz.
    bit_depth: 8, or 10 to keep more of the floats for a 10-bit encoder.
    """

    images: torch.Tensor
    fps: Fraction
    waveform: torch.Tensor | None = None
    sample_rate: int = 0
    bit_depth: int = 8

    def __post_init__(self) -> None:
        shape = tuple(self.images.shape)
        if len(shape) != 4 or shape[-1] not in (3, 4) or 0 in shape:
            raise VideoError(
                f"a video needs images of shape [frames, height, width, 3 or 4], got {list(shape)}; "
                "wire an IMAGE batch with at least one frame"
            )

    @classmethod
    def of(
        cls, images: torch.Tensor, fps: Fraction, audio: dict | None = None, bit_depth: int = 8
    ) -> TensorSource:
        """From an IMAGE and an AUDIO ({"waveform": [B, C, S], "sample_rate": Hz}; the first of B is used)."""
        if audio is None or audio["waveform"].numel() == 0:
            return cls(images, Fraction(fps), bit_depth=bit_depth)
        return cls(images, Fraction(fps), audio["waveform"][0], int(audio["sample_rate"]), bit_depth)

    @property
    def spec(self) -> VideoSpec:
        count, height, width, _ = self.images.shape
        sound = None if self.waveform is None else AudioSpec(self.sample_rate, self.waveform.shape[0])
        return VideoSpec(width, height, self.fps, count, count / self.fps, self._pixel_format, audio=sound)

    @property
    def _pixel_format(self) -> str:
        alpha = self.images.shape[-1] == 4
        if self.bit_depth > 8:
            return "rgba64le" if alpha else "rgb48le"
        return "rgba" if alpha else "rgb24"

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        for index in range(int(start * self.fps), len(self.images)):
            (image,) = frames_of_images(self.images[index : index + 1], self._pixel_format)
            yield Frame(image, index / self.fps)

    def audio(self, start: Fraction = Fraction(0)) -> Iterator[np.ndarray]:
        if self.waveform is None:
            return
        begin = sample_at(start, self.sample_rate)
        wanted = sample_at(self.spec.duration, self.sample_rate) - begin
        whole = self.waveform.detach().float().cpu().numpy()
        yield from exactly([whole[:, begin:]], whole.shape[0], max(0, wanted))

    def fingerprint(self) -> str:
        return self._digest

    @cached_property
    def _digest(self) -> str:
        digest = hashlib.blake2b(digest_size=16)
        for tensor in (self.images, self.waveform):
            for row in () if tensor is None else tensor:
                digest.update(row.detach().float().cpu().contiguous().numpy())
        facts = f"{list(self.images.shape)}, {self.fps}, {self.sample_rate}, {self.bit_depth}"
        return f"tensor({facts}, {digest.hexdigest()})"
