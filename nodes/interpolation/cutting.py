"""How much of a film goes through a network at a time, so that it fits into memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..vae.tiling import Tiling

if TYPE_CHECKING:
    import torch

LEAST_CELL = 32
"""Pixels: pyramids of half sizes come out even; a network's own `pad_align` may ask for more."""
LEAST_TILE = 256
"""Pixels: smaller tiles know nothing of motion."""
BESIDE = 72
"""Bytes per pixel of a frame in work, beside the network: two pictures, the result and its float32 sum."""


@dataclass(frozen=True)
class Cutting:
    """What goes through the network at a time.

    height, width: of a frame in pixels, padded to whole cells.
    cell: pixels on which tiles begin and end.
    batch: frames at a time.
    tile: side of a tile in cells; 0 is the whole frame.
    """

    height: int
    width: int
    cell: int
    batch: int = 1
    tile: int = 0

    @cached_property
    def tiling(self) -> Tiling | None:
        """None where frames stay whole."""
        if not self.tile:
            return None
        return Tiling.square(self.height // self.cell, self.width // self.cell, self.tile)

    def smaller(self) -> Cutting | None:
        """What to try after memory has run out; None where nothing is smaller."""
        if self.batch > 1:
            return replace(self, batch=self.batch // 2)
        now = self.tile or max(self.height, self.width) // self.cell
        less = [tile for tile in self.tiles() if tile < now]
        return (
            replace(self, tile=next((tile for tile in less if tile <= now / 2), less[-1])) if less else None
        )

    def tiles(self) -> Iterator[int]:
        """Sides of tiles, in cells: 2, 3, … along the longer side of the frame, a quarter of each shared."""
        longest, count = max(self.height, self.width) // self.cell, 2
        least = max(2, LEAST_TILE // self.cell)
        while (tile := max(least, -(-4 * longest // (3 * count + 1)))) < longest:
            yield tile
            if tile == least:
                return
            count += 1

    def needed(self, network: Any, dtype: torch.dtype) -> int:
        """Bytes that the network takes."""
        sides = (self.height, self.width)
        if self.tiling is not None:
            sides = (self.tiling.tile_height * self.cell, self.tiling.tile_width * self.cell)
        return self.batch * int(network.memory_used_forward((1, *sides, 3), dtype))

    def describe(self) -> str:
        """For the user, e.g. "4 frames at a time" or "tiles of 1024 × 1024 pixels, 6 a frame"."""
        if self.tiling is None:
            return f"{self.batch} frames at a time" if self.batch > 1 else "one frame at a time"
        sides = f"{self.tiling.tile_width * self.cell} × {self.tiling.tile_height * self.cell}"
        return f"tiles of {sides} pixels, {len(self.tiling.windows)} a frame"


def cut_to_fit(
    network: Any,
    height: int,
    width: int,
    dtype: torch.dtype,
    room: int,
    *,
    most: int,
    scale: float = 1.0,
) -> Cutting:
    """The most that fits; the smallest tiles where nothing does.

    Args:
        height, width: of a frame, pixels.
        room: bytes for the work, the weights not counted.
        most: frames at a time, at most.
        scale: of the picture in which motion is looked for, against the frame's.
    """
    align = getattr(network, "pad_align", 1) / min(1.0, scale)
    cell = int(-(-LEAST_CELL // align) * align)
    whole = Cutting(_padded(height, cell), _padded(width, cell), cell)
    beside = BESIDE * whole.height * whole.width
    room -= beside
    each = whole.needed(network, dtype)
    if each <= room:
        return replace(whole, batch=max(1, min(most, room // (each + beside))))
    tiled = [replace(whole, tile=tile) for tile in whole.tiles()]
    fitting = (cutting for cutting in tiled if cutting.needed(network, dtype) <= room)
    return next(fitting, [whole, *tiled][-1])


def _padded(side: int, cell: int) -> int:
    return -(-side // cell) * cell
