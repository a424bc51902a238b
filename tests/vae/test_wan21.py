"""The Wan 2.1 autoencoder: parity with diffusers, and streaming equal to the whole."""

from __future__ import annotations

import pytest
import torch
from kinograph.nodes.vae.wan21 import Wan21Config, Wan21VAE
from kinograph.nodes.vae.wan21_layouts import to_published

diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")


@pytest.fixture(scope="module")
def peer() -> torch.nn.Module:
    torch.manual_seed(0)
    return diffusers.AutoencoderKLWan(base_dim=8).eval()


@pytest.fixture(scope="module")
def network(peer: torch.nn.Module) -> Wan21VAE:
    weights = to_published(peer.state_dict())
    network = Wan21VAE(Wan21Config.of(weights)).eval()
    network.load_state_dict(weights)
    return network


def relative_error(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return ((ours - theirs).norm() / theirs.norm()).item()


@pytest.mark.parametrize("frames", [1, 5, 13])
@torch.no_grad()
def test_encoding_equals_diffusers(network: Wan21VAE, peer: torch.nn.Module, frames: int) -> None:
    pixels = torch.rand(2, 3, frames, 40, 24) * 2 - 1
    mean, log_variance, _ = network.encode_chunk(pixels, None)
    truth = peer.encode(pixels).latent_dist
    assert relative_error(mean, truth.mean) <= 1e-4
    assert relative_error(log_variance.clamp(-30, 20), truth.logvar) <= 1e-4


@pytest.mark.parametrize("latent_frames", [1, 2, 4])
@torch.no_grad()
def test_decoding_equals_diffusers(network: Wan21VAE, peer: torch.nn.Module, latent_frames: int) -> None:
    latents = torch.randn(2, 16, latent_frames, 5, 3)
    pixels, _ = network.decode_chunk(latents, None)
    assert pixels.shape == (2, 3, 4 * latent_frames - 3, 40, 24)
    assert relative_error(pixels.clamp(-1, 1), peer.decode(latents).sample) <= 1e-4


@pytest.mark.parametrize("chunk", [1, 2, 3])
@torch.no_grad()
def test_decoding_in_chunks_equals_decoding_at_once(network: Wan21VAE, chunk: int) -> None:
    latents = torch.randn(1, 16, 7, 3, 4)
    whole, _ = network.decode_chunk(latents, None)
    state, parts = None, []
    for piece in latents.split(chunk, dim=2):
        pixels, state = network.decode_chunk(piece, state)
        parts.append(pixels)
    scale = whole.max() - whole.min()
    assert (torch.cat(parts, dim=2) - whole).abs().max() <= 1e-5 * scale


@pytest.mark.parametrize("chunk", [4, 8])
@torch.no_grad()
def test_encoding_in_chunks_equals_encoding_at_once(network: Wan21VAE, chunk: int) -> None:
    pixels = torch.rand(1, 3, 17, 24, 32) * 2 - 1
    whole, _, _ = network.encode_chunk(pixels, None)
    state, parts = None, []
    for piece in [pixels[:, :, :1], *pixels[:, :, 1:].split(chunk, dim=2)]:
        mean, _, state = network.encode_chunk(piece, state)
        parts.append(mean)
    scale = whole.max() - whole.min()
    assert (torch.cat(parts, dim=2) - whole).abs().max() <= 1e-5 * scale


def test_the_published_keys_are_those_that_diffusers_converts(
    network: Wan21VAE, peer: torch.nn.Module
) -> None:
    from diffusers.loaders.single_file_utils import convert_wan_vae_to_diffusers

    assert set(convert_wan_vae_to_diffusers(network.state_dict())) == set(peer.state_dict())
