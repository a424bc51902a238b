"""Wan transformers out of files: number types, scaled 8 bits, checkpoints, and what is refused by name."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from generation.tiny_wan import PICTURE, SMALL, TEXT_WIDTH, noise, relative_error, wan
from kinograph.nodes.generation.load import load_transformer
from kinograph.nodes.generation.wan import WanTransformer
from kinograph.nodes.vae.weights_file import WeightsError
from safetensors.torch import save_file


@pytest.fixture(scope="module")
def small():
    return wan()


@pytest.fixture(scope="module")
def weights(small):
    return small.state_dict()


def velocity(network: WanTransformer) -> torch.Tensor:
    dtype = network.patch_embedding.weight.dtype
    x, text = noise(1, 16, 2, 4, 4).to(dtype), noise(1, 5, TEXT_WIDTH).to(dtype)
    return network(x, torch.tensor([400.0]), text).float()


def scaled(weights, scale_name: str, storage=torch.float8_e4m3fn, largest=448.0):
    """Matrices of the blocks in 8 bits, each with its scale."""
    made = {}
    for key, tensor in weights.items():
        if key.startswith("blocks.") and key.endswith(".weight") and tensor.dim() == 2:
            scale = tensor.abs().max() / largest
            quotient = tensor / scale
            made[key] = quotient.round().to(storage) if storage == torch.int8 else quotient.to(storage)
            made[key.removesuffix("weight") + scale_name] = scale
        else:
            made[key] = tensor.half()
    return made


@pytest.mark.parametrize(
    "config",
    [
        replace(SMALL, width=128, heads=1),
        replace(SMALL, in_channels=36),
        replace(SMALL, in_channels=48, out_channels=48),
        PICTURE,
        replace(PICTURE, image_tokens=514),
        replace(SMALL, frequency_width=64, text_width=4096, blocks=1),
    ],
)
def test_sizes_and_variants_are_read_off_the_weights(config):
    with torch.device("meta"):
        network = WanTransformer(config)
    found = load_transformer({key: torch.zeros(w.shape) for key, w in network.state_dict().items()})
    assert found.config == config


def test_a_file_is_mapped_and_its_metadata_believed(tmp_path, weights):
    config = json.dumps({"transformer": {"num_heads": 4, "text_dim": TEXT_WIDTH, "eps": 1e-5}})
    save_file(weights, tmp_path / "wan.safetensors", {"config": config})
    found = load_transformer(tmp_path / "wan.safetensors")
    assert (found.config.heads, found.config.epsilon) == (4, 1e-5)
    assert not any(weight.requires_grad for weight in found.parameters())
    assert not found.training


def test_a_folder_of_shards_is_one_transformer(tmp_path, weights, small):
    keys = sorted(weights)
    for number, part in enumerate((keys[:20], keys[20:])):
        save_file({key: weights[key] for key in part}, tmp_path / f"model-{number}-of-2.safetensors")
    assert torch.equal(velocity(load_transformer(tmp_path)), velocity(small))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_dtype_is_that_of_most_weights_unless_told(dtype, weights):
    kept_in_float32 = ("time_embedding", "norm", "modulation")
    mixed = {
        key: tensor if any(word in key for word in kept_in_float32) else tensor.to(dtype)
        for key, tensor in weights.items()
    }
    assert {weight.dtype for weight in load_transformer(mixed).parameters()} == {dtype}
    told = load_transformer(mixed, dtype=torch.float32)
    assert {weight.dtype for weight in told.parameters()} == {torch.float32}


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
def test_scaled_fp8_of_older_files(prefix, weights, small):
    kept = scaled(weights, "scale_weight") | {"scaled_fp8": torch.zeros(2, dtype=torch.float8_e4m3fn)}
    kept["blocks.0.self_attn.q.scale_input"] = torch.ones(())
    found = load_transformer({prefix + key: tensor for key, tensor in kept.items()})
    assert {weight.dtype for weight in found.parameters()} == {torch.bfloat16}
    whole = load_transformer({prefix + key: t for key, t in kept.items()}, dtype=torch.float32)
    assert relative_error(velocity(whole), velocity(small)) < 0.1


@pytest.mark.parametrize(
    ("name", "storage", "largest"),
    [("float8_e4m3fn", torch.float8_e4m3fn, 448.0), ("int8_tensorwise", torch.int8, 127.0)],
)
@pytest.mark.parametrize("told_in_metadata", [False, True])
def test_layers_that_tell_their_8_bit_format(name, storage, largest, told_in_metadata, weights, small):
    kept = scaled(weights, "weight_scale", storage, largest)
    layers = [key.removesuffix(".weight_scale") for key in kept if key.endswith(".weight_scale")]
    metadata = {}
    if told_in_metadata:
        told = {"layers": {layer: {"format": name} for layer in layers}}
        metadata["_quantization_metadata"] = json.dumps(told)
    else:
        told = torch.frombuffer(bytearray(json.dumps({"format": name}).encode()), dtype=torch.uint8)
        kept |= {f"{layer}.comfy_quant": told for layer in layers}
    found = load_transformer(kept, dtype=torch.float32, metadata=metadata)
    assert relative_error(velocity(found), velocity(small)) < 0.1


def test_whole_numbers_without_a_scale_are_refused(weights):
    kept = scaled(weights, "scale_weight", torch.int8, 127.0)
    del kept["blocks.0.self_attn.q.scale_weight"]
    with pytest.raises(WeightsError, match=r"blocks\.0\.self_attn\.q\.weight is in whole numbers without"):
        load_transformer(kept)


def test_fp8_without_scales_is_the_numbers_themselves(weights):
    kept = {key: tensor.to(torch.float8_e4m3fn) for key, tensor in weights.items()}
    found = load_transformer(kept, dtype=torch.float32)
    assert torch.equal(found.head.head.weight, kept["head.head.weight"].float())


def test_other_quantised_formats_are_named(weights):
    told = torch.frombuffer(bytearray(json.dumps({"format": "nvfp4"}).encode()), dtype=torch.uint8)
    with pytest.raises(WeightsError, match=r"blocks\.0\.ffn\.0 is quantised as 'nvfp4'"):
        load_transformer({**weights, "blocks.0.ffn.0.comfy_quant": told})
    with pytest.raises(WeightsError, match="scales"):
        load_transformer(
            {**scaled(weights, "scale_weight"), "blocks.0.ffn.0.scale_weight": torch.ones(7)},
        )


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (["adaln_single.emb.timestep_embedder.linear_1.bias", "patchify_proj.weight"], "LTX-Video"),
        (["model.txt_in.individual_token_refiner.blocks.0.norm1.weight"], "HunyuanVideo"),
        (["model.diffusion_model.input_blocks.0.0.weight"], "U-Net"),
        (["joint_blocks.0.context_block.attn.qkv.weight"], "Stable Diffusion 3"),
        (["double_blocks.0.img_attn.qkv.weight"], "Flux"),
        (["blocks.0.norm1.linear.weight"], "CogVideoX"),
        (["diffusion_model.blocks.0.self_attn.q.lora_A.weight"], "a LoRA"),
        (["encoder.block.0.layer.0.SelfAttention.q.weight"], "T5"),
        (["decoder.middle.0.residual.0.gamma", "decoder.conv_in.weight"], "VAE"),
    ],
)
def test_another_architecture_is_named(keys, name):
    with pytest.raises(WeightsError, match=name):
        load_transformer({key: torch.zeros(4) for key in keys})


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("vace_patch_embedding.weight", "VACE"),
        ("face_adapter.fuser_blocks.0.k_norm.weight", "Animate"),
        ("ref_conv.weight", "Fun Control"),
    ],
)
def test_a_relative_with_layers_of_its_own_is_named(key, name, weights):
    with pytest.raises(WeightsError, match=name):
        load_transformer({**weights, key: torch.zeros(4)})


def test_missing_unknown_and_misshapen_weights_are_named(weights):
    without = {key: tensor for key, tensor in weights.items() if key != "blocks.1.ffn.2.bias"}
    with pytest.raises(WeightsError, match=r"lacks blocks\.1\.ffn\.2\.bias"):
        load_transformer(without)
    with pytest.raises(WeightsError, match=r"has unknown blocks\.1\.extra"):
        load_transformer({**weights, "blocks.1.extra": torch.zeros(1)})
    with pytest.raises(WeightsError, match=r"time_projection\.1\.bias \[3\] instead of \[1536\]"):
        load_transformer({**weights, "time_projection.1.bias": torch.zeros(3)})
    with pytest.raises(WeightsError, match="incomplete"):
        load_transformer({key: weights[key] for key in weights if not key.startswith("text_embedding")})


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('{"transformer": {"text_dim": 4096}}', "text_dim 4096, the weights 48"),
        ('{"transformer": {"num_heads": 3}}', "256 channels cannot be 3 heads"),
        ('{"transformer": {"eps": "small"}}', "small positive number"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_metadata_that_contradict_the_weights_are_refused(config, said, weights):
    with pytest.raises(WeightsError, match=said):
        load_transformer(weights, metadata={"config": config})


def test_a_pickle_that_would_run_code_is_refused(tmp_path, weights):
    torch.save(weights, tmp_path / "plain.pth")
    assert load_transformer(tmp_path / "plain.pth").config == SMALL
    torch.save({"weights": weights, "code": pytest.raises}, tmp_path / "code.pth")
    with pytest.raises(WeightsError, match="run its author's code"):
        load_transformer(tmp_path / "code.pth")
    with pytest.raises(WeightsError, match=r"no \.safetensors files"):
        load_transformer(tmp_path)
