"""Our samplers behind ComfyUI's calling convention."""

from __future__ import annotations

import pytest
import torch
from generation.velocities import GaussianFlow, RandomVelocity, latent
from kinograph.nodes.generation.flow_sigmas import flow_sigmas
from kinograph.nodes.generation.k_sampler import as_k_sampler
from kinograph.nodes.generation.samplers import SAMPLERS, euler

SIGMAS = flow_sigmas("simple", 6, shift=5.0)
in_every_way = pytest.mark.parametrize("sampler", list(SAMPLERS))


class Denoiser:
    """What ComfyUI wraps around a flow model; records its noise levels and further arguments."""

    def __init__(self, network) -> None:
        self.network, self.levels, self.extra = network, [], []

    def __call__(self, x, sigma, **extra):
        self.levels.append(sigma)
        self.extra.append(extra)
        velocity = self.network(x, sigma[:, None].expand(-1, x.shape[2]))
        return x - sigma.view(-1, 1, 1, 1, 1) * velocity


@in_every_way
def test_it_samples_as_with_the_velocity(sampler):
    model = Denoiser(RandomVelocity())
    made = as_k_sampler(SAMPLERS[sampler])(model, latent(), SIGMAS)
    expected = SAMPLERS[sampler](RandomVelocity(), latent(), SIGMAS)
    torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-5)
    assert all(level.shape == (2,) for level in model.levels)


def test_the_model_gets_the_further_arguments():
    model = Denoiser(RandomVelocity())
    as_k_sampler(euler)(model, latent(), SIGMAS, {"seed": 3, "model_options": {}}, None, True)
    assert model.extra == [{"seed": 3, "model_options": {}}] * 6


@in_every_way
def test_the_callback_gets_each_steps_estimate(sampler):
    told = []
    made = as_k_sampler(SAMPLERS[sampler])(Denoiser(RandomVelocity()), latent(), SIGMAS, callback=told.append)
    assert [step["i"] for step in told] == list(range(6))
    assert [float(step["sigma"]) for step in told] == SIGMAS[:-1].tolist()
    torch.testing.assert_close(told[-1]["denoised"], made)


def test_from_a_clean_film_upwards_there_is_no_division_by_zero():
    flow, film = GaussianFlow(), latent(dtype=torch.float64)
    rising = torch.linspace(0, 0.9, 401, dtype=torch.float64)
    noise = as_k_sampler(euler)(Denoiser(flow), film, rising)
    torch.testing.assert_close(noise, flow.solution(film, 0.0, 0.9), rtol=0, atol=0.05)


def test_without_a_step_the_latent_comes_back():
    x = latent()
    assert as_k_sampler(euler)(Denoiser(RandomVelocity()), x, torch.zeros(0)) is x


def test_an_image_or_a_sound_is_sampled_too():
    def model(x, sigma):
        return x * 0.5

    for shape in [(1, 4, 8, 8), (1, 1, 32)]:
        made = as_k_sampler(euler)(model, torch.ones(shape), SIGMAS)
        assert made.shape == shape
        assert bool(made.isfinite().all())


def test_sigmas_of_another_kind_of_model_are_refused():
    with pytest.raises(ValueError, match=r"between 1 \(noise\) and 0"):
        as_k_sampler(euler)(Denoiser(RandomVelocity()), latent(), torch.tensor([14.6, 3.0, 0.0]))
