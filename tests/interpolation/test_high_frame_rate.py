"""High Frame Rate: key frames as the model alone makes them, and frames between that fit to them."""

from __future__ import annotations

import pytest
import torch
from comfy.samplers import CFGGuider, ksampler
from generation.wan_files import prompt, write_wan
from kinograph.nodes.generation.nodes_sampling import KinoSampler
from kinograph.nodes.generation.wan_positions import rotate, rotations, turned_in_time
from kinograph.nodes.interpolation.key_frames import corrected, key_count, lenders
from kinograph.nodes.interpolation.nodes_latent import KinoHighFrameRate
from kinograph.nodes.model import load_video_model

FACTOR = 2
SIGMAS = torch.tensor([1.0, 0.7, 0.4, 0.0])
NOISE = torch.randn(1, 16, 5, 4, 6, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = write_wan(tmp_path_factory.mktemp("models") / "wan.safetensors")
    return load_video_model(str(path), "auto", "auto").model


def faster(model, **values):
    method = {"method": "zerosmooth", "factor": FACTOR, **values}
    return KinoHighFrameRate.execute(model, method).args[0]


def film(model, noise=NOISE, cfg=1.0):
    guider = CFGGuider(model)
    guider.set_conds(prompt(1), prompt(2))
    guider.set_cfg(cfg)
    return guider.sample(noise, torch.zeros_like(noise), ksampler("euler"), SIGMAS, disable_pbar=True)


def with_block_tap(model, seen):
    """The MODEL, telling what each block hands on: (block, tokens)."""
    tapped = model.clone()
    tapped.set_model_patch(
        lambda args: seen.append((args["block_index"], args["img"])) or {"img": args["img"]}, "double_block"
    )
    return tapped


def test_a_correction_sets_the_key_rows_and_leaves_all_others():
    states, keys = torch.randn(2, 9, 3, 4), torch.randn(2, 3, 3, 4)
    made = corrected(states, keys, 4, 1.0)
    assert torch.equal(made[:, ::4], keys)  # A·h' = h_key
    others = [index for index in range(9) if index % 4]
    assert torch.equal(made[:, others], states[:, others])
    torch.testing.assert_close(corrected(states, keys, 4, 0.5)[:, ::4], (states[:, ::4] + keys) / 2)


@pytest.mark.parametrize("values", [{"factor": 1}, {"strength": 0.0}])
def test_without_factor_or_strength_the_film_is_the_models_own_bit_for_bit(model, values):
    assert torch.equal(film(faster(model, **values)), film(model))


@pytest.mark.parametrize(("cfg", "borrow"), [(1.0, 0.0), (3.0, 1.0)])
def test_key_frames_are_those_that_the_model_makes_alone(model, cfg, borrow):
    made = film(faster(model, borrow=borrow), cfg=cfg)
    assert torch.equal(made[:, :, ::FACTOR], film(model, NOISE[:, :, ::FACTOR], cfg))
    assert made.isfinite().all()
    assert not torch.allclose(made, film(model, cfg=cfg), atol=0.1)


def test_after_every_block_the_key_rows_are_those_of_the_short_branch(model):
    seen = []
    film(with_block_tap(faster(model), seen))
    frames = 3, 5
    assert len(seen) == 3 * 2 * 2  # steps, branches, blocks
    for step in range(3):
        short, whole = (dict(seen[4 * step + 2 * part : 4 * step + 2 * part + 2]) for part in range(2))
        for block in range(2):
            keys, tokens = (
                run[block].unflatten(1, (count, -1))
                for run, count in zip((short, whole), frames, strict=True)
            )
            assert torch.equal(tokens[:, ::FACTOR], keys)


def test_a_smaller_strength_moves_key_frames_part_of_the_way(model):
    alone = film(model, NOISE[:, :, ::FACTOR])
    distances = [
        float((film(faster(model, strength=strength, borrow=0.0))[:, :, ::FACTOR] - alone).norm())
        for strength in (0.3, 0.7, 1.0)
    ]
    assert distances[0] > distances[1] > distances[2] == 0


def test_outside_its_steps_frames_only_stand_closer_in_time(model):
    plain = model.clone()
    plain.model_options["transformer_options"]["rope_options"] = {"scale_t": 1 / FACTOR}
    assert torch.equal(film(faster(model, start_percent=1.0)), film(plain))


def test_layers_that_are_left_out_are_not_corrected(model):
    seen = []
    film(with_block_tap(faster(model, layers="1", borrow=0.0), seen))
    (first, keys), (_, tokens) = seen[0], seen[2]
    assert first == 0
    assert not torch.equal(tokens.unflatten(1, (5, -1))[:, ::FACTOR], keys.unflatten(1, (3, -1)))


def test_frames_between_borrow_from_the_key_frame_before_or_after():
    found = lenders(9, 4, 1.0, torch.Generator().manual_seed(0))
    assert found[::4].tolist() == [0, 4, 8]
    assert all(lender in (index // 4 * 4, index // 4 * 4 + 4) for index, lender in enumerate(found.tolist()))
    draws = torch.stack([lenders(9, 4, 0.5, torch.Generator().manual_seed(n)) for n in range(200)])
    own = (draws == torch.arange(9)).float().mean(dim=0)
    assert (own[[1, 2, 3, 5, 6, 7]] - 0.5).abs().max() < 0.12


def test_keys_turned_in_time_are_keys_of_another_frame():
    grid, keys = (3, 2, 2), torch.randn(1, 12, 2, 20)
    moved = rotate(keys, rotations(grid, 20, keys.device, shift=(1.5, 0.0, 0.0)))
    here = rotate(keys, rotations(grid, 20, keys.device)).unflatten(1, (3, 4))
    turned = turned_in_time(here, torch.full((3,), 1.5)).flatten(1, 2)
    torch.testing.assert_close(turned, moved)


def test_shifting_all_places_in_time_changes_no_film(model):
    moved = model.clone()
    moved.model_options["transformer_options"]["rope_options"] = {"shift_t": 7.0}
    torch.testing.assert_close(film(moved), film(model), rtol=1e-3, atol=1e-3)
    scaled = model.clone()
    scaled.model_options["transformer_options"]["rope_options"] = {"scale_x": 0.5}
    assert not torch.allclose(film(scaled), film(model), atol=1e-2)


def test_what_other_packs_have_put_into_blocks_and_attention_is_called_in_both_branches(model):
    calls = {"block": [], "attention": []}

    def block(args, extra):
        calls["block"].append(args["img"].shape[1])
        return extra["original_block"](args)

    def attention(func, q, k, v, heads, **named):
        calls["attention"].append(q.shape[1])
        return func(q, k, v, heads, **named)

    other = model.clone()
    other.set_model_patch_replace(block, "dit", "double_block", 1)
    other.model_options["transformer_options"]["optimized_attention_override"] = attention
    film(faster(other))
    assert calls["block"] == [3 * 6, 5 * 6] * 3
    assert {calls["attention"].count(tokens) for tokens in (3 * 6, 5 * 6)} == {3 * 2 * 2}


def sampled(model, method, **settings):
    """By the pack's sampler; the result and its report."""
    widgets = {"seed": 3, "steps": 3, "cfg": 1.0, "sampler": "unipc", "scheduler": "simple", "shift": 0.0}
    widgets |= {"denoise": 1.0, "guidance": "cfg", "cfg_end": 1.0, "skip_threshold": 0.0, "preview_every": 0}
    given = {"samples": NOISE.clone()}
    return KinoSampler.execute(
        faster(model), prompt(1), prompt(2), given, method, **{**widgets, **settings}
    ).args


def test_skipped_steps_keep_both_branches_apart(model):
    exact, _ = sampled(model, {"method": "flat"}, steps=8)
    skipped, report = sampled(model, {"method": "flat"}, steps=8, skip_threshold=0.3)
    assert "prompt 2" in report  # a stream for the key frames and one for the film
    assert skipped["samples"].isfinite().all()
    assert (skipped["samples"] - exact["samples"]).std() < exact["samples"].std()


def test_given_frames_of_a_schedule_stay_and_are_key_frames_too(model):
    made, _ = sampled(model, {"method": "in_between", "first": 1, "last": 1})
    torch.testing.assert_close(made["samples"][:, :, [0, 4]], NOISE[:, :, [0, 4]])
    assert not torch.allclose(made["samples"][:, :, 2], NOISE[:, :, 2], atol=0.1)


def test_lengths_that_do_not_end_with_a_key_frame_are_refused(model):
    assert [key_count(frames, 4) for frames in (5, 9, 81)] == [2, 3, 21]
    with pytest.raises(ValueError, match=r"4 latent frames; at 2 times the rate .* as with 3 or 5"):
        film(faster(model), NOISE[:, :, :4])


def test_other_networks_and_context_windows_are_refused(model):
    other = model.clone()
    other.model = type("Base", (), {"diffusion_model": torch.nn.Identity()})()
    with pytest.raises(ValueError, match="inside the blocks of Wan models, and this is Identity"):
        faster(other)
    windowed = faster(model)
    windowed.model_options["transformer_options"]["context_window"] = object()
    with pytest.raises(ValueError, match="context windows do not go together"):
        film(windowed)


def test_blocks_that_the_model_has_not_are_refused(model):
    with pytest.raises(ValueError, match="correct block 99, and this model has 2"):
        faster(model, layers="0-99")
    with pytest.raises(ValueError, match="ranges, 0 to 999"):
        faster(model, layers="0-99999999999")


def test_a_second_one_is_refused(model):
    with pytest.raises(ValueError, match=r"12 tokens where the film has 18.* second High Frame Rate"):
        film(faster(faster(model)))


def test_tokens_beside_the_films_are_refused(model):
    def block(args, extra):
        longer = torch.cat([args["img"], args["img"][:, :6]], dim=1)
        return extra["original_block"]({**args, "img": longer, "pe": torch.cat([args["pe"], args["pe"][:6]])})

    other = model.clone()
    other.set_model_patch_replace(block, "dit", "double_block", 1)
    with pytest.raises(ValueError, match=r"24 tokens where the film has 18.*as sketches do"):
        film(faster(other))


def test_the_report_tells_which_latents_fit(model):
    report = KinoHighFrameRate.execute(model, {"method": "zerosmooth", "factor": 3}).args[1]
    assert report.startswith("Latents of 3·n + 1 frames fit, films of 12·n + 1 frames")
