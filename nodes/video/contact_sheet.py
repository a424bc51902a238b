"""A contact sheet: evenly spaced frames of a video as one picture, each with its time code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from .pixels import Converter
from .recipe import Frame, Recipe
from .timecode import timecode

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image, ImageDraw

BACKGROUND = (24, 25, 28)
TEXT = (226, 227, 230)
QUIET_TEXT = (150, 153, 160)
JUMP = Fraction(8)
"""Seconds; a frame further ahead is reached by seeking, a nearer one by decoding on."""


@dataclass(frozen=True)
class SheetLayout:
    """The grid of a contact sheet, in pixels; everything but the tiles grows with `tile_width`."""

    columns: int
    rows: int
    tile_width: int
    tile_height: int

    @property
    def tiles(self) -> int:
        return self.columns * self.rows

    @property
    def font_size(self) -> int:
        return max(10, round(self.tile_width / 15))

    @property
    def margin(self) -> int:
        return max(6, self.tile_width // 24)

    @property
    def caption(self) -> int:
        """Height of the strip below a tile that carries its time code."""
        return round(self.font_size * 1.5)

    @property
    def header(self) -> int:
        """Height of the title line above the grid, its lower margin included."""
        return round(self.font_size * 1.7) + self.margin // 2

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole sheet."""
        width = self.margin + self.columns * (self.tile_width + self.margin)
        height = self.margin + self.header + self.rows * (self.tile_height + self.caption + self.margin // 2)
        return width, height + self.margin // 2

    def corner(self, index: int) -> tuple[int, int]:
        """Left and top of tile `index`, counted along the rows."""
        row, column = divmod(index, self.columns)
        left = self.margin + column * (self.tile_width + self.margin)
        top = self.margin + self.header + row * (self.tile_height + self.caption + self.margin // 2)
        return left, top


def sheet_layout(recipe: Recipe, columns: int, rows: int, tile_width: int) -> SheetLayout:
    """The layout whose tiles have the video's shape."""
    height = round(tile_width * recipe.spec.height / recipe.spec.width)
    return SheetLayout(columns, rows, tile_width, max(1, height))


def contact_sheet(
    recipe: Recipe,
    layout: SheetLayout,
    start: Fraction,
    end: Fraction,
    title: str,
    tick: Callable[[int], None] = lambda tiles: None,
) -> np.ndarray:
    """Draw the frames at the middles of equal parts of start..end.

    Args:
        recipe: read only around those frames where it can seek.
        layout: from `sheet_layout`.
        start, end: seconds.
        title: the line above the grid, in letters that the font has (see `lettering.legible`); the stretch
            of time is written beside it.
        tick: called with 1 after each tile.

    Returns:
        uint8 RGB [H, W, 3].
    """
    import numpy as np
    from PIL import Image, ImageDraw

    sheet = Image.new("RGB", layout.size, BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    _draw_header(draw, layout, title, f"{timecode(start)} - {timecode(end)}")
    step = (end - start) / layout.tiles
    moments = [start + step * index + step / 2 for index in range(layout.tiles)]
    for index, frame in enumerate(frames_at(recipe, moments)):
        _draw_tile(sheet, draw, layout, index, frame)
        tick(1)
    return np.asarray(sheet)


def frames_at(recipe: Recipe, moments: Sequence[Fraction]) -> Iterator[Frame]:
    """The frame on screen at each of these moments (seconds, ascending)."""
    shown = coming = None
    frames: Iterator[Frame] = iter(())
    for moment in moments:
        if shown is None or moment > shown.time + JUMP:
            frames = recipe.frames(moment)
            shown, coming = next(frames), next(frames, None)
        while coming is not None and coming.time <= moment:
            shown, coming = coming, next(frames, None)
        yield shown


def _draw_header(draw: ImageDraw.ImageDraw, layout: SheetLayout, title: str, stretch: str) -> None:
    from PIL import ImageFont

    font = ImageFont.load_default(size=round(layout.font_size * 1.15))
    middle = layout.margin + layout.header // 2 - layout.margin // 4
    right = layout.size[0] - layout.margin
    room = right - layout.margin - draw.textlength(f"{stretch}   ", font)
    while title and draw.textlength(title, font) > room:
        title = title.rstrip("…")[:-1] + "…" if len(title) > 1 else ""
    draw.text((layout.margin, middle), title, TEXT, font, anchor="lm")
    draw.text((right, middle), stretch, QUIET_TEXT, font, anchor="rm")


def _draw_tile(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, layout: SheetLayout, index: int, frame: Frame
) -> None:
    from PIL import Image, ImageFont

    left, top = layout.corner(index)
    scaled = Converter(layout.tile_width, layout.tile_height, "rgba", "area")(frame.image)
    tile = Image.fromarray(scaled.to_ndarray())
    sheet.paste(tile, (left, top), tile)
    middle = top + layout.tile_height + layout.caption // 2
    font = ImageFont.load_default(size=layout.font_size)
    draw.text((left + layout.tile_width // 2, middle), timecode(frame.time), TEXT, font, anchor="mm")
