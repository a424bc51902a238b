"""Films too large for the memory at hand, in tiles whose seams are blended.

A tile is a window of the latent plane with a state of its own in time. Neighbours overlap, and there each
fades into the other: the weights of all tiles add up to one everywhere.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product
from typing import IO, Any, NamedTuple

import torch
from torch import Tensor

from .streaming import FilmSize, VideoAutoencoder, decode_frames

LEAST_TILE = 128
"""Pixels: in smaller tiles most of the work would be overlap."""


def overlap_of(tile: int) -> int:
    """Latent cells that neighbouring tiles of `tile` cells share, at least."""
    return max(1, tile // 4)


class Window(NamedTuple):
    """A tile's place in the latent plane, in cells, and which row and column of tiles it is."""

    top: int
    left: int
    row: int
    column: int


@dataclass(frozen=True)
class Tiling:
    """Equal tiles over a plane of height × width latent cells, all of them inside it.

    tile_height, tile_width: cells; tiles as large as the plane leave it whole.
    """

    height: int
    width: int
    tile_height: int
    tile_width: int

    @classmethod
    def square(cls, height: int, width: int, tile: int) -> Tiling:
        return cls(height, width, min(tile, height), min(tile, width))

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """Row by row."""
        tops = starts(self.height, self.tile_height)
        lefts = starts(self.width, self.tile_width)
        return tuple(
            Window(top, left, row, column)
            for (row, top), (column, left) in product(enumerate(tops), enumerate(lefts))
        )

    @property
    def cells(self) -> int:
        """Latent cells of one tile."""
        return self.tile_height * self.tile_width

    def cut(self, window: Window, plane: Tensor, scale: int = 1) -> Tensor:
        """A tile of [B,C,T,height·scale,width·scale]."""
        top, left = window.top * scale, window.left * scale
        bottom, right = top + self.tile_height * scale, left + self.tile_width * scale
        return plane[..., top:bottom, left:right]

    def weights(self, window: Window, scale: int) -> Tensor:
        """How much a tile counts at each of its pixels: [tile_height·scale, tile_width·scale]."""
        down = fading(self.height, self.tile_height, scale)[window.row]
        across = fading(self.width, self.tile_width, scale)[window.column]
        return down[:, None] * across

    def blend(self, tiles: list[Tensor], scale: int) -> Tensor:
        """Put tiles [B,C,T,tile_height·scale,tile_width·scale] together, in the order of `windows`."""
        first = tiles[0]
        plane = first.new_zeros(
            *first.shape[:3], self.height * scale, self.width * scale, dtype=torch.float32
        )
        for window, tile in zip(self.windows, tiles, strict=True):
            self.cut(window, plane, scale).add_(tile * self.weights(window, scale).to(tile.device))
        return plane


def starts(length: int, tile: int) -> list[int]:
    """Where tiles begin along an axis: evenly spread, overlapping by `overlap_of(tile)` at least."""
    if tile >= length:
        return [0]
    overlap = overlap_of(tile)
    count = math.ceil((length - overlap) / (tile - overlap))
    return [round(index * (length - tile) / (count - 1)) for index in range(count)]


@lru_cache(maxsize=16)
def fading(length: int, tile: int, scale: int) -> Tensor:
    """Weights of the tiles along an axis [tiles, tile·scale], adding up to one.

    A ramp fills the middle half of the least overlap. The quarter at the tile's edge does not count: there
    the network saw its own padding where the neighbour saw the picture.
    """
    begins = starts(length, tile)
    overlap = overlap_of(tile) * scale
    ramp = ((torch.arange(tile * scale) + 0.5 - overlap / 4) / (overlap / 2)).clamp(0, 1)
    weights = torch.ones(len(begins), tile * scale)
    weights[1:] = ramp
    weights[:-1] *= ramp.flip(0)
    total = torch.zeros(length * scale)
    for begin, weight in zip(begins, weights, strict=True):
        total[begin * scale : (begin + tile) * scale] += weight
    return torch.stack(
        [
            weight / total[begin * scale : (begin + tile) * scale]
            for begin, weight in zip(begins, weights, strict=True)
        ]
    )


@dataclass(frozen=True)
class Tiled:
    """A video autoencoder that does every chunk tile by tile; its state is the tiles' states."""

    network: VideoAutoencoder
    tiling: Tiling

    @property
    def space(self) -> int:
        return self.network.space

    @property
    def time(self) -> int:
        return self.network.time

    @property
    def config(self) -> Any:
        return self.network.config

    def encode_chunk(self, pixels: Tensor, state: Any, last: bool = True) -> tuple[Tensor, Tensor, Any]:
        means, log_variances, states = [], [], []
        for window, past in self._with_past(state):
            tile = self.tiling.cut(window, pixels, self.space)
            mean, log_variance, after = self.network.encode_chunk(tile, past, last)
            means.append(mean)
            log_variances.append(log_variance)
            states.append(after)
        return self.tiling.blend(means, 1), self.tiling.blend(log_variances, 1), states

    def decode_chunk(self, latents: Tensor, state: Any, last: bool = True) -> tuple[Tensor, Any]:
        tiles, states = [], []
        for window, past in self._with_past(state):
            tile = Tile(self.network, self.tiling, window)
            pixels, after = tile.decode_chunk(self.tiling.cut(window, latents), past, last)
            tiles.append(pixels)
            states.append(after)
        return self.tiling.blend(tiles, self.space), states

    def _with_past(self, states: list[Any] | None) -> Iterator[tuple[Window, Any]]:
        """Each tile with its state, which is given up as it is taken: the next one replaces it."""
        for index, window in enumerate(self.tiling.windows):
            past = None
            if states is not None:
                past, states[index] = states[index], None
            yield window, past


@dataclass(frozen=True)
class Tile:
    """A decoder that knows where in the frame its latents lie: one that draws noise needs that."""

    network: VideoAutoencoder
    tiling: Tiling
    window: Window

    @property
    def space(self) -> int:
        return self.network.space

    @property
    def time(self) -> int:
        return self.network.time

    def decode_chunk(self, latents: Tensor, state: Any, last: bool = True) -> tuple[Tensor, Any]:
        if not getattr(self.network.config, "conditioned", False):
            return self.network.decode_chunk(latents, state, last)
        place = (self.window.top, self.window.left, self.tiling.height, self.tiling.width)
        step = replace(self.network.config.last_step, window=place)
        return self.network.decode_chunk(latents, state, last, step=step)


def decode_tile_by_tile(
    network: VideoAutoencoder,
    latents: Tensor,
    tiling: Tiling,
    *,
    chunk: int = 1,
    directory: str | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Iterator[Tensor]:
    """Decode [B,Z,T,h,w] one tile after the other, each through the whole film, by way of temporary files.

    Only one tile's state is ever held, so this takes the least memory. The files take 6 bytes per pixel and
    frame (half floats), and a little more for the overlaps; they have no names and vanish with the iterator.

    Args:
        directory: where the files are made; the system's temporary folder where it is None.
        tick: called after each chunk of a tile.

    Yields:
        the film's next frames [B,3,t,H,W], not clamped, on the CPU.
    """
    with ExitStack() as files:
        shapes: list[torch.Size] = []
        tapes = []
        for window in tiling.windows:
            tape = files.enter_context(tempfile.TemporaryFile(prefix="kinograph-", dir=directory))
            tile = Tile(network, tiling, window)
            shapes = _record(tile, tiling.cut(window, latents), tape, chunk, tick)
            tape.seek(0)
            tapes.append(tape)
        for shape in shapes:
            yield tiling.blend([_next_tile(tape, shape) for tape in tapes], network.space)


def _record(
    tile: Tile, latents: Tensor, tape: IO[bytes], chunk: int, tick: Callable[[], None]
) -> list[torch.Size]:
    """Decode one tile's film into a file; returns the shapes of the pieces in it."""
    shapes = []
    for pixels in decode_frames(tile, latents, chunk=chunk):
        tape.write(pixels.to("cpu", torch.float16).contiguous().numpy().tobytes())
        shapes.append(pixels.shape)
        tick()
    return shapes


def _next_tile(tape: IO[bytes], shape: torch.Size) -> Tensor:
    read = bytearray(tape.read(2 * shape.numel()))
    return torch.frombuffer(read, dtype=torch.float16).view(shape).float()


def tile_sizes(network: VideoAutoencoder, plane: FilmSize) -> list[int]:
    """Sides of square tiles worth trying, in latent cells: the whole plane, then 2, 3, … along its length."""
    least = max(1, LEAST_TILE // network.space)
    length = max(plane.height, plane.width)
    sizes = [length]
    while sizes[-1] > least:
        tiles = len(sizes) + 1
        # a quarter of each tile overlaps the next: `tiles` of them cover (3 · tiles + 1) / 4 of their sides
        sizes.append(max(least, -(-4 * length // (3 * tiles + 1))))
    return sizes
