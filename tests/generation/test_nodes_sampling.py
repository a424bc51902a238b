"""Sampling nodes in the embedded host: films from text, from given frames, and what is refused."""

from __future__ import annotations

import comfy.model_management
import comfy.sample
import pytest
import torch
from generation.wan_files import TEXT_WIDTH, prompt, random_weights, tiny_config, write_wan
from kinograph.host.core.nodes_custom_sampling import RandomNoise, SamplerCustomAdvanced
from kinograph.host.core.nodes_sampling import KSampler
from kinograph.nodes import sampling
from kinograph.nodes.generation import flow_sigmas, nodes_sampling
from kinograph.nodes.generation.nodes_guidance import KinoGuidance, KinoGuider, KinoStepCache
from kinograph.nodes.generation.nodes_sampling import KinoFlowSigmas, KinoSampler, KinoSamplerSelect
from kinograph.nodes.guiding import KINDS, ModelGuidance
from kinograph.nodes.model import load_video_model, with_shift
from safetensors.torch import save_file

SETTINGS = {
    "seed": 3,
    "steps": 4,
    "cfg": 3.0,
    "sampler": "euler",
    "scheduler": "simple",
    "shift": 0.0,
    "denoise": 1.0,
    "guidance": "cfg",
    "cfg_end": 1.0,
    "skip_threshold": 0.0,
    "preview_every": 0,
}
FLAT = {"method": "flat"}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = write_wan(tmp_path_factory.mktemp("models") / "wan.safetensors")
    return load_video_model(str(path), "auto", "auto").model


def latent(frames: int = 3, filled: bool = False, height: int = 4, width: int = 6) -> dict:
    shape = (1, 16, frames, height, width)
    generator = torch.Generator().manual_seed(1)
    return {"samples": torch.randn(shape, generator=generator) if filled else torch.zeros(shape)}


def film(model, given=None, method=FLAT, prompts=None, **settings):
    positive, negative = prompts or (prompt(1), prompt(2))
    given = latent() if given is None else given
    settings = {**SETTINGS, **settings}
    made, _ = KinoSampler.execute(model, positive, negative, given, method, **settings).args
    return made["samples"]


def report(model, given=None, method=FLAT, **settings) -> str:
    given = latent() if given is None else given
    return KinoSampler.execute(model, prompt(1), prompt(2), given, method, **{**SETTINGS, **settings}).args[1]


def core_film(model, given=None, sampler="euler"):
    given = latent() if given is None else given
    return KSampler.execute(model, 3, 4, 3.0, sampler, "simple", prompt(1), prompt(2), given, 1.0).args[0][
        "samples"
    ]


def test_euler_is_the_hosts_own(model):
    assert torch.allclose(film(model), core_film(model), atol=1e-4)


@pytest.mark.parametrize("sampler", nodes_sampling.SAMPLERS)
def test_the_same_seed_gives_the_same_film_and_another_another(model, sampler):
    first, again, other = (film(model, sampler=sampler, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.allclose(first, other, atol=0.1)


def test_the_parts_give_what_the_node_gives(model):
    sigmas = KinoFlowSigmas.execute(model, "simple", 4, 0.0, 1.0).args[0]
    sampler = KinoSamplerSelect.execute("heun", FLAT).args[0]
    guider = KinoGuider.execute(model, prompt(1), prompt(2), 3.0, "cfg_zero_star", 1.0).args[0]
    noise = RandomNoise.execute(3).args[0]
    made, clean = SamplerCustomAdvanced.execute(noise, guider, sampler, sigmas, latent()).args
    assert torch.equal(made["samples"], film(model, sampler="heun", guidance="cfg_zero_star"))
    assert clean["samples"].shape == made["samples"].shape


def test_a_models_shift_and_the_widgets_are_one(model):
    assert torch.equal(film(with_shift(model, 3.0)), film(model, shift=3.0))
    assert not torch.allclose(film(model), film(model, shift=3.0), atol=0.1)


GIVEN = {
    "image_to_video": ({"first": 1}, (0,)),
    "in_between": ({"first": 1, "last": 2}, (0, 3, 4)),
    "pyramid": ({"first": 2, "delay": 1}, (0, 1)),
    "extension": ({"first": 1, "window": 3, "overlap": 1}, (0,)),
}


@pytest.mark.parametrize("method", GIVEN)
def test_given_frames_stay_and_the_others_are_made(model, method):
    options, kept = GIVEN[method]
    start = latent(5, filled=True)
    made = film(model, start, {"method": method, **options})
    change = (made - start["samples"]).abs().amax(dim=(0, 1, 3, 4))
    assert {frame for frame in range(5) if change[frame] < 1e-4} == set(kept)


def test_a_masks_given_frames_count_over_the_widgets(model):
    mask = torch.ones(1, 1, 4, 4, 6)
    mask[:, :, :2] = 0
    start = {**latent(4, filled=True), "noise_mask": mask}
    method = {"method": "image_to_video"}
    made = film(model, start, method)
    assert torch.allclose(made[:, :, :2], start["samples"][:, :, :2], atol=1e-4)
    assert "first 2 latent frames are given" in report(model, start, method)


def test_a_noise_mask_under_the_hosts_sampler_is_a_schedule_per_frame(model):
    mask = torch.ones(1, 1, 3, 4, 6)
    mask[:, :, 0] = 0
    start = {**latent(filled=True), "noise_mask": mask}
    by_schedule = film(model, start, {"method": "image_to_video"})
    assert torch.allclose(core_film(model, start), by_schedule, atol=1e-4)


def test_what_is_answered_for_given_frames_does_not_change_the_others_guidance():
    x, cond, uncond = torch.randn(3, 1, 16, 4, 2, 2).unbind()
    other = cond.clone()
    other[:, :, 0] += 100.0
    levels = {sampling.LEVELS: torch.tensor([0.0, 1, 1, 1]), "sample_sigmas": torch.linspace(1, 0, 5)}
    options, made = {"transformer_options": levels}, []
    for answer in (cond, other):
        seen = {"input": x, "cond_scale": 3.0, "uncond": [], "uncond_denoised": uncond}
        seen |= {"cond_denoised": answer, "sigma": torch.tensor([0.5]), "model_options": options}
        plain = uncond + (answer - uncond) * 3.0
        made.append(ModelGuidance("cfg_zero_star").after_guidance({**seen, "denoised": plain}))
    torch.testing.assert_close(made[0][:, :, 1:], made[1][:, :, 1:])


def test_films_of_one_batch_have_the_same_frames_given(model):
    start = {"samples": latent(4, filled=True)["samples"].repeat(2, 1, 1, 1, 1)}
    start["noise_mask"] = torch.ones(2, 1, 4, 4, 6)
    start["noise_mask"][1, :, :2] = 0
    with pytest.raises(ValueError, match="films of this batch have different frames given"):
        film(model, start, {"method": "image_to_video"})


def test_an_empty_prompt_list_is_named(model):
    with pytest.raises(ValueError, match="the negative conditioning holds no prompt"):
        film(model, prompts=(prompt(1), []))


def test_windows_are_refused_where_the_model_is_given_a_picture_of_the_whole_film(tmp_path):
    path = tmp_path / "i2v.safetensors"
    save_file(random_weights(tiny_config(in_channels=36)), path)
    model = load_video_model(str(path), "auto", "auto").model
    with pytest.raises(ValueError, match=r"20 channels besides the film's 16.*text-to-video"):
        film(model, latent(5), {"method": "extension", "window": 3, "overlap": 1})


def test_a_patch_after_the_attention_to_the_text_is_honoured(model):
    seen = []

    def patch(args):
        seen.append(args["transformer_options"]["block_index"])
        return args["x"] * 0.5

    patched = model.clone()
    patched.set_model_patch(patch, "attn2_patch")
    assert not torch.allclose(film(patched), film(model), atol=1e-2)
    assert set(seen) == {0, 1}


def test_frames_to_go_on_from_must_be_there(model):
    with pytest.raises(ValueError, match=r"takes 1 latent frames as given, and they are empty.*Video Latent"):
        film(model, method={"method": "image_to_video"})


def test_guidance_kinds_differ_and_equal_ends_are_plain(model):
    plain = film(model)
    for kind in KINDS[1:]:
        assert not torch.allclose(film(model, guidance=kind, cfg_end=1.0), plain, atol=1e-2), kind
    for kind in ("over_steps", "over_frames"):
        assert torch.allclose(film(model, guidance=kind, cfg_end=3.0), plain, atol=1e-4), kind


def test_guidance_keeps_what_other_functions_changed(model):
    patched = model.clone()
    patched.set_model_sampler_post_cfg_function(lambda seen: seen["denoised"] * 0)
    guided = KinoGuidance.execute(patched, "over_steps", 3.0, 0, 0.0, 1.0).args[0]
    assert film(guided).sub(film(patched)).abs().max() < 1e-3


def test_outside_its_interval_guidance_is_off_and_the_negative_is_not_computed(model):
    batches = []
    watched = model.clone()
    watched.set_model_unet_function_wrapper(
        lambda apply, seen: (
            batches.append(len(seen["input"])) or apply(seen["input"], seen["timestep"], **seen["c"])
        )
    )
    early = KinoGuidance.execute(watched, "cfg", 1.0, 0, 0.0, 0.5).args[0]
    film(early)
    assert sorted(batches, reverse=True) == batches and set(batches) == {1, 2}
    batches.clear()
    never = KinoGuidance.execute(watched, "cfg", 1.0, 0, 1.0, 1.0).args[0]
    assert torch.allclose(film(never), film(model, cfg=1.0), atol=1e-4)


def test_zero_steps_do_not_move(model):
    seen = []
    watched = model.clone()
    watched.set_model_unet_function_wrapper(
        lambda apply, args: (
            seen.append(args["input"][0]) or apply(args["input"], args["timestep"], **args["c"])
        )
    )
    still = KinoGuidance.execute(watched, "cfg_zero_star", 1.0, 2, 0.0, 1.0).args[0]
    film(still)
    moved = [float((x - seen[0]).abs().max()) > 1e-4 for x in seen]
    assert moved == [False, False, False, True]


def test_skipped_steps_are_told_with_their_error(model):
    text = report(model, steps=8, skip_threshold=10.0)
    assert "5 of 8 calls skipped" in text and "estimated error" in text
    assert "8 steps" in text and "s per step" in text


def test_a_cache_on_the_model_works_under_any_sampler(model):
    cached = KinoStepCache.execute(model, 10.0, 1, 1, "output_change", "velocity", False).args[0]
    assert not torch.allclose(core_film(cached), core_film(model), atol=1e-3)
    measured = KinoStepCache.execute(model, 10.0, 1, 1, "output_change", "velocity", True).args[0]
    assert torch.equal(core_film(measured), core_film(cached))
    exact = KinoStepCache.execute(model, 0.0, 1, 1, "output_change", "velocity", False).args[0]
    assert torch.equal(core_film(exact), core_film(model))


def test_a_cache_leaves_a_given_pictures_latents_aside(tmp_path):
    path = tmp_path / "i2v.safetensors"
    save_file(random_weights(tiny_config(in_channels=36)), path)
    model = load_video_model(str(path), "auto", "auto").model
    cached = KinoStepCache.execute(model, 10.0, 1, 1, "input_change", "residual", False).args[0]
    assert film(cached).shape == film(model).shape


def test_two_prompts_at_two_sizes_in_a_row(model):
    first = film(model, skip_threshold=0.1)
    film(
        model,
        latent(5, height=6, width=4),
        prompts=(prompt(5, tokens=9), prompt(6, tokens=4)),
        skip_threshold=0.1,
    )
    assert torch.equal(film(model, skip_threshold=0.1), first)


def test_previews_show_the_whole_clip_every_few_steps(model, monkeypatch):
    shown = []

    class Bar:
        def __init__(self, total, node_id=None):
            self.total = total

        def update_absolute(self, value, total=None, preview=None):
            shown.append((value, preview))

    monkeypatch.setattr("comfy.utils.ProgressBar", Bar)
    film(model, preview_every=3)
    assert [value for value, _ in shown] == [1, 2, 3, 4]
    pictures = {value: preview[1].size for value, preview in shown if preview}
    assert set(pictures) == {3, 4} and len(set(pictures.values())) == 1


def test_a_cancel_ends_a_run_within_a_step(model):
    seen = []

    def cancel(function, *given, **named):
        seen.append(named["transformer_options"]["block_index"])
        comfy.model_management.interrupt_current_processing()
        return function(*given, **named)

    patched = model.clone()
    patched.model_options["transformer_options"]["optimized_attention_override"] = cancel
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        film(patched)
    assert set(seen) == {0}


def test_prompts_of_another_text_encoder_are_refused(model):
    with pytest.raises(ValueError, match=rf"tokens have 32 channels, the model takes {TEXT_WIDTH}"):
        film(model, prompts=(prompt(1, width=32), prompt(2, width=32)))


def test_latents_of_another_model_are_refused(model):
    with pytest.raises(ValueError, match="48 channels, the model takes 16"):
        film(model, {"samples": torch.ones(1, 48, 3, 4, 4)})


def test_a_model_that_is_no_flow_is_refused(model):
    other = model.clone()
    other.add_object_patch("model_sampling", torch.nn.Identity())
    with pytest.raises(ValueError, match="no flow-matching model"):
        film(other)


def test_networks_without_noise_levels_per_frame_are_refused():
    class Base:
        diffusion_model = torch.nn.Identity()

    with pytest.raises(ValueError, match=r'Identity takes one noise level.*"flat"'):
        sampling.refuse_unless_per_frame(Base())


def test_the_nodes_offer_what_there_is():
    assert list(nodes_sampling.SCHEDULES) == list(flow_sigmas.SCHEDULES)
    assert list(nodes_sampling.SAMPLERS) == list(sampling.SAMPLERS)
    assert nodes_sampling.GUIDANCE == KINDS
