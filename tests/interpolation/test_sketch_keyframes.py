"""Sketches of key frames: tokens beside the film's at their frames' places, and adapters within frames."""

from __future__ import annotations

import folder_paths
import pytest
import torch
from comfy.samplers import CFGGuider, ksampler
from generation.wan_files import prompt, write_wan
from kinograph.nodes.interpolation.nodes_sketches import KinoSketchKeyframes
from kinograph.nodes.interpolation.sketch_adapter import AdapterConfig, SketchAdapter, SpatialAdapter
from kinograph.nodes.interpolation.sketch_frames import conditioned, frame_numbers, latent_frame, sketch_film
from kinograph.nodes.model import load_video_model
from kinograph.nodes.model_files import FOLDER
from kinograph.nodes.vae.weights_file import WeightsError
from safetensors.torch import save_file

CONFIG = AdapterConfig(width=256, rank=24, blocks=2)
NOISE = torch.randn(1, 16, 3, 4, 6, generator=torch.Generator().manual_seed(1))
SKETCHES = torch.rand(2, 40, 60, 3, generator=torch.Generator().manual_seed(2))


class PlainVAE:
    """Every fourth frame, small, sixteen times over."""

    def spacial_compression_decode(self):
        return 8

    def encode(self, film):
        small = torch.nn.functional.avg_pool2d(film[::4].movedim(-1, 1), 8)[:, :1]
        return small.movedim(0, 1)[None].expand(1, 16, -1, -1, -1).clone()


def adapter_weights(silent: bool = False, config: AdapterConfig = CONFIG) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    weights = {name: 0.05 * torch.randn_like(one) for name, one in SketchAdapter(config).state_dict().items()}
    if silent:
        weights |= {name: one * 0 for name, one in weights.items() if "up_proj" in name}
    return weights


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = write_wan(tmp_path_factory.mktemp("models") / "wan.safetensors")
    return load_video_model(str(path), "auto", "auto").model


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Files of adapters: one whose adapters are silent, and one whose are not."""
    monkeypatch.setitem(
        folder_paths.folder_names_and_paths, FOLDER, ([str(tmp_path)], {".safetensors", ".ckpt"})
    )
    (tmp_path / "tooncomposer").mkdir()
    save_file(adapter_weights(silent=True), tmp_path / "tooncomposer" / "silent.safetensors")
    torch.save(adapter_weights(), tmp_path / "tooncomposer" / "loud.ckpt")
    return tmp_path / "tooncomposer"


def film(model, noise=NOISE, cfg=1.0):
    guider = CFGGuider(model)
    guider.set_conds(prompt(1), prompt(2))
    guider.set_cfg(cfg)
    sigmas = torch.tensor([1.0, 0.5, 0.0])
    return guider.sample(noise, torch.zeros_like(noise), ksampler("euler"), sigmas, disable_pbar=True)


def sketched(model, file="loud.ckpt", sketches=SKETCHES, frames="0, 5", **rest):
    given = {"strength": 1.0, "residual": 0.5, "vae": PlainVAE(), "latent": {"samples": NOISE}, **rest}
    return KinoSketchKeyframes.execute(model, file, sketches=sketches, frames=frames, **given).args


def test_silent_adapters_without_sketches_change_no_bit(model, folder):
    assert torch.equal(film(sketched(model, "silent.safetensors", None)[0]), film(model))
    assert torch.equal(film(sketched(model, "loud.ckpt", None, strength=0.0)[0]), film(model))
    assert not torch.allclose(film(sketched(model, "loud.ckpt", None)[0]), film(model), atol=1e-3)


def test_an_adapter_looks_within_each_frame_alone():
    torch.manual_seed(0)
    adapter = SpatialAdapter(32, 24)
    torch.nn.init.normal_(adapter.spatial_up_proj.weight)
    tokens = torch.randn(1, 3 * 6, 32)
    other = tokens.clone()
    other[:, 6:7] += 1  # one patch of the second frame
    changed = (adapter(tokens, 2, 3) - adapter(other, 2, 3)).abs().amax(dim=-1).view(3, 6)
    assert (changed > 1e-6).any(dim=1).tolist() == [False, True, False]
    assert (changed[1] > 1e-6).all()


def test_so_many_sketches_add_so_many_frames_of_tokens_in_every_block(model, folder):
    seen = []

    def block(args, extra):
        seen.append((args["img"].shape[1], args["pe"]))
        return extra["original_block"](args)

    other = model.clone()
    for index in range(2):
        other.set_model_patch_replace(block, "dit", "double_block", index)
    made = film(sketched(other)[0])
    assert made.shape == NOISE.shape
    assert {tokens for tokens, _ in seen} == {(3 + 2) * 6}
    for _, turns in seen:
        assert torch.equal(turns[18:24], turns[:6])  # of frame 0
        assert torch.equal(turns[24:30], turns[12:18])  # frame 5 is in latent frame 2


@pytest.mark.parametrize("cfg", [1.0, 3.0])
def test_sketches_and_where_they_stand_count(model, folder, cfg):
    plain = film(sketched(model, sketches=None)[0], cfg=cfg)
    early, late = (film(sketched(model, frames=frames)[0], cfg=cfg) for frames in ("0, 1", "0, 8"))
    assert not torch.allclose(plain, early, atol=1e-3) and not torch.allclose(early, late, atol=1e-3)
    loose = film(sketched(model, frames="0, 8", residual=0.0)[0], cfg=cfg)
    assert not torch.allclose(loose, late, atol=1e-3)


def test_regions_left_blank_count(model, folder):
    blank = torch.zeros(1, 20, 30)
    nowhere = film(sketched(model, blank=blank)[0])
    torch.testing.assert_close(nowhere, film(sketched(model)[0]))
    blank[:, 5:15, 5:25] = 1
    assert not torch.allclose(film(sketched(model, blank=blank)[0]), nowhere, atol=1e-4)


def test_a_sketch_is_taken_as_its_latent_and_two_masks():
    latents = torch.randn(1, 16, 3, 2, 2)
    blank = torch.tensor([[[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    made = conditioned(latents, [5, 0], blank)
    assert made.frames == [0, 2]
    assert torch.equal(made.channels[:, 4:20], latents[:, :, [0, 2]])
    assert made.channels[0, :4, 0].eq(1).all()  # the first frame counts four times
    assert made.channels[0, :4, 1, 0, 0].tolist() == [1, 0, 0, 0]  # frame 5 is the first of 5 to 8
    assert made.channels[0, 20:, 1, 0, 0].tolist() == [0, 1, 1, 1]  # and blank in a corner
    assert made.channels[0, 20:, 0].eq(1).all()


def test_frames_lie_in_the_latent_frame_that_wan_puts_them_in():
    assert [latent_frame(frame) for frame in (0, 1, 4, 5, 8, 60)] == [0, 1, 1, 2, 2, 15]
    drawn = sketch_film(torch.zeros(1, 2, 2, 3), [1], 3)
    assert drawn[:, 0, 0, 0].tolist() == [0.5, 1.0, 0.5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0, 9", "from 0 to 8"),
        ("a", "from 0 to 8"),
        ("0, ²", "from 0 to 8"),
        ("0, " + "9" * 5000, "from 0 to 8"),
        ("0, -1", "from 0 to 8"),
        ("0", "2 sketches and 1 frames"),
        ("3, 3", "2 sketches and 1"),
    ],
)
def test_frames_that_do_not_fit_the_sketches_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        frame_numbers(text, 9, 2)


def test_another_films_sketches_are_refused(model, folder):
    with pytest.raises(ValueError, match="wire the same latent into both"):
        film(sketched(model)[0], NOISE[:, :, :, :2])
    with pytest.raises(ValueError, match="wire both"):
        sketched(model, vae=None)


class PictureVAE(PlainVAE):
    """Knows single pictures only."""

    def encode(self, film):
        return torch.zeros(len(film), 4, film.shape[1] // 8, film.shape[2] // 8)


def test_latents_and_masks_of_other_shapes_are_refused(model, folder):
    with pytest.raises(ValueError, match="the latent is no film"):
        sketched(model, latent={"samples": NOISE[:, :, 0]})
    with pytest.raises(ValueError, match="2 sketches and 3 masks"):
        sketched(model, blank=torch.zeros(3, 20, 30))
    with pytest.raises(ValueError, match=r"latents of shape \[9, 4, 4, 6\].*wire Wan 2.1's VAE"):
        sketched(model, vae=PictureVAE())


def test_files_of_other_kinds_and_sizes_are_refused(model, folder):
    save_file({"x": torch.zeros(1)}, folder / "other.safetensors")
    with pytest.raises(WeightsError, match="holds no sketch adapter"):
        sketched(model, "other.safetensors", None)
    wide = AdapterConfig(width=512, rank=24, blocks=3)
    save_file(adapter_weights(config=wide), folder / "wide.safetensors")
    with pytest.raises(WeightsError, match="3 blocks of width 512, the model has 2 of width 256"):
        sketched(model, "wide.safetensors", None)


def test_a_file_with_parts_of_an_adapter_is_refused(model, folder):
    weights = adapter_weights()
    weights["sequence_cond_identifier"] = weights.pop("blocks.1.dera.spatial_attn.o.bias")
    save_file(weights, folder / "parts.safetensors")
    with pytest.raises(WeightsError, match=r"no whole sketch adapter: it lacks blocks.1.*misshapen"):
        sketched(model, "parts.safetensors", None)


def test_files_without_region_masks_or_residual_and_with_a_lora_are_read(model, folder):
    weights = adapter_weights()
    embedding = "sequence_cond_patch_embedding.weight"
    weights[embedding] = weights[embedding][:, :20].clone()
    del weights["sequence_cond_residual_proj.weight"]
    weights["blocks.0.self_attn.q.lora_A.default.weight"] = torch.randn(4, 256)
    weights["blocks.0.self_attn.q.lora_B.default.weight"] = torch.randn(256, 4)
    save_file(weights, folder / "lora.safetensors")
    patched, report = sketched(model, "lora.safetensors")
    assert "changes 1 weights" in report and "2 sketches, of latent frames 0, 2" in report
    assert film(patched).isfinite().all()


def test_nothing_stays_on_the_network_after_a_film(model, folder):
    before = film(model)
    film(sketched(model)[0])
    assert torch.equal(film(model), before)
    assert not any(module._forward_hooks for module in model.model.modules())
