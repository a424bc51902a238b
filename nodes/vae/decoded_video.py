"""A video that is decoded from latents while it is pulled."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from ..video.pixels import frames_of_images
from ..video.recipe import Frame, Recipe, VideoSpec

if TYPE_CHECKING:
    import numpy as np
    import torch

    from .streaming import FilmSize

Decode = Callable[[Callable[[str], None]], "Iterator[torch.Tensor]"]
"""Given a callable for notes, yields the film's next images [t, H, W, 3] in 0..1."""


@dataclass(frozen=True, eq=False)
class DecodedVideo(Recipe):
    """The film that latents hold, at a constant rate, without sound.

    A pull decodes from the film's first frame, as later ones depend on it: wrap it in a `Spool`.

    latents: what is decoded, for the fingerprint.
    decode: decodes them.
    key: the decoder and how it is set, for the fingerprint.
    size: of the decoded film.
    told: notes known from the start; what the decoder adapts on the way is added.
    """

    latents: torch.Tensor
    decode: Decode
    key: str
    size: FilmSize
    fps: Fraction
    told: list[str] = field(default_factory=list)

    @property
    def spec(self) -> VideoSpec:
        frames, height, width = self.size
        return VideoSpec(width, height, self.fps, frames, frames / self.fps, "rgb24")

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        first, index = int(start * self.fps), 0
        for images in self.decode(self._note):
            wanted = images[max(0, first - index) :]
            index += len(images) - len(wanted)
            for image in frames_of_images(wanted):
                yield Frame(image, index / self.fps)
                index += 1

    def _note(self, note: str) -> None:
        if note not in self.told:
            self.told.append(note)
            logging.warning("Kinograph: %s", note)

    def audio(self, start: Fraction = Fraction(0)) -> Iterator[np.ndarray]:
        return iter(())

    def fingerprint(self) -> str:
        return f"decoded({self._digest}, {self.key}, {tuple(self.size)}, {self.fps})"

    @cached_property
    def _digest(self) -> str:
        values = self.latents.detach().float().cpu().contiguous().numpy()
        return hashlib.blake2b(values, digest_size=16).hexdigest()

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self.told)
