"""LTX-Video's autoencoder: parity with diffusers, exact streaming, the decoder's denoising step."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from kinograph.nodes.vae.last_step import LastStep, StepNoise
from kinograph.nodes.vae.load import load_vae
from kinograph.nodes.vae.look_ahead import FilmConv3d, FilmTape
from kinograph.nodes.vae.ltx import LTXVideoVAE
from kinograph.nodes.vae.weights_file import WeightsError
from torch import Tensor
from torch.nn import functional as F
from vae.chunks import decoded_in_chunks, encoded_in_chunks, largest_difference, relative_error

diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")

CONDITIONED = {
    "decoder_block_out_channels": (16, 32, 64),
    "decoder_spatio_temporal_scaling": (True, True, True),
    "upsample_residual": (True, True, True),
    "upsample_factor": (2, 2, 2),
    "decoder_layers_per_block": (1, 1, 1, 1),
    "timestep_conditioning": True,
}
VERSIONS: dict[str, dict[str, Any]] = {
    "0.9.0": {
        "block_out_channels": (8, 16, 32, 32),
        "decoder_block_out_channels": (8, 16, 32, 32),
        "layers_per_block": (1, 1, 1, 1, 1),
        "decoder_layers_per_block": (1, 1, 1, 1, 1),
    },
    "0.9.1": {
        **CONDITIONED,
        "block_out_channels": (8, 16, 32, 32),
        "layers_per_block": (2, 1, 1, 1, 1),
        "decoder_inject_noise": (False, True, True, True),
    },
    "0.9.5": {
        **CONDITIONED,
        "block_out_channels": (8, 16, 32, 64, 64),
        "down_block_types": ("LTXVideo095DownBlock3D",) * 4,
        "downsample_type": ("spatial", "temporal", "spatiotemporal", "spatiotemporal"),
        "spatio_temporal_scaling": (True,) * 4,
        "layers_per_block": (1, 2, 1, 1, 1),
        "decoder_inject_noise": (False,) * 4,
    },
}
PLAIN = LastStep(noise_scale=0)


def told(**settings: Any) -> dict[str, str]:
    """A file's metadata."""
    return {"config": json.dumps({"vae": settings})}


def peer_of(version: str, **settings: Any) -> torch.nn.Module:
    torch.manual_seed(0)
    peer = diffusers.AutoencoderKLLTXVideo(**VERSIONS[version], **settings).eval()
    peer.latents_mean.normal_()
    peer.latents_std.uniform_(0.5, 2)
    return peer


@pytest.fixture(scope="module", params=list(VERSIONS))
def peer(request: pytest.FixtureRequest) -> torch.nn.Module:
    return peer_of(request.param)


@pytest.fixture(scope="module")
def network(peer: torch.nn.Module) -> LTXVideoVAE:
    return load_vae(peer.state_dict())


def raw(peer: torch.nn.Module, latents: Tensor) -> Tensor:
    """Latents as diffusers has them: not normalised."""
    return latents * peer.latents_std[:, None, None, None] + peer.latents_mean[:, None, None, None]


def decoded_by(peer: torch.nn.Module, latents: Tensor, timestep: float) -> Tensor:
    told_step = torch.tensor([timestep]) if peer.config.timestep_conditioning else None
    return peer.decode(raw(peer, latents), told_step).sample


@pytest.mark.parametrize("frames", [1, 17])
@torch.no_grad()
def test_encoding_equals_diffusers(network: LTXVideoVAE, peer: torch.nn.Module, frames: int) -> None:
    pixels = torch.rand(2, 3, frames, 32, 64) * 2 - 1
    mean, log_variance, _ = network.encode_chunk(pixels, None)
    truth = peer.encode(pixels).latent_dist
    assert mean.shape == (2, 128, 1 + frames // 8, 1, 2)
    assert relative_error(raw(peer, mean), truth.mean) <= 1e-4
    log_variance = log_variance + 2 * peer.latents_std.log()[:, None, None, None]
    assert relative_error(log_variance.clamp(-30, 20), truth.logvar) <= 1e-4


@pytest.mark.parametrize("latent_frames", [1, 3])
@torch.no_grad()
def test_decoding_equals_diffusers(network: LTXVideoVAE, peer: torch.nn.Module, latent_frames: int) -> None:
    latents = torch.randn(1, 128, latent_frames, 2, 1)
    pixels, _ = network.decode_chunk(latents, None, step=LastStep(timestep=0.3, noise_scale=0))
    assert pixels.shape == (1, 3, 8 * latent_frames - 7, 64, 32)
    assert relative_error(pixels, decoded_by(peer, latents, 0.3)) <= 1e-4


@torch.no_grad()
def test_a_causal_decoder_equals_diffusers() -> None:
    peer = peer_of("0.9.1", decoder_causal=True)
    network = load_vae(peer.state_dict(), metadata=told(causal_decoder=True))
    latents = torch.randn(1, 128, 3, 1, 2)
    pixels, _ = network.decode_chunk(latents, None, step=PLAIN)
    assert relative_error(pixels, decoded_by(peer, latents, 0.05)) <= 1e-4
    assert [part.shape[2] for part in decoded_in_chunks(network, latents, 1)] == [1, 8, 8]


def with_injected_noise(peer: torch.nn.Module) -> torch.nn.Module:
    for key, tensor in peer.state_dict().items():
        if "per_channel_scale" in key:
            tensor.normal_()
    return peer


@torch.no_grad()
def test_injected_noise_enters_where_diffusers_injects_it(monkeypatch: pytest.MonkeyPatch) -> None:
    peer = with_injected_noise(peer_of("0.9.1"))
    network = load_vae(peer.state_dict())
    latents = torch.randn(1, 128, 2, 1, 2)
    drawn: list[Tensor] = []
    plane = StepNoise.plane
    monkeypatch.setattr(StepNoise, "plane", lambda self, x: drawn.append(plane(self, x)) or drawn[-1])
    pixels, _ = network.decode_chunk(latents, None, step=PLAIN)
    planes = iter(drawn)
    monkeypatch.setattr(torch, "randn", lambda shape, **_: next(planes))
    assert relative_error(pixels, decoded_by(peer, latents, 0.05)) <= 1e-4
    assert next(planes, None) is None


@pytest.mark.parametrize("chunk", [1, 3, 16])
@torch.no_grad()
def test_decoding_in_chunks_equals_decoding_at_once(network: LTXVideoVAE, chunk: int) -> None:
    latents = torch.randn(1, 128, 24, 1, 1)
    whole, _ = network.decode_chunk(latents, None)
    parts = decoded_in_chunks(network, latents, chunk)
    assert largest_difference(parts, whole) <= 1e-5
    assert chunk == 16 or sum(part.shape[2] > 0 for part in parts) > 1, "all frames were held back to the end"


@torch.no_grad()
def test_the_state_does_not_grow_with_the_film(network: LTXVideoVAE) -> None:
    sizes, state = [], None
    for _ in range(24):
        _, state = network.decode_chunk(torch.randn(1, 128, 1, 1, 1), state, last=False)
        sizes.append(sum(tensor.numel() for tensor in state))
    assert sizes[-1] == sizes[-4]


@pytest.mark.parametrize("lengths", [(1, 8, 8, 8), (9, 16), (17, 8)])
@torch.no_grad()
def test_encoding_in_chunks_equals_encoding_at_once(network: LTXVideoVAE, lengths: tuple[int, ...]) -> None:
    pixels = torch.rand(1, 3, 25, 32, 32) * 2 - 1
    whole, _, _ = network.encode_chunk(pixels, None)
    assert largest_difference(encoded_in_chunks(network, pixels, lengths), whole) <= 1e-5


def test_a_film_that_ended_cannot_go_on(network: LTXVideoVAE) -> None:
    latents = torch.randn(1, 128, 1, 1, 1)
    _, state = network.decode_chunk(latents, None)
    with pytest.raises(ValueError, match="last=False"):
        network.decode_chunk(latents, state)


@pytest.fixture(scope="module")
def noisy() -> LTXVideoVAE:
    return load_vae(with_injected_noise(peer_of("0.9.1")).state_dict())


@torch.no_grad()
def test_the_last_step_depends_on_its_seed_and_on_nothing_else(noisy: LTXVideoVAE) -> None:
    latents = torch.randn(1, 128, 5, 1, 1)
    first, again, other = (
        noisy.decode_chunk(latents, None, step=LastStep(noise_scale=0.2, seed=seed))[0] for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert (first - other).abs().max() > 1e-3
    parts = decoded_in_chunks(noisy, latents, 2, step=LastStep(noise_scale=0.2, seed=1))
    assert largest_difference(parts, first) <= 1e-5


def test_a_tile_gets_its_part_of_the_frames_noise() -> None:
    whole = StepNoise(LastStep(seed=3), torch.zeros(1, 4, 2, 6, 8))
    tile = StepNoise(LastStep(seed=3, window=(2, 3, 6, 8)), torch.zeros(1, 4, 2, 3, 4))
    of_whole = whole.mixed(torch.zeros(1, 4, 2, 6, 8), first=5)
    assert torch.equal(tile.mixed(torch.zeros(1, 4, 2, 3, 4), first=5), of_whole[..., 2:5, 3:7])
    plane = whole.plane(torch.zeros(1, 1, 1, 12, 16))
    assert torch.equal(tile.plane(torch.zeros(1, 1, 1, 6, 8)), plane[4:10, 6:14])


@torch.no_grad()
def test_without_noise_the_timestep_alone_decides() -> None:
    network = load_vae(peer_of("0.9.5").state_dict())
    latents = torch.randn(1, 128, 2, 1, 1)
    first, other_seed, other_step = (
        network.decode_chunk(latents, None, step=step)[0]
        for step in (PLAIN, LastStep(noise_scale=0, seed=7), LastStep(timestep=0.5, noise_scale=0))
    )
    assert torch.equal(first, other_seed)
    assert (first - other_step).abs().max() > 1e-4


@torch.no_grad()
def test_the_published_layout_equals_diffusers_where_both_pad_with_zeros(peer: torch.nn.Module) -> None:
    published = load_vae(peer.state_dict()).state_dict()
    network = load_vae(published, metadata=told(spatial_padding_mode="zeros"))
    latents = torch.randn(1, 128, 2, 2, 1)
    pixels, _ = network.decode_chunk(latents, None, step=PLAIN)
    assert relative_error(pixels, decoded_by(peer, latents, 0.05)) <= 1e-4


@pytest.mark.parametrize(
    ("layout", "metadata", "encoder", "decoder"),
    [
        ("diffusers", {}, "zeros", "zeros"),
        ("published", {}, "zeros", "reflect"),
        ("published", told(causal_decoder=False), "zeros", "reflect"),
        ("published", told(spatial_padding_mode="replicate"), "replicate", "replicate"),
        ("published", told(decoder_spatial_padding_mode="zeros"), "zeros", "zeros"),
    ],
)
def test_edges_are_padded_as_by_the_code_that_the_layout_belongs_to(
    layout: str, metadata: dict[str, str], encoder: str, decoder: str
) -> None:
    weights = peer_of("0.9.5").state_dict()
    if layout == "published":
        weights = load_vae(weights).state_dict()
    network = load_vae(weights, metadata=metadata)
    assert network.encoder.conv_in.conv.padding_mode == encoder
    assert network.decoder.conv_out.conv.padding_mode == decoder


@pytest.mark.parametrize("size", [(1, 4), (4, 1), (1, 1)])
@torch.no_grad()
def test_a_side_of_one_pixel_is_its_own_reflection(size: tuple[int, int]) -> None:
    layer = FilmConv3d(2, 3, torch.nn, padding_mode="reflect")
    x = torch.randn(1, 2, 5, *size)
    made = layer(x, FilmTape(None, last=True))
    padded = torch.cat([x[:, :, :1], x[:, :, :1], x], dim=2)
    for axis, (height, width) in enumerate(((0, 1), (1, 0))):
        mode = "replicate" if size[1 - axis] == 1 else "reflect"
        padded = F.pad(padded, (width, width, height, height, 0, 0), mode=mode)
    truth = F.conv3d(padded, layer.conv.weight, layer.conv.bias)
    assert torch.allclose(made, truth, atol=1e-5)


@torch.no_grad()
def test_films_of_one_cell_decode_in_the_published_layout() -> None:
    network = load_vae(load_vae(peer_of("0.9.5").state_dict()).state_dict())
    latents = torch.randn(1, 128, 6, 1, 1)
    whole, _ = network.decode_chunk(latents, None)
    assert largest_difference(decoded_in_chunks(network, latents, 1), whole) <= 1e-5


def test_the_metadata_set_what_the_weights_do_not_show() -> None:
    settings = told(spatial_padding_mode="reflect", causal_decoder=True, decode_timestep=0.1)
    network = load_vae(peer_of("0.9.5").state_dict(), metadata=settings)
    assert network.decoder.conv_out.conv.padding_mode == "reflect"
    assert network.decoder.conv_out.ahead == 0
    assert network.config.last_step == LastStep(timestep=0.1)


@pytest.mark.parametrize(
    "metadata",
    [
        told(norm_layer="group_norm"),
        told(spatial_padding_mode=["zeros"]),
        told(decoder_blocks=[["res_x", 1, 2]]),
        {"config": "["},
        {"config": "[" * 9999},
    ],
)
def test_metadata_that_ask_for_another_network_are_refused(metadata: dict[str, str]) -> None:
    with pytest.raises(WeightsError, match="LTX-Video"):
        load_vae(peer_of("0.9.0").state_dict(), metadata=metadata)


@pytest.mark.parametrize("version", list(VERSIONS))
def test_the_published_keys_are_those_that_diffusers_converts(version: str) -> None:
    from diffusers.loaders.single_file_utils import convert_ltx_vae_checkpoint_to_diffusers

    weights = peer_of(version).state_dict()
    published = {f"vae.{key}": tensor for key, tensor in load_vae(weights).state_dict().items()}
    if version == "0.9.5":  # told by the width that this version has
        published["vae.encoder.conv_out.conv.weight"] = torch.empty(129, 2048, 3, 3, 3, device="meta")
    converted = convert_ltx_vae_checkpoint_to_diffusers(published)
    unread = {"latents_mean"}  # the conversion drops it
    assert set(converted) | unread == set(weights) | unread
