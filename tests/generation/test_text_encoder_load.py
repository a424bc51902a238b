"""Loading text encoders: every layout and number type, and a clear error for what cannot be loaded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import tokenizers
import torch
from generation.tiny_text_encoder import caption_tokenizer, tiny_encoder
from kinograph.nodes.generation.text_encoder import load_text_encoder
from kinograph.nodes.generation.text_encoder_layouts import WAN_BLOCK, WAN_OUTER
from kinograph.nodes.vae.weights_file import WeightsError
from safetensors.torch import save_file
from torch import Tensor

TEXTS = ["A red circle moving right.", ""]
MODEL = caption_tokenizer().model


def refused(source: Path | dict[str, Tensor], **options) -> str:
    with pytest.raises(WeightsError) as caught:
        load_text_encoder(source, **options)
    return str(caught.value)


def encoded(source: Path | dict[str, Tensor], **options) -> Tensor:
    with torch.no_grad():
        return load_text_encoder(source, **options).encode(TEXTS)


@pytest.fixture
def weights() -> dict[str, Tensor]:
    """A file's tensors, in ComfyUI's layout."""
    return tiny_encoder().state_dict()


@pytest.fixture
def expected() -> Tensor:
    with torch.no_grad():
        return tiny_encoder().encode(TEXTS)


def wans_own(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The network's weights as in `models_t5_umt5-xxl-enc-bf16.pth`."""
    outer = {ours: theirs for theirs, ours in WAN_OUTER.items()}
    inner = {ours: theirs for theirs, ours in WAN_BLOCK.items()}
    renamed = {}
    for key, tensor in weights.items():
        if key.startswith("encoder.block."):
            _, _, number, name = key.removesuffix(".weight").split(".", 3)
            renamed[f"blocks.{number}.{inner[name]}.weight"] = tensor
        elif key in outer:
            renamed[outer[key]] = tensor
    return renamed


@pytest.mark.parametrize("prefix", ["", "text_encoders.umt5xxl.transformer.", "cond_stage_model."])
def test_one_file_with_its_tokenizer_inside(weights, expected, prefix, tmp_path) -> None:
    save_file({prefix + key: tensor for key, tensor in weights.items()}, tmp_path / "umt5.safetensors")
    assert torch.equal(encoded(tmp_path / "umt5.safetensors"), expected)


def test_without_a_length_of_its_own_a_text_has_512_tokens(weights) -> None:
    del weights["text_length"]
    assert encoded(weights).shape == (2, 512, 128)


@pytest.mark.parametrize("tied", [False, True])
def test_a_folder_as_transformers_saves_it(weights, expected, tied, tmp_path) -> None:
    network = {key: value for key, value in weights.items() if key not in ("spiece_model", "text_length")}
    if tied:
        network["encoder.embed_tokens.weight"] = network.pop("shared.weight")
    halves = [dict(list(network.items())[part::2]) for part in (0, 1)]
    index = {}
    for number, half in enumerate(halves):
        save_file(half, tmp_path / f"model-{number}.safetensors")
        index |= dict.fromkeys(half, f"model-{number}.safetensors")
    save_file({"stray": torch.zeros(1)}, tmp_path / "another.safetensors")
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "umt5"}))
    (tmp_path / "spiece.model").write_bytes(MODEL)
    assert torch.equal(encoded(tmp_path)[:, :24], expected)


def test_the_tokenizer_is_found_beside_the_folder_as_in_diffusers(weights, expected, tmp_path) -> None:
    for name in ("text_encoder", "tokenizer"):
        (tmp_path / name).mkdir()
    save_file(
        {key: value for key, value in weights.items() if key != "spiece_model"},
        tmp_path / "text_encoder/model.safetensors",
    )
    (tmp_path / "tokenizer/spiece.model").write_bytes(MODEL)
    assert torch.equal(encoded(tmp_path / "text_encoder"), expected)


def json_tokenizer(cut_at: int) -> str:
    """The pieces of the captions' tokenizer as a tokenizer.json that asks for cutting and padding."""
    pieces = [caption_tokenizer().piece(token) for token in range(caption_tokenizer().size)]
    scores = [(piece, -float(rank)) for rank, piece in enumerate(pieces)]
    made = tokenizers.Tokenizer(tokenizers.models.Unigram(scores, unk_id=2, byte_fallback=True))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    made.decoder = tokenizers.decoders.Metaspace()
    made.enable_truncation(cut_at)
    made.enable_padding(length=30)
    return made.to_str()


def test_a_folder_with_a_tokenizer_json(weights, tmp_path) -> None:
    save_file(
        {key: value for key, value in weights.items() if key != "spiece_model"},
        tmp_path / "model.safetensors",
    )
    (tmp_path / "tokenizer.json").write_text(json_tokenizer(cut_at=2))
    encoder = load_text_encoder(tmp_path)
    assert encoder.tokenizer.text(encoder.tokenizer.tokens("a red circle")) == "a red circle"
    encoder.save(tmp_path / "again.safetensors")
    assert torch.equal(encoded(tmp_path / "again.safetensors"), encoder.encode(TEXTS))


def test_wans_own_file_with_the_tokenizer_in_its_folder(weights, expected, tmp_path) -> None:
    torch.save(wans_own(weights), tmp_path / "models_t5.pth")
    assert "tokenizer" in refused(tmp_path / "models_t5.pth")
    (tmp_path / "google/umt5-xxl").mkdir(parents=True)
    (tmp_path / "google/umt5-xxl/spiece.model").write_bytes(MODEL)
    assert torch.equal(encoded(tmp_path / "models_t5.pth")[:, :24], expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_of_fewer_bits_are_kept_so_and_computed_in_float32(weights, dtype) -> None:
    smaller = {key: value.to(dtype) if value.is_floating_point() else value for key, value in weights.items()}
    same = {key: value.float() if value.is_floating_point() else value for key, value in smaller.items()}
    assert load_text_encoder(smaller).network.shared.weight.dtype == dtype
    torch.testing.assert_close(encoded(smaller), encoded(same), atol=1e-6, rtol=0)


def test_float8_with_a_scale(weights) -> None:
    key = "encoder.block.0.layer.1.DenseReluDense.wo"
    scale = weights[key + ".weight"].abs().max() / 448
    scaled = (weights[key + ".weight"] / scale).to(torch.float8_e4m3fn)
    weights |= {key + ".weight": scaled, key + ".scale_weight": scale, "scaled_fp8": torch.zeros(2)}
    loaded = load_text_encoder(weights).network.state_dict()[key + ".weight"]
    assert torch.equal(loaded, (scaled.float() * scale).bfloat16())
    assert encoded(weights).dtype == torch.float32


def test_a_number_type_can_be_asked_for(weights) -> None:
    assert load_text_encoder(weights, dtype=torch.bfloat16).network.shared.weight.dtype == torch.bfloat16


def test_quantised_in_a_way_that_is_not_known(weights) -> None:
    told = torch.frombuffer(bytearray(b'{"format": "nvfp4"}'), dtype=torch.uint8)
    weights["encoder.block.0.layer.1.DenseReluDense.wo.comfy_quant"] = told
    assert "nvfp4" in refused(weights)


def test_another_kind_of_model_is_named() -> None:
    message = refused({"text_model.encoder.layers.0.mlp.fc1.weight": torch.zeros(1)})
    assert "CLIP text encoder" in message and "UMT5" in message


@pytest.mark.parametrize(("missing", "kind"), [("relative_attention_bias", "T5 v1.1"), ("wi_0", "first T5")])
def test_a_t5_of_another_kind_is_named(weights, missing, kind) -> None:
    for key in [key for key in weights if missing in key and not (missing[0] == "r" and ".0.layer" in key)]:
        weights[key.replace("wi_0", "wi")] = weights.pop(key)
    if missing[0] == "r":
        del weights["encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight"]
    assert kind in refused(weights)


def test_a_folder_of_another_model_is_named_by_its_configuration(tmp_path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "mt5"}')
    assert "mt5" in refused(tmp_path)


@pytest.mark.parametrize("text", ["[1]", "[" * 100_000, "{"])
def test_a_broken_configuration_is_no_crash(text, tmp_path) -> None:
    (tmp_path / "config.json").write_text(text)
    refused(tmp_path)


def test_an_index_leads_nowhere_outside_its_folder(weights, tmp_path) -> None:
    (tmp_path / "inside").mkdir()
    save_file(weights, tmp_path / "secret.safetensors")
    index = {"weight_map": {"shared.weight": "../secret.safetensors"}}
    (tmp_path / "inside/model.safetensors.index.json").write_text(json.dumps(index))
    assert "no file" in refused(tmp_path / "inside")


def test_a_missing_tokenizer(weights) -> None:
    del weights["spiece_model"]
    assert "spiece.model" in refused(weights)
    assert load_text_encoder(weights, tokenizer=caption_tokenizer()).length == 24


def test_a_tokenizer_that_is_none(weights) -> None:
    weights["spiece_model"] = torch.zeros(30, dtype=torch.uint8)
    assert "spiece_model" in refused(weights)


def test_a_tokenizer_of_another_model(weights) -> None:
    weights["shared.weight"] = weights["shared.weight"][:100]
    assert "100 tokens" in refused(weights)


@pytest.mark.parametrize("length", [torch.zeros(3), torch.tensor([0]), torch.tensor([10**9])])
def test_a_length_that_is_none(weights, length) -> None:
    weights["text_length"] = length
    assert "text_length" in refused(weights)


def test_missing_and_misshapen_weights_are_named(weights) -> None:
    del weights["encoder.block.1.layer.0.layer_norm.weight"]
    assert "encoder.block.1.layer.0.layer_norm.weight" in refused(weights)


def test_a_key_with_a_huge_number_builds_no_huge_network(weights) -> None:
    weights[f"encoder.block.{10**12}.layer.0.layer_norm.weight"] = torch.ones(1)
    assert "unknown" in refused(weights)


def test_a_pickle_that_runs_code(tmp_path) -> None:
    torch.save({"shared.weight": shutil.rmtree}, tmp_path / "umt5.pth")
    assert "refused" in refused(tmp_path / "umt5.pth")


@pytest.mark.parametrize("index", ['{"weight_map": [1]}', '{"weight_map": {"a": [1]}}', "[]"])
def test_a_broken_index_is_no_crash(index, tmp_path) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(index)
    refused(tmp_path)
