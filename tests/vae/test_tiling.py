"""Tiles add up, their seams cannot be seen, and memory decides how large they are."""

from __future__ import annotations

import pytest
import torch
from kinograph.nodes.vae.films import Plan, decode_film, encode_film, fixed_plan, plan
from kinograph.nodes.vae.streaming import FilmSize, decode_frames, encode_frames
from kinograph.nodes.vae.tiling import Tiled, Tiling, decode_tile_by_tile, fading, starts, tile_sizes
from kinograph.nodes.vae.working_memory import Footprint, LiveBytes, decoding_footprint

HALF_A_LEVEL = 0.5 / 127.5
"""0.5/255 of the range of pixels, which is 2 here."""


@pytest.mark.parametrize("length", [5, 16, 17, 33, 90])
@pytest.mark.parametrize("tile", [2, 4, 16])
@pytest.mark.parametrize("scale", [1, 8])
def test_weights_of_tiles_add_up_to_one_everywhere(length, tile, scale):
    tile = min(tile, length)
    total = torch.zeros(length * scale)
    weights = fading(length, tile, scale)
    for begin, weight in zip(starts(length, tile), weights, strict=True):
        total[begin * scale : (begin + tile) * scale] += weight
    torch.testing.assert_close(total, torch.ones(length * scale))
    assert weights.min() >= 0


@pytest.fixture(scope="module")
def latents(tame_network, moving_picture) -> torch.Tensor:
    """[1,16,2,18,26]."""
    return encode_frames(tame_network, [moving_picture]).latents


@pytest.fixture(scope="module")
def whole(tame_network, latents) -> torch.Tensor:
    return torch.cat(list(decode_frames(tame_network, latents)), dim=2)


@pytest.mark.parametrize("tile", [12, 16])
def test_a_tiled_film_looks_like_the_whole_one(tame_network, latents, whole, tile):
    tiled = Tiled(tame_network, Tiling.square(18, 26, tile))
    made = torch.cat(list(decode_frames(tiled, latents)), dim=2)
    assert (made - whole).abs().mean() <= HALF_A_LEVEL


def test_no_seam_stands_out(tame_network, latents, whole):
    """At the tiles' borders the picture changes from pixel to pixel as it does elsewhere."""
    tiled = Tiled(tame_network, Tiling.square(18, 26, 16))
    made = torch.cat(list(decode_frames(tiled, latents)), dim=2)
    steps = (made.diff(dim=4) - whole.diff(dim=4)).abs().mean(dim=(0, 1, 2, 3))
    assert steps.max() <= 2 * HALF_A_LEVEL


def test_tiled_latents_are_those_of_the_whole(tame_network, moving_picture, latents):
    tiled = Tiled(tame_network, Tiling.square(18, 26, 16))
    made = encode_frames(tiled, moving_picture.split(2, dim=2)).latents
    assert (made - latents).norm() / latents.norm() <= 0.05


def test_tile_by_tile_gives_the_same_as_chunk_by_chunk(tame_network, latents):
    tiling = Tiling.square(18, 26, 16)
    expected = torch.cat(list(decode_frames(Tiled(tame_network, tiling), latents)), dim=2)
    made = torch.cat(list(decode_tile_by_tile(tame_network, latents, tiling)), dim=2)
    torch.testing.assert_close(made, expected, atol=2e-3, rtol=0)  # kept as half floats


PLANE = FilmSize(9, 90, 160)


@pytest.mark.parametrize(
    ("budget", "tiles", "tile_by_tile"),
    [(2 * 10**9, 1, False), (9 * 10**8, 2, False), (6 * 10**8, 2, True), (10**6, 104, True)],
)
def test_the_budget_decides(tame_network, budget, tiles, tile_by_tile):
    footprint = Footprint(state=500.0, working=1000.0)
    made = plan(tame_network, PLANE, 1, footprint, budget, may_spool=True)
    assert (len(made.tiling.windows) if made.tiling else 1) == tiles
    assert made.tile_by_tile == tile_by_tile


def test_tiles_are_never_smaller_than_the_least(tame_network):
    assert tile_sizes(tame_network, PLANE)[-1] * tame_network.space == 128


def test_a_tile_of_the_users_is_taken(tame_network):
    made = fixed_plan(tame_network, PLANE, 250)
    assert (made.tiling.tile_height, made.tiling.tile_width) == (32, 32)
    assert fixed_plan(tame_network, PLANE, 2000) == Plan()


class ShortOfMemory:
    """A network that can take so many latent cells at once, and fails at its second chunk with more."""

    def __init__(self, network, cells: int) -> None:
        self.network, self.cells = network, cells
        self.space, self.time, self.config = network.space, network.time, network.config

    def decode_chunk(self, latents, state, last=True):
        if state is not None and latents.shape[3] * latents.shape[4] > self.cells:
            raise torch.OutOfMemoryError("out of memory")
        return self.network.decode_chunk(latents, state, last)

    def encode_chunk(self, pixels, state, last=True):
        if state is not None and pixels.shape[3] * pixels.shape[4] > self.cells * self.space**2:
            raise torch.OutOfMemoryError("out of memory")
        return self.network.encode_chunk(pixels, state, last)


def test_out_of_memory_goes_on_with_smaller_tiles_and_says_so(tame_network, latents, whole):
    notes: list[str] = []
    short = ShortOfMemory(tame_network, cells=17 * 17)
    made = torch.cat(list(decode_film(short, latents, Plan(), report=notes.append)), dim=2)
    assert made.shape == whole.shape
    assert made[:, :, :1].equal(whole[:, :, :1])
    assert (made - whole).abs().mean() <= HALF_A_LEVEL
    assert notes == [
        "memory ran out after 1 frames with whole frames; went on with tiles of 128 × 128 pixels (4 a frame)"
    ]


def test_encoding_begins_anew_with_smaller_tiles(tame_network, moving_picture, latents):
    notes: list[str] = []
    short = ShortOfMemory(tame_network, cells=17 * 17)
    film = encode_film(
        short, lambda: moving_picture.split(3, dim=2), FilmSize(2, 18, 26), Plan(), report=notes.append
    )
    assert film.size == (5, 144, 208) and len(notes) == 1
    assert (film.latents - latents).norm() / latents.norm() <= 0.05


def test_too_little_memory_for_the_smallest_tile_is_the_error_it_is(tame_network, latents):
    with pytest.raises(torch.OutOfMemoryError):
        list(decode_film(ShortOfMemory(tame_network, cells=1), latents, Plan()))


def test_another_error_is_no_reason_for_tiles(tame_network):
    with pytest.raises(RuntimeError, match="channels"):
        list(decode_film(tame_network, torch.zeros(1, 4, 3, 4, 4), Plan()))


def test_live_bytes_are_counted_and_forgotten():
    with LiveBytes() as live:
        first = torch.ones(1000)
        second = first + 1
        del first
        third = second * 2
    assert live.peak == 8000 and third.nbytes == 4000


def test_the_footprint_grows_with_the_width_of_the_network(tame_network):
    found = decoding_footprint(tame_network, 16)
    assert 0 < found.state < found.working
