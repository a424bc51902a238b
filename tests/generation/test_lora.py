"""LoRAs of Wan in their common layouts, merged and live."""

from __future__ import annotations

import json

import pytest
import torch
from generation.tiny_wan import PICTURE, TEXT_WIDTH, noise, relative_error, wan
from kinograph.nodes.generation.lora import live, merge, patched, read_lora
from kinograph.nodes.generation.wan import WanTransformer
from kinograph.nodes.generation.wan_layouts import diffusers_name
from kinograph.nodes.vae.weights_file import WeightsError

LAYERS = (
    "blocks.0.self_attn.q",
    "blocks.0.cross_attn.o",
    "blocks.1.ffn.0",
    "blocks.1.ffn.2",
    "time_projection.1",
    "text_embedding.2",
    "head.head",
)
RANK, ALPHA = 4, 2.0


@pytest.fixture()
def network():
    return wan()


def matrices(network: WanTransformer) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """down and up by layer."""
    made = {}
    for seed, layer in enumerate(LAYERS):
        outputs, inputs = network.get_submodule(layer).weight.shape
        made[layer] = (noise(RANK, inputs, seed=seed) / 16, noise(outputs, RANK, seed=seed + 99))
    return made


def spelled(layout: str, pairs) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The file of a layout, and its metadata."""
    down, up = "lora_A.weight", "lora_B.weight"
    keys = {
        "comfyui": lambda layer: f"diffusion_model.{layer}.",
        "diffusers": lambda layer: f"transformer.{diffusers_name(layer)}.",
        "peft": lambda layer: f"base_model.model.{diffusers_name(layer)}.",
        "kohya": lambda layer: f"lora_unet_{layer.replace('.', '_')}.",
        "wan fun": lambda layer: f"lora_unet__{layer.replace('.', '_')}.",
        "lycoris": lambda layer: f"lycoris_{diffusers_name(layer).replace('.', '_')}.",
    }[layout]
    if layout in ("kohya", "wan fun", "lycoris"):
        down, up = "lora_down.weight", "lora_up.weight"
    if layout == "peft":
        down, up = "lora_A.default.weight", "lora_B.default.weight"
    tensors = {}
    for layer, (first, second) in pairs.items():
        tensors |= {keys(layer) + down: first, keys(layer) + up: second}
        if layout not in ("diffusers", "peft"):
            tensors[keys(layer) + "alpha"] = torch.tensor(ALPHA)
    told = {"transformer.r": RANK, "transformer.lora_alpha": ALPHA}
    return tensors, {"lora_adapter_metadata": json.dumps(told)}


def velocity(network: WanTransformer) -> torch.Tensor:
    return network(noise(1, 16, 2, 4, 4), torch.tensor([400.0]), noise(1, 5, TEXT_WIDTH))


@pytest.mark.parametrize("layout", ["comfyui", "diffusers", "peft", "kohya", "wan fun", "lycoris"])
def test_every_layout_makes_the_same_change(layout, network):
    pairs = matrices(network)
    before = {layer: network.get_submodule(layer).weight.clone() for layer in pairs}
    tensors, metadata = spelled(layout, pairs)
    lora = read_lora(tensors, network.state_dict(), metadata)
    assert (lora.unknown, lora.complaint) == ((), None)
    assert set(lora.patches) == {f"{layer}.weight" for layer in LAYERS}
    merge(network, lora.patches, 0.5)
    for layer, (down, up) in pairs.items():
        wanted = before[layer] + 0.5 * ALPHA / RANK * up @ down
        assert torch.allclose(network.get_submodule(layer).weight, wanted, atol=1e-6)


def test_without_alpha_the_matrices_are_taken_as_they_are(network):
    tensors, _ = spelled("diffusers", matrices(network))
    lora = read_lora(tensors, network.state_dict())
    assert {patch.factor for patch in lora.patches.values()} == {1.0}


def full_differences(network: WanTransformer) -> dict[str, torch.Tensor]:
    """As distilled Wans have them: norms, biases, modulation."""
    weights = network.state_dict()
    return {
        "diffusion_model.blocks.0.norm3.diff": noise(256) / 8,
        "diffusion_model.blocks.0.norm3.diff_b": noise(256) / 8,
        "diffusion_model.blocks.1.self_attn.norm_q.diff": noise(256) / 8,
        "diffusion_model.blocks.1.self_attn.q.diff_b": noise(256) / 8,
        "diffusion_model.blocks.1.diff_m": noise(1, 6, 256) / 8,
        "diffusion_model.head.modulation.diff": noise(1, 2, 256) / 8,
        "diffusion_model.patch_embedding.diff": noise(*weights["patch_embedding.weight"].shape) / 8,
    }


def test_live_is_merged_and_leaves_nothing_behind(network):
    tensors, _ = spelled("comfyui", matrices(network))
    lora = read_lora(tensors | full_differences(network), network.state_dict())
    assert lora.unknown == ()
    plain, before = velocity(network), dict(network.state_dict())
    with live(network, lora.patches, 0.8):
        alive = velocity(network)
        assert network.blocks[1].ffn[0].weight.data_ptr() == before["blocks.1.ffn.0.weight"].data_ptr()
    assert torch.equal(velocity(network), plain)
    merge(network, lora.patches, 0.8)
    assert relative_error(alive, velocity(network)) < 1e-5
    assert relative_error(alive, plain) > 0.01


def test_two_loras_add_up_live(network):
    pairs = matrices(network)
    first = read_lora(spelled("comfyui", pairs)[0], network.state_dict())
    with live(network, first.patches, 0.3), live(network, first.patches, 0.5):
        both = velocity(network)
    with live(network, first.patches, 0.8):
        assert relative_error(both, velocity(network)) < 1e-5


def test_an_error_within_live_leaves_nothing_behind(network):
    lora = read_lora(full_differences(network), network.state_dict())
    plain = velocity(network)
    with pytest.raises(KeyError), live(network, lora.patches, 1.0):
        raise KeyError
    assert torch.equal(velocity(network), plain)


def test_merging_makes_new_weights(network):
    shared = dict(network.named_parameters())
    before = {name: weight.clone() for name, weight in shared.items()}
    merge(network, read_lora(full_differences(network), network.state_dict()).patches, 1.0)
    assert all(torch.equal(weight, before[name]) for name, weight in shared.items())


def test_bfloat16_weights_are_rounded_once():
    weight, change = noise(8, 8).bfloat16(), noise(8, 8, seed=3)
    lora = read_lora({"blocks.0.ffn.0.diff": change}, {"blocks.0.ffn.0.weight": weight})
    made = patched(weight, lora.patches["blocks.0.ffn.0.weight"], 0.5)
    assert torch.equal(made, (weight.float() + 0.5 * change).bfloat16())


def test_patch_embedding_and_picture_layers_can_have_low_rank_parts():
    network = wan(PICTURE)
    tensors = {
        "lora_unet_patch_embedding.lora_down.weight": noise(RANK, 36, 1, 2, 2),
        "lora_unet_patch_embedding.lora_up.weight": noise(256, RANK, 1, 1, 1),
        "transformer.blocks.0.attn2.add_k_proj.lora_A.weight": noise(RANK, 256),
        "transformer.blocks.0.attn2.add_k_proj.lora_B.weight": noise(256, RANK),
    }
    lora = read_lora(tensors, network.state_dict())
    assert set(lora.patches) == {"patch_embedding.weight", "blocks.0.cross_attn.k_img.weight"}
    change = lora.patches["patch_embedding.weight"].change(network.patch_embedding.weight.shape, "cpu")
    down, up = list(tensors.values())[:2]
    assert torch.allclose(change, (up.flatten(1) @ down.flatten(1)).view(256, 36, 1, 2, 2))


def test_what_fits_nothing_is_told(network):
    tensors, _ = spelled("comfyui", matrices(network))
    tensors |= {
        "diffusion_model.blocks.0.cross_attn.k_img.diff_b": noise(256),
        "diffusion_model.blocks.7.self_attn.q.lora_A.weight": noise(RANK, 256),
        "diffusion_model.blocks.0.self_attn.q.reshape_weight": noise(256),
        "diffusion_model.blocks.0.diff": noise(256),
    }
    lora = read_lora(tensors, network.state_dict())
    assert len(lora.unknown) == 4
    assert "4 keys" in lora.complaint
    assert "k_img" in lora.complaint


@pytest.mark.parametrize("ending", ["dora_scale", "hada_w1_a", "lokr_w1"])
def test_a_relative_of_lora_is_named_and_refused(network, ending):
    tensors, _ = spelled("comfyui", matrices(network))
    tensors[f"diffusion_model.blocks.0.ffn.0.{ending}"] = noise(RANK, 1)
    with pytest.raises(WeightsError, match=ending):
        read_lora(tensors, network.state_dict())


@pytest.mark.parametrize(
    "damage",
    [
        {"lora_down.weight": torch.tensor(1.0)},
        {"lora_down.weight": torch.zeros(0, 4)},
        {"alpha": torch.ones(2)},
    ],
)
def test_damaged_matrices_are_refused(network, damage):
    parts = {"lora_down.weight": noise(RANK, 4), "lora_up.weight": noise(4, RANK)} | damage
    with pytest.raises(WeightsError, match="damaged"):
        read_lora({f"blocks.0.ffn.0.{name}": tensor for name, tensor in parts.items()}, network.state_dict())


def test_a_lora_of_another_model_is_refused(network):
    pairs = matrices(network)
    wide = {layer: (noise(RANK, 2 * down.shape[1]), up) for layer, (down, up) in pairs.items()}
    with pytest.raises(WeightsError, match="another size"):
        read_lora(spelled("comfyui", wide)[0], network.state_dict())
    with pytest.raises(WeightsError, match="nothing for this model"):
        read_lora({"lora_unet_down_blocks_0_attn.lora_up.weight": noise(2, 2)}, network.state_dict())
    with pytest.raises(WeightsError, match="one of the two matrices"):
        read_lora({"blocks.0.ffn.0.lora_A.weight": noise(2, 256)}, network.state_dict())
