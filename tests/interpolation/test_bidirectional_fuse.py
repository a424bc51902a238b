"""Denoising from both ends, in the embedded host."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from comfy import model_management
from comfy.patcher_extension import WrappersMP
from comfy.samplers import CFGGuider, ksampler
from generation.wan_files import prompt, write_wan
from kinograph.host.core.nodes_sampling import KSampler
from kinograph.nodes.bidirectional_fuse import (
    END,
    BidirectionalFuse,
    fused,
    options_backward,
    time_axis,
)
from kinograph.nodes.film_attention import forward_options
from kinograph.nodes.generation.given_frames import LEVELS
from kinograph.nodes.generation.nodes_sampling import KinoSamplerSelect
from kinograph.nodes.interpolation.nodes_conditions import KinoBidirectionalFuse
from kinograph.nodes.model import load_video_model

SIGMAS = torch.tensor([1.0, 0.7, 0.3, 0.0])
FRAMES = 4


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = write_wan(tmp_path_factory.mktemp("models") / "wan.safetensors")
    return load_video_model(str(path), "auto", "auto").model


def noise(seed: int = 3) -> torch.Tensor:
    return torch.randn(1, 16, FRAMES, 6, 8, generator=torch.Generator().manual_seed(seed))


def both(model, first=1.0, last=0.0, start=0.0, end=1.0, positive=None, negative=None):
    positive = prompt(5) if positive is None else positive
    return KinoBidirectionalFuse.execute(model, positive, first, last, start, end, negative).args[0]


def sampled(model, given, positive, negative=None, latent=None, mask=None):
    guider = CFGGuider(model)
    guider.set_conds(positive, positive if negative is None else negative)
    guider.set_cfg(1.0 if negative is None else 3.0)
    latent = torch.zeros_like(given) if latent is None else latent
    return guider.sample(given, latent, ksampler("euler"), SIGMAS, mask, seed=0)


def test_weights_of_one_are_the_plain_model_bit_for_bit(model):
    plain = sampled(model, noise(), prompt(1))
    assert torch.equal(sampled(both(model, 1.0, 1.0), noise(), prompt(1)), plain)
    assert not torch.equal(sampled(both(model), noise(), prompt(1)), plain)


def test_outside_its_part_of_sampling_it_changes_no_bit(model):
    plain = sampled(model, noise(), prompt(1))
    assert torch.equal(sampled(both(model, end=0.0), noise(), prompt(1)), plain)
    assert torch.equal(sampled(both(model, start=1.0), noise(), prompt(1)), plain)
    early = sampled(both(model, end=0.5), noise(), prompt(1))
    assert not torch.equal(early, plain)
    assert not torch.equal(early, sampled(both(model), noise(), prompt(1)))


def test_weights_of_zero_are_the_film_made_backwards(model):
    made = sampled(both(model, 0.0, 0.0), noise(), prompt(1))
    backward = sampled(model, noise().flip(2), prompt(5)).flip(2)
    torch.testing.assert_close(made, backward)


def test_the_negative_of_the_end_goes_with_it(model):
    patched = both(model, 0.0, 0.0, negative=prompt(7))
    made = sampled(patched, noise(), prompt(1), prompt(2))
    backward = sampled(model, noise().flip(2), prompt(5), prompt(7)).flip(2)
    torch.testing.assert_close(made, backward)
    own = sampled(both(model, 0.0, 0.0), noise(), prompt(1), prompt(2))
    torch.testing.assert_close(own, sampled(model, noise().flip(2), prompt(5), prompt(2)).flip(2))


@pytest.mark.parametrize("together", [True, False])
def test_each_conditioning_has_an_id_of_its_own_in_each_direction(model, monkeypatch, together):
    """Caches tell films apart by it; without room for one batch, prompt and negative come each alone."""
    monkeypatch.setattr(model_management, "get_free_memory", lambda *_: 1 << 40 if together else 0)
    seen = []

    def forward(executor, x, *given, **named):
        seen.append(tuple(forward_options(given, named)["uuids"]))
        return executor(x, *given, **named)

    watched = both(model)
    watched.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, "watch", forward)
    sampled(watched, noise(), prompt(1), prompt(2))
    runs = 2 if together else 4
    assert len(set(seen)) == runs and len(seen) == runs * (len(SIGMAS) - 1)


def test_the_samplers_own_negative_sees_given_frames_backwards_too(model):
    latent, mask = noise(9), torch.ones(1, 1, FRAMES, 6, 8)
    mask[:, :, 0] = 0
    made = sampled(both(model, 0.0, 0.0), noise(), prompt(1), prompt(2), latent, mask)
    whole = latent.flip(2), mask.flip(2)
    backward = sampled(model, noise().flip(2), prompt(5), prompt(2), *whole).flip(2)
    torch.testing.assert_close(made, backward)


def test_given_frames_are_given_backwards_too(model):
    latent, mask = noise(9), torch.ones(1, 1, FRAMES, 6, 8)
    mask[:, :, 0] = 0
    made = sampled(both(model, 0.0, 0.0), noise(), prompt(1), latent=latent, mask=mask)
    backward = sampled(model, noise().flip(2), prompt(5), latent=latent.flip(2), mask=mask.flip(2)).flip(2)
    torch.testing.assert_close(made, backward)
    torch.testing.assert_close(made[:, :, 0], latent[:, :, 0], rtol=1e-4, atol=1e-4)


def test_noise_levels_of_frames_follow_the_film_backwards(model):
    def per_frame(patched, given, latent, positive, first, last):
        method = {"method": "in_between", "first": first, "last": last}
        sampler = KinoSamplerSelect.execute("euler", method).args[0]
        guider = CFGGuider(patched)
        guider.set_conds(positive, positive)
        return guider.sample(given, latent, sampler, SIGMAS, seed=0)

    latent = noise(9)
    made = per_frame(both(model, 0.0, 0.0), noise(), latent, prompt(1), 2, 1)
    backward = per_frame(model, noise().flip(2), latent.flip(2), prompt(5), 1, 2).flip(2)
    torch.testing.assert_close(made, backward)
    assert not torch.allclose(made[:, :, 2], latent[:, :, 2], atol=0.01)


def test_swapping_the_ends_turns_the_film_around(model):
    made = sampled(both(model, positive=prompt(5)), noise(), prompt(1))
    turned = sampled(both(model, positive=prompt(1)), noise().flip(2), prompt(5))
    torch.testing.assert_close(made, turned.flip(2), rtol=1e-4, atol=1e-5)


def test_the_first_frame_is_the_forward_one_and_the_last_the_backward_one():
    forward, backward = torch.zeros(1, 2, 5, 3, 3), torch.ones(1, 2, 5, 3, 3)
    assert fused(forward, backward)[0, 0, :, 0, 0].tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    frames = fused(torch.zeros(5, 4, 3, 3), torch.ones(5, 4, 3, 3), 0.5, 0.5)
    assert frames.unique().tolist() == [0.5]


def test_a_guider_has_its_conditioning_back_after_an_interrupt():
    class Stopped(Exception):
        pass

    conds = {"positive": ["start"], END + "positive": ["end"]}
    sampling = SimpleNamespace(percent_to_sigma=lambda part: 1 - part)
    guider = SimpleNamespace(conds=conds, inner_model=SimpleNamespace(model_sampling=sampling))
    seen = []

    class Executor:
        class_obj = guider

        def __call__(self, x, timestep, model_options, seed):
            seen.append(guider.conds["positive"])
            if len(seen) == 2:
                raise Stopped
            return x

    with pytest.raises(Stopped):
        BidirectionalFuse([], None).both_ways(Executor(), noise(), torch.ones(1), {}, None)
    assert seen == [["start"], ["end"]]
    assert guider.conds is conds


def test_levels_of_frames_are_turned_and_other_options_kept():
    options = {"transformer_options": {LEVELS: torch.tensor([0.0, 0.5, 1.0]), "other": 1}, "more": 2}
    turned = options_backward(options)
    assert turned["transformer_options"][LEVELS].tolist() == [1.0, 0.5, 0.0]
    assert turned["transformer_options"]["other"] == 1 and turned["more"] == 2
    assert options["transformer_options"][LEVELS].tolist() == [0.0, 0.5, 1.0]
    assert options_backward({}) == {}


def test_a_sampler_node_takes_the_model_and_the_original_stays(model):
    latent = {"samples": torch.zeros(1, 16, FRAMES, 6, 8)}
    run = (1, 2, 1.0, "euler", "simple", prompt(1), prompt(2), latent, 1.0)
    plain = KSampler.execute(model, *run).args[0]["samples"]
    patched = both(model)
    assert not torch.equal(KSampler.execute(patched, *run).args[0]["samples"], plain)
    assert torch.equal(KSampler.execute(model, *run).args[0]["samples"], plain)


def test_a_second_one_is_refused(model):
    with pytest.raises(ValueError, match="denoises from both ends already"):
        both(both(model))


@pytest.mark.parametrize("shape", [(1, 16, 1, 4, 4), (1, 4, 8, 8), (2, 3, 4)])
def test_a_latent_that_is_no_film_is_refused(shape):
    with pytest.raises(ValueError, match="two latent frames at least"):
        time_axis(torch.zeros(shape))
