"""Sampling without ComfyUI: guidance, masks, wrappers and patches around a small linear model."""

from __future__ import annotations

import comfy.sample
import comfy.samplers
import pytest
import torch
from comfy.model_patcher import ModelPatcher
from comfy.model_sampling import CONST, ModelSamplingDiscreteFlow
from comfy.patcher_extension import CallbacksMP, WrappersMP
from kinograph.host.core import nodes_sampling

CPU = torch.device("cpu")
SHAPE = (1, 2, 3, 4, 4)


class Flow(ModelSamplingDiscreteFlow, CONST):
    pass


class Towards(torch.nn.Module):
    """Always predicts its conditioning's number as the clean latent; latents are twice the model's."""

    def __init__(self):
        super().__init__()
        self.model_sampling = Flow()
        self.calls = []

    def process_latent_in(self, latent):
        return latent / 2

    def process_latent_out(self, latent):
        return latent * 2

    def scale_latent_inpaint(self, latent_image, **_):
        return latent_image

    def memory_required(self, input_shape):
        return 0

    def extra_conds(self, cross_attn, **_):
        return {"c_crossattn": cross_attn}

    def apply_model(self, x, t, c_crossattn, transformer_options):
        self.calls.append(transformer_options["cond_or_uncond"])
        return c_crossattn.view(-1, 1, 1, 1, 1).expand_as(x)


@pytest.fixture
def model() -> ModelPatcher:
    return ModelPatcher(Towards(), CPU, CPU)


def text(number: float, **options) -> list:
    return [[torch.tensor([[number]]), options]]


def sampled(model, positive, negative=None, cfg=1.0, latent=None, sampler="euler", **named):
    latent = torch.zeros(SHAPE) if latent is None else latent
    noise = comfy.sample.prepare_noise(latent, 1)
    negative = text(0.0) if negative is None else negative
    return comfy.sample.sample(
        model, noise, 4, cfg, sampler, "simple", positive, negative, latent, seed=1, **named
    )


def close(samples, number) -> bool:
    return bool(torch.allclose(samples, torch.full_like(samples, number), atol=1e-5))


@pytest.mark.parametrize("sampler", comfy.samplers.SAMPLER_NAMES)
def test_every_sampler_arrives_where_the_model_points(model, sampler):
    assert close(sampled(model, text(3.0), sampler=sampler), 6.0)


def test_guidance_leads_away_from_the_negative_in_one_forward(model):
    assert close(sampled(model, text(3.0), text(1.0), cfg=2.0), 10.0)
    assert model.model.calls == [[0, 1]] * 4


def test_at_scale_one_the_negative_is_not_computed(model):
    sampled(model, text(3.0), text(1.0))
    assert model.model.calls == [[0]] * 4


def test_entries_of_one_conditioning_are_averaged_by_strength(model):
    both = text(3.0, strength=3.0) + text(7.0, strength=1.0)
    assert close(sampled(model, both), 8.0)


def test_an_entry_counts_in_its_part_of_sampling(model):
    assert close(sampled(model, text(3.0, end_percent=0.4) + text(7.0, start_percent=0.6)), 14.0)


def test_outside_the_mask_the_latent_stays(model):
    mask = torch.ones(1, 1, *SHAPE[2:])
    mask[:, :, 0] = 0
    latent = torch.full(SHAPE, 5.0)
    samples = sampled(model, text(3.0), latent=latent, noise_mask=mask)
    assert close(samples[:, :, 0], 5.0) and close(samples[:, :, 1:], 6.0)


def test_functions_after_guidance_are_of_one_clone_only(model):
    patched = model.clone()
    patched.set_model_sampler_post_cfg_function(lambda seen: seen["denoised"] + 1)
    assert close(sampled(patched, text(3.0)), 8.0) and close(sampled(model, text(3.0)), 6.0)


def test_wrappers_surround_their_step_the_first_outermost(model):
    told = []

    def wrapper(name):
        def around(executor, *given, **named):
            told.append(name)
            return executor(*given, **named)

        return around

    patched = model.clone()
    places = (WrappersMP.OUTER_SAMPLE, WrappersMP.SAMPLER_SAMPLE, WrappersMP.PREDICT_NOISE)
    for place in (*places, WrappersMP.CALC_COND_BATCH):
        patched.add_wrapper_with_key(place, "test", wrapper(place))
    patched.add_wrapper(WrappersMP.OUTER_SAMPLE, wrapper("second"))
    patched.add_callback(CallbacksMP.ON_CLEANUP, lambda patcher: told.append("cleanup"))
    sampled(patched, text(3.0))
    steps = [WrappersMP.PREDICT_NOISE, WrappersMP.CALC_COND_BATCH] * 4
    assert told == [WrappersMP.OUTER_SAMPLE, "second", WrappersMP.SAMPLER_SAMPLE, *steps, "cleanup"]
    sampled(model, text(3.0))
    assert len(told) == 12


def test_object_patches_last_for_the_run(model):
    patched, shifted = model.clone(), Flow()
    shifted.set_parameters(shift=5.0)
    patched.add_object_patch("model_sampling", shifted)
    seen = []
    patched.set_model_sampler_post_cfg_function(
        lambda args: seen.append(args["model"].model_sampling) or args["denoised"]
    )
    sampled(patched, text(3.0))
    assert set(seen) == {shifted} and model.model.model_sampling is not shifted


def test_denoise_takes_the_last_steps_of_a_longer_schedule():
    sampling = Flow()
    sampling.set_parameters(shift=3.0)
    whole = comfy.samplers.calculate_sigmas(sampling, "simple", 8)
    assert torch.equal(comfy.samplers.partial_sigmas(sampling, "simple", 4, 0.5), whole[4:])
    assert not len(comfy.samplers.partial_sigmas(sampling, "simple", 4, 0.0))


def test_noise_follows_the_seed_and_the_place_in_the_batch():
    latent = torch.zeros(2, *SHAPE[1:])
    noise = comfy.sample.prepare_noise(latent, 7)
    again = comfy.sample.prepare_noise(latent, 7, [1, 0])
    assert torch.equal(noise[0], again[1]) and not torch.equal(noise, again)


def test_an_empty_latent_takes_the_models_channels_and_cells(model):
    class Format:
        latent_channels, latent_dimensions = 48, 3
        spacial_downscale_ratio, temporal_downscale_ratio = 16, 4

    model.add_object_patch("latent_format", Format())
    fixed = comfy.sample.fix_empty_latent_channels
    assert fixed(model, torch.zeros(1, 16, 3, 8, 12), 8).shape == (1, 48, 3, 4, 6)
    assert fixed(model, torch.zeros(1, 16, 8, 12)).shape == (1, 48, 1, 8, 12)
    filled = torch.ones(1, 16, 3, 8, 12)
    assert fixed(model, filled, 8) is filled


def test_the_nodes_offer_what_there_is():
    assert list(nodes_sampling.SAMPLERS) == comfy.samplers.SAMPLER_NAMES
    assert list(nodes_sampling.SCHEDULERS) == comfy.samplers.SCHEDULER_NAMES
