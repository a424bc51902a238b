"""The Wan 2.2 autoencoder: parity with diffusers, and streaming equal to the whole."""

from __future__ import annotations

import pytest
import torch
from kinograph.nodes.vae.load import load_vae
from kinograph.nodes.vae.wan22 import Wan22VAE
from vae.chunks import decoded_in_chunks, encoded_in_chunks, largest_difference, relative_error

diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")


@pytest.fixture(scope="module")
def peer() -> torch.nn.Module:
    torch.manual_seed(0)
    folded = {"in_channels": 12, "out_channels": 12, "patch_size": 2}
    return diffusers.AutoencoderKLWan(
        base_dim=8, decoder_base_dim=12, z_dim=48, is_residual=True, **folded
    ).eval()


@pytest.fixture(scope="module")
def network(peer: torch.nn.Module) -> Wan22VAE:
    return load_vae(peer.state_dict())


@pytest.mark.parametrize("frames", [1, 5, 13])
@torch.no_grad()
def test_encoding_equals_diffusers(network: Wan22VAE, peer: torch.nn.Module, frames: int) -> None:
    pixels = torch.rand(2, 3, frames, 48, 32) * 2 - 1
    mean, log_variance, _ = network.encode_chunk(pixels, None)
    truth = peer.encode(pixels).latent_dist
    assert relative_error(mean, truth.mean) <= 1e-4
    assert relative_error(log_variance.clamp(-30, 20), truth.logvar) <= 1e-4


@pytest.mark.parametrize("latent_frames", [1, 2, 4])
@torch.no_grad()
def test_decoding_equals_diffusers(network: Wan22VAE, peer: torch.nn.Module, latent_frames: int) -> None:
    latents = torch.randn(2, 48, latent_frames, 3, 2)
    pixels, _ = network.decode_chunk(latents, None)
    assert pixels.shape == (2, 3, 4 * latent_frames - 3, 48, 32)
    assert relative_error(pixels.clamp(-1, 1), peer.decode(latents).sample) <= 1e-4


@pytest.mark.parametrize("chunk", [1, 2, 3])
@torch.no_grad()
def test_decoding_in_chunks_equals_decoding_at_once(network: Wan22VAE, chunk: int) -> None:
    latents = torch.randn(1, 48, 7, 2, 2)
    whole, _ = network.decode_chunk(latents, None)
    assert largest_difference(decoded_in_chunks(network, latents, chunk), whole) <= 1e-5


@pytest.mark.parametrize("lengths", [(1, 4, 4, 4), (5, 8), (9, 4)])
@torch.no_grad()
def test_encoding_in_chunks_equals_encoding_at_once(network: Wan22VAE, lengths: tuple[int, ...]) -> None:
    pixels = torch.rand(1, 3, 13, 32, 32) * 2 - 1
    whole, _, _ = network.encode_chunk(pixels, None)
    assert largest_difference(encoded_in_chunks(network, pixels, lengths), whole) <= 1e-5


def test_its_latents_have_a_published_mean_and_deviation(network: Wan22VAE) -> None:
    facts = network.facts
    assert len(facts.mean) == len(facts.deviation) == facts.channels == 48
    assert (facts.space, facts.time) == (16, 4)


@pytest.mark.parametrize(("shape", "first"), [((4, 32, 32), True), ((5, 32, 32), False), ((5, 40, 32), True)])
def test_pixels_that_fill_no_latent_cells_are_refused(
    network: Wan22VAE, shape: tuple[int, int, int], first: bool
) -> None:
    _, _, state = network.encode_chunk(torch.zeros(1, 3, 1, 32, 32), None)
    with pytest.raises(ValueError, match="pad them"):
        network.encode_chunk(torch.zeros(1, 3, *shape), None if first else state)
