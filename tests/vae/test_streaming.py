"""Films of any size and length come back with the size and length they had, whatever the pieces."""

from __future__ import annotations

import pytest
import torch
from kinograph.nodes.vae.streaming import (
    FilmSize,
    decode_frames,
    encode_frames,
    latent_size,
    padded_chunk,
)


def film(frames: int, height: int, width: int, batch: int = 1) -> torch.Tensor:
    return torch.rand(batch, 3, frames, height, width, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("frames", [1, 2, 4, 5, 6, 9])
@pytest.mark.parametrize(("height", "width"), [(16, 24), (17, 23)])
def test_the_film_comes_back_with_its_own_size(tame_network, frames, height, width):
    pixels = film(frames, height, width)
    encoded = encode_frames(tame_network, pixels.split(1, dim=2))
    assert encoded.size == (frames, height, width)
    assert tuple(encoded.latents.shape[2:]) == latent_size(tame_network, encoded.size)
    made = torch.cat(list(decode_frames(tame_network, encoded.latents, size=encoded.size)), dim=2)
    assert made.shape == pixels.shape


@pytest.mark.parametrize("piece", [1, 3, 4, 7, 13])
def test_latents_do_not_depend_on_the_pieces_that_frames_come_in(tame_network, piece):
    pixels = film(13, 16, 24)
    whole = encode_frames(tame_network, [pixels]).latents
    torch.testing.assert_close(encode_frames(tame_network, pixels.split(piece, dim=2)).latents, whole)


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_streaming_equals_the_whole(tame_network, chunk):
    pixels = film(13, 16, 24)
    mean, _, _ = tame_network.encode_chunk(pixels, None)
    encoded = encode_frames(tame_network, [pixels], chunk=chunk)
    torch.testing.assert_close(encoded.latents, mean, atol=1e-5, rtol=0)
    whole, _ = tame_network.decode_chunk(mean, None)
    made = torch.cat(list(decode_frames(tame_network, mean, chunk=chunk)), dim=2)
    torch.testing.assert_close(made, whole, atol=1e-5 * (whole.max() - whole.min()).item(), rtol=0)


def test_each_film_of_a_batch_is_what_it_is_alone(tame_network):
    pixels = film(5, 16, 16, batch=2)
    both = encode_frames(tame_network, [pixels]).latents
    alone = torch.cat([encode_frames(tame_network, [one]).latents for one in pixels.split(1)])
    torch.testing.assert_close(both, alone, atol=1e-5, rtol=1e-4)


def test_what_is_missing_to_whole_cells_repeats_the_edges(tame_network):
    pixels = film(6, 15, 9)
    padded = padded_chunk(tame_network, pixels, first=True)
    assert padded.shape == (1, 3, 9, 16, 16)
    assert padded[:, :, :6, :15, :9].equal(pixels)
    assert padded[:, :, 8].equal(padded[:, :, 5])
    assert padded[..., 15, :].equal(padded[..., 14, :])
    assert padded[..., 15].equal(padded[..., 8])


def test_drawn_latents_follow_their_seed_and_lie_about_the_mean(tame_network):
    pixels = film(5, 16, 16)

    def drawn(seed: int) -> torch.Tensor:
        return encode_frames(tame_network, [pixels], noise=torch.Generator().manual_seed(seed)).latents

    mean = encode_frames(tame_network, [pixels]).latents
    assert drawn(1).equal(drawn(1)) and not drawn(1).equal(drawn(2))
    spread = torch.stack([drawn(seed) for seed in range(40)])
    _, log_variance, _ = tame_network.encode_chunk(pixels, None)
    deviation = (0.5 * log_variance).exp()
    assert ((spread.mean(0) - mean).abs() / deviation).mean() < 0.3


def test_only_the_needed_latents_are_decoded(tame_network):
    latents = torch.zeros(1, 16, 9, 2, 2)
    decoded = list(decode_frames(tame_network, latents, size=FilmSize(6, 16, 16)))
    assert [chunk.shape[2] for chunk in decoded] == [1, 4, 1]


def test_a_film_without_frames_is_refused(tame_network):
    with pytest.raises(ValueError, match="no frame"):
        encode_frames(tame_network, [])
