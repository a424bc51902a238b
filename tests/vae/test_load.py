"""Loading: every layout, and a clear error for what cannot be loaded."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import torch
from kinograph.nodes.vae.load import load_vae
from kinograph.nodes.vae.ltx import LTXVideoVAE
from kinograph.nodes.vae.ltx_config import Block, LTXConfig
from kinograph.nodes.vae.taehv import HUNYUAN_LATENTS, TaehvConfig, TaehvVAE
from kinograph.nodes.vae.wan21 import LATENTS, Wan21Config, Wan21VAE
from kinograph.nodes.vae.wan22 import Wan22Config, Wan22VAE
from kinograph.nodes.vae.weights_file import WeightsError, read_weights
from safetensors.torch import save_file
from torch import Tensor, nn

Weights = dict[str, Tensor]
FOLDED = (
    Block("stack", 8, 8),
    Block("fold", 8, 16, factors=(1, 2, 2)),
    Block("fold", 16, 32, factors=(2, 1, 1)),
    Block("fold", 32, 32, factors=(2, 2, 2)),
    Block("fold", 32, 32, factors=(2, 2, 2)),
)
UNFOLDED = (
    Block("stack", 16, 16),
    *(Block("unfold", 16, 16, factors=(2, 2, 2)),) * 3,
    Block("stack", 16, 16),
)
NETWORKS: dict[str, nn.Module] = {
    "Wan 2.1": Wan21VAE(Wan21Config(width=8)),
    "Wan 2.2": Wan22VAE(Wan22Config(encoder_width=8, decoder_width=12)),
    "LTX-Video": LTXVideoVAE(LTXConfig(FOLDED, UNFOLDED)),
    "tiny": TaehvVAE(TaehvConfig(encoder_width=8, decoder_widths=(16, 8, 8, 8)), LATENTS),
}


@pytest.fixture
def wan() -> Weights:
    return dict(NETWORKS["Wan 2.1"].state_dict())


def refused(source: Weights | Path, **options: str) -> str:
    with pytest.raises(WeightsError) as caught:
        load_vae(source, **options)
    return str(caught.value)


@pytest.mark.parametrize("prefix", ["", "vae.", "first_stage_model."])
@pytest.mark.parametrize("kind", list(NETWORKS))
def test_a_checkpoint_with_or_without_other_models_loads(kind: str, prefix: str, tmp_path: Path) -> None:
    weights = NETWORKS[kind].state_dict()
    stored = {prefix + key: tensor for key, tensor in weights.items()}
    if prefix:
        stored["model.diffusion_model.blocks.0.self_attn.q.weight"] = torch.zeros(2)
    save_file(stored, tmp_path / "model.safetensors")
    loaded = load_vae(tmp_path / "model.safetensors")
    assert type(loaded) is type(NETWORKS[kind])
    assert all(torch.equal(tensor, weights[key]) for key, tensor in loaded.state_dict().items())


@pytest.mark.parametrize("nested", [False, True])
def test_a_pickle_of_tensors_loads(wan: Weights, nested: bool, tmp_path: Path) -> None:
    torch.save({"state_dict": wan, "step": 7} if nested else wan, tmp_path / "Wan2.1_VAE.pth")
    assert load_vae(tmp_path / "Wan2.1_VAE.pth").facts.name == "Wan 2.1"


def test_the_network_is_ready_for_inference_in_the_type_asked_for(wan: Weights) -> None:
    network = load_vae(wan, dtype=torch.bfloat16)
    assert not network.training
    assert {(p.dtype, p.requires_grad) for p in network.parameters()} == {(torch.bfloat16, False)}


def test_the_given_layer_classes_are_used(wan: Weights) -> None:
    class Operations:
        class Conv3d(nn.Conv3d):
            pass

        class Conv2d(nn.Conv2d):
            pass

    network = load_vae(wan, operations=Operations)
    convs = [layer for layer in network.modules() if isinstance(layer, (nn.Conv2d, nn.Conv3d))]
    assert {type(layer) for layer in convs} == {Operations.Conv2d, Operations.Conv3d}


@pytest.mark.parametrize(
    ("name", "told", "space", "normalised"),
    [
        ("taew2_1.safetensors", None, "Wan 2.1", True),
        ("lighttaew2_1.safetensors", None, "Wan 2.1", False),
        ("taehv.safetensors", None, "Hunyuan Video", True),
        ("mine.safetensors", "hunyuan", "Hunyuan Video", True),
        ("taehv.safetensors", "wan2.1 raw", "Wan 2.1", False),
    ],
)
def test_a_tiny_vaes_latents_are_told_by_its_name_or_by_the_caller(
    name: str, told: str | None, space: str, normalised: bool, tmp_path: Path
) -> None:
    save_file(NETWORKS["tiny"].state_dict(), tmp_path / name)
    network = load_vae(tmp_path / name, latents=told)
    assert (network.facts.name, network.normalised) == (space, normalised)


def test_a_tiny_vae_for_other_latents_is_refused() -> None:
    config = TaehvConfig(32, encoder_width=8, decoder_widths=(16, 8, 8, 8), patch=2)
    assert "32 channels" in refused(dict(TaehvVAE(config, HUNYUAN_LATENTS).state_dict()))
    assert "known are" in refused(dict(NETWORKS["tiny"].state_dict()), latents="wan9")
    assert "have 48" in refused(dict(NETWORKS["tiny"].state_dict()), latents="wan2.2")


@pytest.mark.parametrize(
    ("key", "shape", "what"),
    [
        ("encoder.block.0.layer.0.SelfAttention.q.weight", (4, 4), "a T5 text encoder"),
        ("text_model.encoder.layers.0.mlp.fc1.weight", (4, 4), "a CLIP text encoder"),
        ("blocks.0.self_attn.q.weight", (4, 4), "a diffusion transformer"),
        ("diffusion_model.blocks.0.self_attn.q.lora_A.weight", (4, 4), "a LoRA"),
        ("decoder.conv_in.weight", (4, 4, 3, 3), "an image VAE"),
        ("decoder.conv_in.conv.weight", (4, 4, 3, 3, 3), "another video VAE"),
        ("something.weight", (4,), "1 tensors"),
    ],
)
def test_a_file_that_is_no_video_vae_is_named_for_what_it_is(
    key: str, shape: tuple[int, ...], what: str, tmp_path: Path
) -> None:
    save_file({key: torch.zeros(shape)}, tmp_path / "other.safetensors")
    message = refused(tmp_path / "other.safetensors")
    assert "other.safetensors is no video VAE" in message
    assert what in message
    assert key in message


def test_wrong_latent_channels_are_named() -> None:
    weights = dict(Wan21VAE(Wan21Config(width=8, latent_channels=12)).state_dict())
    assert "12 channels; those of Wan 2.1 have 16" in refused(weights)


def test_missing_unknown_and_misshapen_weights_are_named(wan: Weights) -> None:
    del wan["encoder.conv1.bias"]
    wan["decoder.extra.weight"] = torch.zeros(1)
    wan["decoder.head.2.bias"] = torch.zeros(5)
    message = refused(wan)
    assert "lacks encoder.conv1.bias" in message
    assert "unknown decoder.extra.weight" in message
    assert "decoder.head.2.bias [5] instead of [3]" in message


@pytest.mark.parametrize("kind", list(NETWORKS))
def test_half_a_vae_is_refused(kind: str) -> None:
    half = {key: tensor for key, tensor in NETWORKS[kind].state_dict().items() if key.startswith("decoder.")}
    assert re.search("lacks|incomplete|no video VAE", refused(half))


@pytest.mark.parametrize("shape", [(), (0,), (7,), (0, 8, 3, 3, 3)])
@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("Wan 2.1", "decoder.head.0.gamma"),
        ("LTX-Video", "encoder.down_blocks.1.conv.conv.weight"),
        ("tiny", "decoder.13.conv.weight"),
    ],
)
def test_weights_of_odd_shapes_are_refused(kind: str, key: str, shape: tuple[int, ...]) -> None:
    assert refused({**NETWORKS[kind].state_dict(), key: torch.zeros(shape)})


class Code:
    """Runs a program when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch ran",)


def test_a_pickle_with_code_is_refused_and_not_run(wan: Weights, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({**wan, "code": Code()}, tmp_path / "vae.pth")
    assert "run its author's code: refused" in refused(tmp_path / "vae.pth")
    assert not (tmp_path / "ran").exists()


def test_a_pickle_named_safetensors_is_refused(wan: Weights, tmp_path: Path) -> None:
    torch.save(wan, tmp_path / "vae.safetensors")
    assert "is a pickle" in refused(tmp_path / "vae.safetensors")


@pytest.mark.parametrize("length", [0, 3, 60, 5000])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_file_cut_short_is_refused(wan: Weights, suffix: str, length: int, tmp_path: Path) -> None:
    path = tmp_path / f"vae{suffix}"
    save_file(wan, path) if suffix == ".safetensors" else torch.save(wan, path)
    path.write_bytes(path.read_bytes()[:length])
    assert f"vae{suffix} is cut short" in refused(path)


def test_a_file_that_is_not_there_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    assert "no file" in refused(tmp_path / "none.safetensors")
    (tmp_path / "film.mp4").write_bytes(b"film")
    assert ".safetensors" in refused(tmp_path / "film.mp4")


def test_a_file_whose_length_begins_as_a_pickle_does_is_read(tmp_path: Path) -> None:
    path = tmp_path / "vae.safetensors"
    for padding in range(0, 256, 8):  # the length of the header, in its first byte
        save_file({"weight": torch.zeros(1)}, path, {"padding": "x" * padding})
        if path.read_bytes()[0] == 0x80:
            break
    assert path.read_bytes()[0] == 0x80
    assert list(read_weights(path).tensors) == ["weight"]


def test_a_pickle_of_no_tensors_is_refused(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "list.pth")
    assert "no named tensors but list" in refused(tmp_path / "list.pth")
