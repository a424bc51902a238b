"""Tiny autoencoders against a frame-by-frame reference, and streaming equal to the whole."""

from __future__ import annotations

import pytest
import torch
from kinograph.nodes.vae import taehv, wan21, wan22
from kinograph.nodes.vae.latents import LatentFacts
from kinograph.nodes.vae.taehv import TaehvConfig, TaehvVAE
from torch import Tensor
from torch.nn import functional as F
from vae.chunks import decoded_in_chunks, encoded_in_chunks, largest_difference, relative_error

SMALL = {"encoder_width": 8, "decoder_widths": (24, 16, 8, 12)}
KINDS = {
    "Wan 2.1": (TaehvConfig(16, **SMALL), wan21.LATENTS),
    "Wan 2.2": (TaehvConfig(48, patch=2, **SMALL), wan22.LATENTS),
    "Wan 2.2 super": (TaehvConfig(48, patch=2, wide_memory=True, **SMALL), wan22.LATENTS),
    "Hunyuan": (TaehvConfig(16, **SMALL), taehv.HUNYUAN_LATENTS),
}


@pytest.fixture(scope="module", params=list(KINDS))
def network(request: pytest.FixtureRequest) -> TaehvVAE:
    torch.manual_seed(0)
    config, latents = KINDS[request.param]
    return TaehvVAE(config, latents).eval().requires_grad_(False)


def naive(weights: dict[str, Tensor], side: str, indices: range, frames: Tensor) -> Tensor:
    """Layer after layer over all frames [T,C,H,W], straight from the published keys."""
    for index in indices:
        layer = f"{side}.{index}"
        if f"{layer}.conv.4.weight" in weights:
            pairs = torch.cat([frames, F.pad(frames, (0, 0, 0, 0, 0, 0, 1, 0))[:-1]], dim=1)
            for part in (0, 2):
                pairs = conv(weights, f"{layer}.conv.{part}", pairs).relu()
            frames = (conv(weights, f"{layer}.conv.4", pairs) + frames).relu()
        elif f"{layer}.conv.weight" in weights:
            weight = weights[f"{layer}.conv.weight"]
            if side == "encoder":
                frames = F.conv2d(frames.reshape(-1, weight.shape[1], *frames.shape[2:]), weight)
            else:
                frames = F.conv2d(F.interpolate(frames, scale_factor=2), weight)
                frames = frames.reshape(-1, weight.shape[1], *frames.shape[2:])
        elif f"{layer}.weight" in weights:
            strided = side == "encoder" and index in (3, 8, 13)
            frames = conv(weights, layer, frames, stride=2 if strided else 1)
        elif (side, index) in (("encoder", 1), ("decoder", 2), ("decoder", 21)):
            frames = frames.relu()
    return frames


def conv(weights: dict[str, Tensor], layer: str, frames: Tensor, stride: int = 1) -> Tensor:
    return F.conv2d(frames, weights[f"{layer}.weight"], weights.get(f"{layer}.bias"), stride, padding=1)


def along(values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values)[:, None, None, None]


def base_kinds() -> list[str]:
    return [kind for kind, (config, _) in KINDS.items() if not config.wide_memory]


@pytest.mark.parametrize("kind", base_kinds())
@pytest.mark.parametrize("latent_frames", [1, 3])
@torch.no_grad()
def test_decoding_equals_the_reference(kind: str, latent_frames: int) -> None:
    config, facts = KINDS[kind]
    network = TaehvVAE(config, facts)
    latents = torch.randn(1, facts.channels, latent_frames, 3, 2)
    pixels, _ = network.decode_chunk(latents * along(facts.deviation) + along(facts.mean), None)
    clamped = torch.tanh(latents[0].movedim(1, 0) / 3) * 3
    frames = naive(dict(network.state_dict()), "decoder", range(1, 23), clamped)
    truth = F.pixel_shuffle(frames, config.patch)[3:].movedim(0, 1)[None]
    assert pixels.shape == (1, 3, 4 * latent_frames - 3, 3 * facts.space, 2 * facts.space)
    assert relative_error((pixels + 1) / 2, truth) <= 1e-4


@pytest.mark.parametrize("kind", base_kinds())
@pytest.mark.parametrize("frames", [1, 5, 8, 10])
@torch.no_grad()
def test_encoding_equals_the_reference_and_fills_up_with_the_last_frame(kind: str, frames: int) -> None:
    config, facts = KINDS[kind]
    network = TaehvVAE(config, facts)
    pixels = torch.rand(1, 3, frames, 32, 48) * 2 - 1
    mean, _, _ = network.encode_chunk(pixels, None)
    filled = torch.cat([pixels, *[pixels[:, :, -1:]] * (-frames % 4)], dim=2)
    pictures = F.pixel_unshuffle((filled[0].movedim(1, 0) + 1) / 2, config.patch)
    truth = naive(dict(network.state_dict()), "encoder", range(18), pictures).movedim(0, 1)[None]
    assert relative_error((mean - along(facts.mean)) / along(facts.deviation), truth) <= 1e-4


@pytest.mark.parametrize("chunk", [1, 2, 5])
@torch.no_grad()
def test_decoding_in_chunks_equals_decoding_at_once(network: TaehvVAE, chunk: int) -> None:
    latents = torch.randn(1, network.facts.channels, 5, 2, 3)
    whole, _ = network.decode_chunk(latents, None)
    assert largest_difference(decoded_in_chunks(network, latents, chunk), whole) <= 1e-5


@pytest.mark.parametrize("lengths", [(1, 4, 4, 4), (5, 8), (3, 3, 7), (1,) * 13])
@torch.no_grad()
def test_encoding_in_chunks_equals_encoding_at_once(network: TaehvVAE, lengths: tuple[int, ...]) -> None:
    pixels = torch.rand(1, 3, 13, 32, 32) * 2 - 1
    whole, _, _ = network.encode_chunk(pixels, None)
    assert whole.shape[2] == 4
    assert largest_difference(encoded_in_chunks(network, pixels, lengths), whole) <= 1e-5


@torch.no_grad()
def test_weights_for_raw_latents_take_them_as_they_are() -> None:
    config, facts = KINDS["Wan 2.1"]
    normalising, raw = TaehvVAE(config, facts), TaehvVAE(config, facts, normalised=False)
    raw.load_state_dict(normalising.state_dict())
    latents = torch.randn(1, 16, 2, 2, 2)
    from_raw, _ = normalising.decode_chunk(latents * along(facts.deviation) + along(facts.mean), None)
    assert relative_error(raw.decode_chunk(latents, None)[0], from_raw) <= 1e-5


@pytest.mark.parametrize("kind", list(KINDS))
def test_its_sizes_are_read_off_its_weights(kind: str) -> None:
    config, facts = KINDS[kind]
    assert TaehvConfig.of(TaehvVAE(config, facts).state_dict()) == config


def test_other_folds_in_time_are_read_off_too() -> None:
    config = TaehvConfig(128, pools=(2, 2, 2), grows=(2, 2, 2), patch=4, **SMALL)
    facts = LatentFacts("LTX-Video", 128, 32, 8, (0.0,) * 128, (1.0,) * 128)
    network = TaehvVAE(config, facts)
    assert TaehvConfig.of(network.state_dict()) == config
    assert (network.space, network.time) == (32, 8)
