"""A rectangle of the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from .pixels import chroma_steps, keep_matrix
from .recipe import Frame, Recipe, VideoError, VideoSpec
from .upright import FilterChain

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Crop(Recipe):
    """The rectangle of `width` x `height` pixels whose top left corner is at (`x`, `y`).

    Where chroma is stored at half size the corner moves up or left to an even pixel, and `notes` says so.

    Raises:
        VideoError: the rectangle leaves the picture.
    """

    source: Recipe
    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        spec = self.source.spec
        inside = self.x >= 0 and self.y >= 0 and self.width > 0 and self.height > 0
        if not inside or self.x + self.width > spec.width or self.y + self.height > spec.height:
            raise VideoError(
                f"a crop of {self.width}x{self.height} at ({self.x}, {self.y}) leaves the picture of "
                f"{spec.width}x{spec.height}; choose a rectangle inside it"
            )

    @property
    def corner(self) -> tuple[int, int]:
        """The corner as used, on a whole chroma sample."""
        across, down = chroma_steps(self.source.spec.pixel_format)
        return self.x - self.x % across, self.y - self.y % down

    @cached_property
    def spec(self) -> VideoSpec:
        return replace(self.source.spec, width=self.width, height=self.height)

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        x, y = self.corner
        cropped = FilterChain((("crop", f"{self.width}:{self.height}:{x}:{y}:exact=1"),))
        for image, time in self.source.frames(start):
            yield Frame(keep_matrix(image, cropped(image)), time)

    def audio(self, start: Fraction = Fraction(0)) -> Iterator[np.ndarray]:
        return self.source.audio(start)

    def fingerprint(self) -> str:
        return f"crop({self.source.fingerprint()}, {self.x}, {self.y}, {self.width}, {self.height})"

    @property
    def notes(self) -> tuple[str, ...]:
        if self.corner == (self.x, self.y):
            return self.source.notes
        x, y = self.corner
        fmt = self.source.spec.pixel_format
        return (
            *self.source.notes,
            f"the crop starts at ({x}, {y}), not ({self.x}, {self.y}): {fmt} needs it",
        )
