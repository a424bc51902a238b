"""A new picture size: stretched, fitted, filled or padded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from .crop import Crop
from .pixels import ALGORITHMS, Converter, chroma_steps
from .recipe import Frame, Recipe, VideoError, VideoSpec
from .upright import FilterChain

if TYPE_CHECKING:
    import numpy as np

MODES = ("fit", "fill", "pad", "stretch")


@dataclass(frozen=True)
class Resize(Recipe):
    """The picture at another size.

    width, height: pixels; 0 follows from the other and the picture's shape.
    mode: "fit" is the largest size inside the box that keeps the shape, "fill" covers the box and cuts
        what stands out, "pad" is "fit" with bars, "stretch" ignores the shape.
    multiple_of: both sides become the nearest multiple of it; `notes` tells when that moved one.
    algorithm: one of `pixels.ALGORITHMS`.
    bars: the colour of "pad"'s bars, an FFmpeg colour name.

    Raises:
        VideoError: no size is given, or an unknown mode or algorithm.
    """

    source: Recipe
    width: int
    height: int
    mode: str = "fit"
    multiple_of: int = 2
    algorithm: str = "bicubic"
    bars: str = "black"

    def __post_init__(self) -> None:
        if self.width < 0 or self.height < 0 or self.width + self.height == 0:
            raise VideoError(f"cannot resize to {self.width}x{self.height}; give a width, a height or both")
        for value, known in ((self.mode, MODES), (self.algorithm, ALGORITHMS)):
            if value not in known:
                raise VideoError(f"cannot resize by {value!r}; choose one of {', '.join(known)}")

    @property
    def _asked(self) -> tuple[Fraction, Fraction]:
        """Width and height before rounding."""
        spec = self.source.spec
        shape = Fraction(spec.width, spec.height)
        width, height = Fraction(self.width), Fraction(self.height)
        if not height:
            return width, width / shape
        if not width:
            return height * shape, height
        return (
            (min(width, height * shape), min(height, width / shape))
            if self.mode == "fit"
            else (width, height)
        )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the result."""
        return tuple(max(1, round(side / self.multiple_of)) * self.multiple_of for side in self._asked)

    @cached_property
    def spec(self) -> VideoSpec:
        width, height = self.size
        return replace(self.source.spec, width=width, height=height)

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        source = _middle(self.source, self.size) if self.mode == "fill" else self.source
        width, height = self._picture if self.mode == "pad" else self.size
        scaled = Converter(width, height, algorithm=self.algorithm)
        padded = FilterChain(self._bars_around(width, height))
        for image, time in source.frames(start):
            yield Frame(padded(scaled(image)), time)

    @property
    def _picture(self) -> tuple[int, int]:
        """The size of the picture between the bars: whole chroma samples, so that the bars meet it."""
        spec, (width, height) = self.source.spec, self.size
        scale = min(Fraction(width, spec.width), Fraction(height, spec.height))
        steps = chroma_steps(spec.pixel_format)
        sides = ((width, spec.width, steps[0]), (height, spec.height, steps[1]))
        return tuple(min(box, max(step, round(side * scale / step) * step)) for box, side, step in sides)

    def _bars_around(self, width: int, height: int) -> tuple[tuple[str, str], ...]:
        box_width, box_height = self.size
        if (width, height) == (box_width, box_height):
            return ()
        across, down = chroma_steps(self.source.spec.pixel_format)
        x = (box_width - width) // 2 // across * across
        y = (box_height - height) // 2 // down * down
        return (("pad", f"{box_width}:{box_height}:{x}:{y}:{self.bars}"),)

    def audio(self, start: Fraction = Fraction(0)) -> Iterator[np.ndarray]:
        return self.source.audio(start)

    def fingerprint(self) -> str:
        how = f"{self.width}, {self.height}, {self.mode}, {self.multiple_of}, {self.algorithm}, {self.bars}"
        return f"resize({self.source.fingerprint()}, {how})"

    @property
    def notes(self) -> tuple[str, ...]:
        width, height = self.size
        wanted = tuple(round(side) for side in self._asked)
        if wanted == (width, height):
            return self.source.notes
        moved = f"resized to {width}x{height}, not {wanted[0]}x{wanted[1]}: a multiple of {self.multiple_of}"
        return (*self.source.notes, moved)


def _middle(source: Recipe, size: tuple[int, int]) -> Recipe:
    """The largest part in the middle that has the shape of `size`."""
    spec = source.spec
    shape = Fraction(*size)
    width = min(spec.width, max(1, round(spec.height * shape)))
    height = min(spec.height, max(1, round(spec.width / shape)))
    across, down = chroma_steps(spec.pixel_format)
    x = (spec.width - width) // 2 // across * across
    y = (spec.height - height) // 2 // down * down
    return source if (width, height) == (spec.width, spec.height) else Crop(source, x, y, width, height)
