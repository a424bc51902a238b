"""EF-Net: one frame told to every frame, added to the first blocks of a transformer."""

from __future__ import annotations

import folder_paths
import pytest
import torch
from comfy.samplers import CFGGuider, ksampler
from generation.wan_files import TEXT_WIDTH, prompt, write_wan
from kinograph.nodes.interpolation.end_frame_net import (
    EndFrameConfig,
    EndFrameNet,
    JointBlock,
    expanded,
    place_waves,
)
from kinograph.nodes.interpolation.nodes_end_frame import KinoEndFrame
from kinograph.nodes.interpolation.nodes_latent import KinoHighFrameRate
from kinograph.nodes.model import load_video_model
from kinograph.nodes.model_files import FOLDER
from kinograph.nodes.vae.weights_file import WeightsError
from safetensors.torch import save_file

SMALL = EndFrameConfig(width=256, head_width=64, blocks=1, frames=5, time_width=32, text_width=TEXT_WIDTH)
NOISE = torch.randn(1, 16, 3, 4, 6, generator=torch.Generator().manual_seed(1))
END = {"samples": torch.randn(1, 16, 1, 4, 6, generator=torch.Generator().manual_seed(2))}


def random_net(config: EndFrameConfig = SMALL) -> EndFrameNet:
    torch.manual_seed(0)
    network = EndFrameNet(config)
    for weight in network.parameters():
        weight.data += 0.05 * torch.randn_like(weight)
    return network.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = write_wan(tmp_path_factory.mktemp("models") / "wan.safetensors")
    return load_video_model(str(path), "auto", "auto").model


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setitem(folder_paths.folder_names_and_paths, FOLDER, ([str(tmp_path)], {".safetensors"}))
    (tmp_path / "ef_net").mkdir()
    save_file(random_net().state_dict(), tmp_path / "ef_net" / "small.safetensors")
    return tmp_path / "ef_net"


def film(model, cfg=1.0, noise=NOISE):
    guider = CFGGuider(model)
    guider.set_conds(prompt(1), prompt(2))
    guider.set_cfg(cfg)
    sigmas = torch.tensor([1.0, 0.7, 0.4, 0.0])
    return guider.sample(noise, torch.zeros_like(noise), ksampler("euler"), sigmas, disable_pbar=True)


def ending(model, file="small.safetensors", end=END, **rest):
    given = {"strength": 1.0, "start_percent": 0.0, "end_percent": 1.0, **rest}
    return KinoEndFrame.execute(model, file, end_latent=end, **given).args


def test_each_frame_is_told_the_same_tokens_times_its_own_number():
    hidden, numbers = torch.randn(2, 6, 8), torch.randn(2, 6, 4)
    numbers[..., 3] = numbers[..., 1]
    told = expanded(hidden, numbers, 4).unflatten(1, (4, 6))
    for frame in range(4):
        torch.testing.assert_close(told[:, frame], numbers[..., frame, None] * hidden)
    assert torch.equal(told[:, 1], told[:, 3])
    assert torch.linalg.matrix_rank(told[0, :, 0]) == 1


def test_other_lengths_take_their_numbers_from_those_between():
    hidden, numbers = torch.ones(1, 1, 1), torch.tensor([[[0.0, 1.0, 2.0]]])
    assert expanded(hidden, numbers, 5).flatten().tolist() == [0, 0.5, 1, 1.5, 2]


def test_a_feature_has_a_token_for_each_of_the_films():
    network = random_net()
    features = network(
        NOISE.expand(2, -1, -1, -1, -1), END["samples"], torch.randn(2, 5, TEXT_WIDTH), torch.ones(2)
    )
    assert [feature.shape for feature in features] == [(2, 3 * 2 * 3, 256)]


def test_its_blocks_are_those_of_cogvideox():
    from diffusers.models.transformers.cogvideox_transformer_3d import CogVideoXBlock

    theirs = CogVideoXBlock(256, 4, 64, 32, attention_bias=True).eval()
    ours = JointBlock(SMALL).eval()
    torch.manual_seed(0)
    for weight in theirs.parameters():
        weight.data = torch.randn_like(weight) * 0.1
    ours.load_state_dict(theirs.state_dict())
    picture, text, time = torch.randn(2, 6, 256), torch.randn(2, 5, 256), torch.randn(2, 32)
    for made, wanted in zip(ours(picture, text, time), theirs(picture, text, time), strict=True):
        torch.testing.assert_close(made, wanted, rtol=1e-4, atol=1e-4)


def test_its_places_are_told_as_in_cogvideox():
    from diffusers.models.embeddings import get_3d_sincos_pos_embed

    wanted = get_3d_sincos_pos_embed(64, (5, 4), 3, 1.875, 1.0, output_type="pt").flatten(0, 1)
    torch.testing.assert_close(place_waves((3, 4, 5), 64, torch.device("cpu")).float(), wanted.float())


def test_its_sizes_are_read_off_its_weights():
    config = EndFrameConfig(128, 32, 2, 7, 8, 16, 24)
    assert EndFrameConfig.of(EndFrameNet(config).state_dict()) == config


@pytest.mark.parametrize("cfg", [1.0, 3.0])
def test_the_end_frame_changes_the_film(model, folder, cfg):
    made = film(ending(model)[0], cfg)
    other = {"samples": END["samples"] * 2}
    assert made.isfinite().all() and not torch.allclose(made, film(model, cfg), atol=0.01)
    assert not torch.allclose(made, film(ending(model, end=other)[0], cfg), atol=1e-4)


@pytest.mark.parametrize("part", [{"strength": 0.0}, {"start_percent": 1.0}, {"end_percent": 0.0}])
def test_without_strength_or_outside_its_steps_it_changes_no_bit(model, folder, part):
    assert torch.equal(film(ending(model, **part)[0]), film(model))


def test_only_the_first_blocks_are_told(model, folder):
    seen = []
    tapped = model.clone()
    tapped.set_model_patch(lambda args: seen.append(args["img"]) or {"img": args["img"]}, "double_block")
    film(ending(tapped)[0])
    told = list(seen)
    seen.clear()
    film(tapped)
    assert not torch.allclose(told[0], seen[0])  # the first step's first block, of the same noise
    network = random_net(EndFrameConfig(256, 64, 2, 5, 16, 32, TEXT_WIDTH))
    for weight in network.out_projectors[0].parameters():
        weight.zero_()
    save_file(network.state_dict(), folder / "second.safetensors")
    seen.clear()
    plain = film(tapped)
    first = seen[0]
    seen.clear()
    assert not torch.allclose(film(ending(tapped, "second.safetensors")[0]), plain)
    assert torch.equal(seen[0], first)  # a silent first feature leaves the first block alone


def test_it_goes_with_high_frame_rate_in_one_order(model, folder):
    faster = {"method": "zerosmooth", "factor": 2}
    assert film(KinoHighFrameRate.execute(ending(model)[0], faster).args[0]).isfinite().all()
    with pytest.raises(ValueError, match=r"12 tokens where the film has 18.* put it after this one"):
        film(ending(KinoHighFrameRate.execute(model, faster).args[0])[0])


def test_nothing_stays_on_the_network_after_a_film(model, folder):
    film(ending(model)[0])
    assert not any(module._forward_hooks for module in model.model.modules())


def test_of_several_end_latents_the_first_is_used_and_told(model, folder):
    two = {"samples": torch.cat([END["samples"], END["samples"] * 2])}
    patched, report = ending(model, end=two)
    assert report.endswith("of 2 films of the end latent, the first one's last frame is used")
    assert torch.equal(film(patched), film(ending(model)[0]))


def test_what_does_not_fit_is_refused(model, folder):
    save_file({"x": torch.zeros(1)}, folder / "other.safetensors")
    with pytest.raises(WeightsError, match="holds no EF-Net"):
        ending(model, "other.safetensors")
    save_file(
        random_net(EndFrameConfig(128, 64, 1, 5, 16, 32, TEXT_WIDTH)).state_dict(),
        folder / "narrow.safetensors",
    )
    with pytest.raises(WeightsError, match="tokens of 128 channels, the model has 256"):
        ending(model, "narrow.safetensors")
    parts = random_net().state_dict()
    parts["time_embedding.linear_2.bias"] = parts.pop("out_projectors.0.bias")
    save_file(parts, folder / "parts.safetensors")
    with pytest.raises(WeightsError, match=r"no whole EF-Net: it lacks out_projectors.0.bias; .*misshapen"):
        ending(model, "parts.safetensors")
    with pytest.raises(ValueError, match="6 × 4 cells, the film of 4 × 4"):
        film(ending(model)[0], noise=NOISE[..., :4])
