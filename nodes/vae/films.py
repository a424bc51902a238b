"""Films decoded and encoded within a memory budget: whole frames where they fit, else tiles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from .streaming import EncodedFilm, FilmSize, VideoAutoencoder, decode_frames, decoded_size, encode_frames
from .tiling import Tiled, Tiling, decode_tile_by_tile, tile_sizes
from .working_memory import Footprint

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Plan:
    """How a film is cut.

    tiling: over the latent plane; None is whole frames.
    tile_by_tile: each tile runs through the whole film before the next, by way of temporary files.
    """

    tiling: Tiling | None = None
    tile_by_tile: bool = False

    def describe(self, space: int) -> str:
        """For the user, e.g. "tiles of 256 × 256 pixels (12 a frame)"."""
        if self.tiling is None:
            return "whole frames"
        size = f"tiles of {self.tiling.tile_width * space} × {self.tiling.tile_height * space} pixels"
        how = ", one after the other through the film" if self.tile_by_tile else ""
        return f"{size} ({len(self.tiling.windows)} a frame{how})"


def plan(
    network: VideoAutoencoder,
    plane: FilmSize,
    batch: int,
    footprint: Footprint,
    budget: int,
    *,
    may_spool: bool,
) -> Plan:
    """The largest tiles that fit; the smallest there are where none does.

    Args:
        plane: the latents' size.
        budget: bytes for working memory and state, the weights not counted.
        may_spool: whether the film may be done tile by tile.
    """
    chosen = Plan()
    for size in tile_sizes(network, plane):
        chosen = _tiled(plane, size)
        tiling = chosen.tiling or Tiling.square(plane.height, plane.width, size)
        pixels = tiling.cells * network.space**2 * batch
        if pixels * (footprint.working + footprint.state * (len(tiling.windows) - 1)) <= budget:
            return chosen
        if may_spool and pixels * footprint.working <= budget:
            return Plan(tiling, tile_by_tile=True)
    return Plan(chosen.tiling, tile_by_tile=may_spool and chosen.tiling is not None)


def _tiled(plane: FilmSize, tile: int) -> Plan:
    """Tiles of that many cells; whole frames where one tile covers them."""
    tiling = Tiling.square(plane.height, plane.width, tile)
    return Plan(tiling if len(tiling.windows) > 1 else None)


def fixed_plan(network: VideoAutoencoder, plane: FilmSize, tile: int) -> Plan:
    """Tiles of a side chosen by the user, in pixels; rounded up to whole latent cells."""
    return _tiled(plane, max(2, -(-tile // network.space)))


def smaller(network: VideoAutoencoder, plane: FilmSize, now: Plan, *, may_spool: bool) -> Plan | None:
    """What to try after memory has run out: sides half as long at most; None where nothing is smaller."""
    side = max(plane.height, plane.width)
    if now.tiling is not None:
        side = max(now.tiling.tile_height, now.tiling.tile_width)
    sizes = [size for size in tile_sizes(network, plane) if size < side]
    if sizes:
        return _tiled(plane, next((size for size in sizes if size <= side / 2), sizes[-1]))
    if may_spool and now.tiling is not None and not now.tile_by_tile:
        return Plan(now.tiling, tile_by_tile=True)
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory, of the device or the machine, ran out."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
    )


def decode_film(
    network: VideoAutoencoder,
    latents: Tensor,
    first_plan: Plan,
    *,
    size: FilmSize | None = None,
    directory: str | None = None,
    tick: Callable[[], None] = lambda: None,
    report: Callable[[str], None] = lambda note: None,
) -> Iterator[Tensor]:
    """Decode a film; when memory runs out, begin anew with tiles half as large and go on where it was.

    Args:
        latents: [B,Z,T,h,w].
        size: what to keep of the film.
        directory: for the temporary files of `Plan.tile_by_tile`.
        tick: called after each chunk of a tile that goes to such a file.
        report: told what was adapted.

    Yields:
        the film's next frames [B,3,t,H,W].

    Raises:
        The memory error itself, when even the smallest tiles do not fit.
    """
    kept = size or decoded_size(network, FilmSize(*latents.shape[2:]))
    now, done = first_plan, 0
    while True:
        try:
            for frames in _decoded(network, latents, now, kept.frames - done, done, directory, tick):
                yield frames[..., : kept.height, : kept.width]
                done += frames.shape[2]
            return
        except (RuntimeError, MemoryError) as error:
            plane = FilmSize(*latents.shape[2:])
            less = smaller(network, plane, now, may_spool=True) if is_out_of_memory(error) else None
            if less is None:
                raise
        report(_halved(network, now, less, done))
        now = less


def _decoded(
    network: VideoAutoencoder,
    latents: Tensor,
    how: Plan,
    wanted: int,
    passed: int,
    directory: str | None,
    tick: Callable[[], None],
) -> Iterator[Tensor]:
    """The next `wanted` frames after the first `passed`, which are decoded too: the state needs them."""
    if how.tile_by_tile:
        chunks = decode_tile_by_tile(network, latents, how.tiling, directory=directory, tick=tick)
    else:
        chunks = decode_frames(Tiled(network, how.tiling) if how.tiling else network, latents)
    for frames in chunks:
        dropped = min(passed, frames.shape[2])
        passed -= dropped
        frames = frames[:, :, dropped : dropped + wanted]
        if frames.shape[2]:
            yield frames
            wanted -= frames.shape[2]
        if not wanted:
            return


def encode_film(
    network: VideoAutoencoder,
    pull: Callable[[], Iterable[Tensor]],
    plane: FilmSize,
    first_plan: Plan,
    *,
    noise: Callable[[], torch.Generator] | None = None,
    report: Callable[[str], None] = lambda note: None,
) -> EncodedFilm:
    """Encode a film; when memory runs out, begin anew with tiles half as large.

    Args:
        pull: reads the film from its beginning, as `encode_frames` takes it.
        plane: the latents' size, for choosing tiles.
        noise: makes the generator that the latents are drawn with; None takes the mean.
        report: told what was adapted.
    """
    now = first_plan
    while True:
        try:
            tiled = Tiled(network, now.tiling) if now.tiling else network
            return encode_frames(tiled, pull(), noise=noise() if noise else None)
        except (RuntimeError, MemoryError) as error:
            less = smaller(network, plane, now, may_spool=False) if is_out_of_memory(error) else None
            if less is None:
                raise
        report(_halved(network, now, less, 0))
        now = less


def _halved(network: VideoAutoencoder, now: Plan, less: Plan, done: int) -> str:
    where = f"after {done} frames " if done else ""
    before, after = now.describe(network.space), less.describe(network.space)
    return f"memory ran out {where}with {before}; went on with {after}"
