"""RIFE's weights in every layout in which people have them make the same network, told by shapes alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from interpolation.rife_weights import UNREAD, loaded, ncnn_model, pair, published, relative, small
from kinograph.host.models.convert import ncnn_to_safetensors
from kinograph.nodes.interpolation.load import load_interpolation_model
from kinograph.nodes.interpolation.rife_config import VERSIONS, RifeConfig
from kinograph.nodes.vae.weights_file import WeightsError
from safetensors.torch import save_file
from torch import Tensor

OLDER = "4.10–4.19, 4.24"


def weights(version: str = "4.5–4.6") -> dict[str, Tensor]:
    return published(small(version), UNREAD.get(version))


def result(network: torch.nn.Module) -> Tensor:
    return network(*pair(64, 128), 0.5)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_is_told_by_its_weights_shapes(version: str) -> None:
    config = RifeConfig.of(published(VERSIONS[version]))
    assert config == VERSIONS[version]
    assert config.versions == version


def test_prefixes_and_comfyuis_names_make_the_same_network() -> None:
    made = weights(OLDER)
    truth = result(loaded(made))
    for renamed in (
        {f"module.{key}": weight for key, weight in made.items()},
        {f"flownet.module.{key}": weight for key, weight in made.items()},
        {key.replace("block", "blocks.", 1) if key[5].isdigit() else key: w for key, w in made.items()},
    ):
        assert renamed.keys() != made.keys()
        assert torch.equal(result(loaded(renamed)), truth)


def test_the_head_of_4_10_stands_in_a_row_and_makes_the_same_network() -> None:
    made = weights(OLDER)
    row = {f"encode.cnn{index}": f"encode.{2 * index}" for index in range(4)}
    renamed = {
        key.replace(name, row[name]): w for key, w in made.items() for name in [key[:11]] if name in row
    }
    renamed |= {key: w for key, w in made.items() if not key.startswith("encode")}
    assert torch.equal(result(loaded(renamed)), result(loaded(made)))


def test_what_only_training_needs_is_left_out() -> None:
    made = weights()
    more = {key.replace("block0", "block_tea"): weight for key, weight in made.items() if "block0" in key}
    more |= {"teacher.block0.conv0.0.0.weight": torch.zeros(1), "caltime.0.weight": torch.zeros(1)}
    more |= {"unet.down0.conv1.0.weight": torch.zeros(1), "contextnet.conv1.0.weight": torch.zeros(1)}
    assert torch.equal(result(loaded(made | more)), result(loaded(made)))


@pytest.mark.parametrize("suffix", [".pkl", ".pth", ".safetensors"])
def test_files_of_all_kinds_are_read(tmp_path: Path, suffix: str) -> None:
    made, path = weights(), tmp_path / f"flownet{suffix}"
    save_file(made, path) if suffix == ".safetensors" else torch.save(made, path)
    assert relative(result(load_interpolation_model(path)), result(loaded(made))) < 1e-5


@pytest.mark.parametrize(
    "version", ["4.0–4.1", "4.2–4.4", "4.5–4.6", "4.7–4.9", OLDER, "4.14 lite", "4.25, 4.26"]
)
@pytest.mark.parametrize("half", [False, True])
def test_ncnns_graph_makes_the_same_network(tmp_path: Path, version: str, half: bool) -> None:
    config, made = small(version), weights(version)
    text, data = ncnn_model(config, made, half)
    (tmp_path / "flownet.param").write_text(text)
    (tmp_path / "flownet.bin").write_bytes(data)
    ncnn_to_safetensors(
        tmp_path / "flownet.param", tmp_path / "flownet.bin", tmp_path / "rife.safetensors", {}
    )
    truth = result(loaded(made))
    for name in ("flownet.param", "flownet.bin", "rife.safetensors"):
        network = load_interpolation_model(tmp_path / name, torch.float32)
        assert network.config == config
        assert relative(result(network), truth) < (1e-2 if half else 1e-6), name


def test_scales_that_ncnns_converter_folded_into_convolutions_are_none(tmp_path: Path) -> None:
    made, folded = weights(), {}
    for key, weight in made.items():
        beta = made.get(f"{key.rpartition('.conv.')[0]}.beta")
        folded[key] = weight if beta is None else weight * beta.reshape(-1, *[1] * (weight.dim() - 1))
    text, data = ncnn_model(small("4.5–4.6"), {k: w for k, w in folded.items() if not k.endswith(".beta")})
    assert "MemoryData" not in text
    (tmp_path / "rife.param").write_text(text)
    (tmp_path / "rife.bin").write_bytes(data)
    network = load_interpolation_model(tmp_path / "rife.param")
    assert relative(result(network), result(loaded(made))) < 1e-5


def test_one_file_of_ncnns_pair_alone_is_refused_with_the_others_name(tmp_path: Path) -> None:
    (tmp_path / "flownet.param").write_text("7767517\n0 0\n")
    with pytest.raises(WeightsError, match=r"there is no flownet\.bin"):
        load_interpolation_model(tmp_path / "flownet.param")


def test_an_ncnn_graph_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.param").write_text("7767517\n1 1\nInput in0 0 1 in0\n")
    (tmp_path / "net.bin").write_bytes(b"")
    with pytest.raises(WeightsError, match=r"net\.param is no RIFE for ncnn.*blocks of ten"):
        load_interpolation_model(tmp_path / "net.param")


def test_an_ncnn_graph_in_circles_is_refused(tmp_path: Path) -> None:
    text, data = ncnn_model(small("4.5–4.6"), weights())
    lines = text.splitlines()
    circle = next(index for index, line in enumerate(lines) if line.startswith("Convolution "))
    words = lines[circle].split()
    words[4] = words[5]
    lines[circle] = " ".join(words)
    (tmp_path / "rife.param").write_text("\n".join(lines))
    (tmp_path / "rife.bin").write_bytes(data)
    with pytest.raises(WeightsError, match="takes what is not made yet"):
        load_interpolation_model(tmp_path / "rife.param")


def test_a_rife_before_4_is_refused_and_told_what_to_fetch() -> None:
    made = weights()
    made["block0.conv0.0.0.weight"] = made["block0.conv0.0.0.weight"][:, :6]
    with pytest.raises(WeightsError, match=r"as before version 4\.0.*models get rife-4\.14"):
        loaded(made)


@pytest.mark.parametrize(
    "gone",
    [
        "block2.convblock.3.conv.weight",
        "block1.conv0.1.0.weight",
        "encode.cnn3.bias",
        "block0.convblock.1.beta",
    ],
)
def test_an_incomplete_file_is_refused(gone: str) -> None:
    made = weights(OLDER)
    del made[gone]
    with pytest.raises(WeightsError, match=r"flownet\.pkl is no RIFE that can be loaded"):
        loaded(made)


@pytest.mark.parametrize("key", ["block1.convblock.0.beta", "block1.conv0.1.0.weight"])
def test_a_number_for_a_tensor_is_refused(key: str) -> None:
    with pytest.raises(WeightsError, match=r"flownet\.pkl is no RIFE that can be loaded"):
        loaded(weights() | {key: torch.tensor(1.0)})


@pytest.mark.parametrize("kind", [torch.int8, torch.float8_e4m3fn, torch.complex64])
def test_other_numbers_than_floats_are_refused(kind: torch.dtype) -> None:
    with pytest.raises(WeightsError, match=f"has weights in {str(kind).removeprefix('torch.')}"):
        loaded({key: weight.to(kind) for key, weight in weights().items()})


def test_half_precision_weights_make_the_published_network_in_float32(tmp_path: Path) -> None:
    made = {key: weight.half() for key, weight in weights().items()}
    save_file(made, tmp_path / "rife.safetensors")
    network = load_interpolation_model(tmp_path / "rife.safetensors", torch.float32)
    truth = result(loaded({key: weight.float() for key, weight in made.items()}))
    assert relative(result(network), truth) < 1e-6
    assert load_interpolation_model(tmp_path / "rife.safetensors").convolution_dtype == torch.float16


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple:
            return Path.touch, (tmp_path / "ran",)

    torch.save({"block0.conv0.0.0.weight": Hostile()}, tmp_path / "flownet.pkl")
    with pytest.raises(WeightsError, match="holds more than tensors"):
        load_interpolation_model(tmp_path / "flownet.pkl")
    assert not (tmp_path / "ran").exists()


def test_another_network_is_refused_with_what_is_known(tmp_path: Path) -> None:
    save_file({"some.weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match=r"first some\.weight; known are RIFE 4\.x"):
        load_interpolation_model(tmp_path / "other.safetensors")
    save_file(
        {"extract.extract_sublevels.convs.0.0.conv.weight": torch.zeros(2)}, tmp_path / "film.safetensors"
    )
    with pytest.raises(WeightsError, match="it is FILM, which ComfyUI's own node"):
        load_interpolation_model(tmp_path / "film.safetensors")
