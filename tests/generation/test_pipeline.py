"""Sampling without nodes is sampling with them."""

from __future__ import annotations

import comfy.sample
import pytest
import torch
from generation.tiny_text_encoder import tiny_encoder
from generation.wan_files import write_wan
from kinograph.nodes.generation.load import load_transformer
from kinograph.nodes.generation.methods.fvdm import Extension, InBetween
from kinograph.nodes.generation.nodes_sampling import KinoSampler
from kinograph.nodes.generation.pipeline import Pipeline, Sampling
from kinograph.nodes.model import load_video_model
from kinograph.nodes.vae.wan21 import Wan21Config, Wan21VAE

PROMPTS = ["a red circle moving right", "a blue star"]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write_wan(tmp_path_factory.mktemp("models") / "wan.safetensors", tiny_encoder().width, shift="3.0")


@pytest.fixture(scope="module")
def pipeline(file) -> Pipeline:
    torch.manual_seed(0)
    vae = Wan21VAE(Wan21Config(width=4)).eval().requires_grad_(False)
    return Pipeline(load_transformer(file), tiny_encoder(), vae)


@pytest.mark.parametrize(
    ("method", "schedule"),
    [
        ({"method": "flat"}, None),
        ({"method": "in_between", "first": 1, "last": 1}, InBetween(first=1, last=1)),
        ({"method": "extension", "window": 3, "overlap": 1, "first": 2}, Extension(3, 1, first=2)),
    ],
)
def test_a_film_is_the_sampler_nodes(file, pipeline, method, schedule):
    model = load_video_model(str(file), "auto", "auto").model
    positive, negative = ([[pipeline.text.encode([text]), {}]] for text in (PROMPTS[0], ""))
    given = torch.randn(1, 16, 5, 4, 6, generator=torch.Generator().manual_seed(7))
    settings = {"steps": 3, "cfg": 2.0, "sampler": "unipc", "scheduler": "simple"}
    unchanged = {"shift": 0.0, "denoise": 1.0, "guidance": "cfg", "cfg_end": 1.0}
    made, _ = KinoSampler.execute(
        model,
        positive,
        negative,
        {"samples": given if schedule else torch.zeros_like(given)},
        method,
        seed=5,
        skip_threshold=0.0,
        preview_every=0,
        **settings,
        **unchanged,
    ).args
    noise = comfy.sample.prepare_noise(given, 5)
    ours = pipeline.sampled(PROMPTS[:1], noise, given, schedule, Sampling(**settings, shift=3.0))
    torch.testing.assert_close(ours, made["samples"], rtol=1e-4, atol=1e-4)


def test_films_of_a_batch_are_each_their_own(pipeline):
    noise = torch.randn(2, 16, 2, 4, 4, generator=torch.Generator().manual_seed(1))
    settings = Sampling(steps=2)
    both = pipeline.sampled(PROMPTS, noise, settings=settings)
    for number, prompt in enumerate(PROMPTS):
        alone = pipeline.sampled([prompt], noise[number : number + 1], settings=settings)
        torch.testing.assert_close(alone[0], both[number], rtol=1e-4, atol=1e-4)


def test_decoded_films_are_pixels_of_the_size_that_the_latents_stand_for(pipeline):
    films = pipeline.decoded(torch.randn(2, 16, 2, 3, 4))
    assert films.shape == (2, 3, 5, 24, 32)
    assert films.min() >= 0 and films.max() <= 1
