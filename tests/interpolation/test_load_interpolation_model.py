"""Load Interpolation Model lists what is there or can be fetched, and gives what all such nodes take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import folder_paths
import pytest
import torch
from interpolation.rife_weights import UNREAD, ncnn_model, pair, published, relative, small
from kinograph.nodes import interp_model
from kinograph.nodes.interp_model import interpolation_files, interpolation_path
from kinograph.nodes.interpolation.nodes_load import KinoLoadInterpolationModel
from kinograph.nodes.model_files import FOLDER, ModelMissing, register_folder
from kinograph.nodes.vae.weights_file import WeightsError
from safetensors.torch import save_file

VERSION = "4.10–4.19, 4.24"


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Path]:
    """The models folder of a host, with networks in our folder and in ComfyUI's."""
    base, folders = folder_paths.base_path, folder_paths.folder_names_and_paths.pop(FOLDER, None)
    folder_paths.set_base_directory(str(tmp_path))
    register_folder()
    models = tmp_path / "models"
    for folder in ("kinograph/interpolation/mine", "kinograph/scene_cuts", "frame_interpolation"):
        (models / folder).mkdir(parents=True)
    weights = published(small(VERSION), UNREAD[VERSION])
    torch.save(weights, models / "kinograph/interpolation/mine/flownet.pkl")
    save_file(weights, models / "frame_interpolation/cores.safetensors")
    graph, data = ncnn_model(small("4.5–4.6"), published(small("4.5–4.6")))
    (models / "kinograph/interpolation/graph.param").write_text(graph)
    (models / "kinograph/interpolation/graph.bin").write_bytes(data)
    (models / "kinograph/interpolation/rife-4.6.licence.txt").write_text("MIT")
    save_file({"other": torch.zeros(1)}, models / "kinograph/scene_cuts/cuts.safetensors")
    yield models
    folder_paths.set_base_directory(base)
    folder_paths.folder_names_and_paths.pop(FOLDER)
    if folders is not None:
        folder_paths.folder_names_and_paths[FOLDER] = folders


def load(file: str, dtype: str = "auto") -> tuple:
    return KinoLoadInterpolationModel.execute(file, dtype).args


def test_files_of_both_folders_are_listed_and_a_pair_of_ncnns_once(models: Path) -> None:
    assert interpolation_files() == [
        "rife_4.14.safetensors",
        "rife_4.6.safetensors",
        "graph.param",
        "mine/flownet.pkl",
        "cores.safetensors",
    ]


def test_a_host_without_comfyuis_folder_lists_ours(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(folder_paths.folder_names_and_paths, "frame_interpolation")
    assert "cores.safetensors" not in interpolation_files()
    assert "graph.param" in interpolation_files()
    with pytest.raises(FileNotFoundError, match=r"no network 'cores\.safetensors'"):
        interpolation_path("cores.safetensors")


def test_what_can_be_fetched_and_is_not_there_names_the_command(models: Path) -> None:
    with pytest.raises(ModelMissing, match=r"kinograph models get rife-4\.14 --models-dir"):
        load("rife_4.14.safetensors")


@pytest.mark.parametrize("name", ["gone.safetensors", "../scene_cuts/cuts.safetensors", "/etc/passwd", ""])
def test_other_files_are_not_found(models: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError, match="put it there, or pick another"):
        load(name)


@pytest.mark.parametrize("file", ["mine/flownet.pkl", "cores.safetensors", "graph.param"])
def test_the_output_is_what_comfyuis_own_node_runs(models: Path, file: str) -> None:
    model, report = load(file, "float32")
    assert report.startswith(f"{file}: RIFE") and report.endswith("M parameters, float32 on cpu")
    network, dtype = model.model, model.model_dtype()
    first, second = pair(64, 96)
    assert network.memory_used_forward((5, 64, 96, 3), dtype) > 0
    assert 64 % network.pad_align == 96 % network.pad_align == 0
    cache = {"img0": network.extract_features(first), "img1": network.extract_features(second)}
    times = torch.tensor([0.25, 0.5, 0.75]).reshape(3, 1, 1, 1).expand(-1, 1, 64, 96)
    made = network(first.expand(3, -1, -1, -1), second.expand(3, -1, -1, -1), timestep=times, cache=cache)
    assert made.shape == (3, 3, 64, 96) and made.dtype == dtype == torch.float32
    assert relative(made[1:2], network(first, second, 0.5)) < 1e-5


def test_frames_are_made_by_what_was_loaded(models: Path) -> None:
    from kinograph.nodes.interpolation.nodes_frames import KinoInterpolateFrames

    model, _ = load("mine/flownet.pkl", "float32")
    images = torch.cat(pair(40, 56)).movedim(1, -1)
    made = KinoInterpolateFrames.execute(model, images, 4, 0, 0.0, 4, "auto", 0).args[0]
    assert made.shape == (5, 40, 56, 3)
    assert torch.equal(made[[0, -1]], images)
    assert relative(made[2], images.mean(0)) > 1e-3


@pytest.mark.parametrize("fast", [True, False])
def test_auto_computes_in_bfloat16_where_the_processor_does(
    models: Path, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    monkeypatch.setattr("kinograph.kernels.fast_cpu.computes_bfloat16", lambda: fast)
    model, report = load("graph.param")
    dtype = torch.bfloat16 if fast else torch.float32
    assert model.model.convolution_dtype == dtype
    assert str(dtype).removeprefix("torch.") in report
    assert model.model_dtype() == torch.float32, "frames are still wanted whole"


def test_a_gpu_gets_float16() -> None:
    assert interp_model.number_type(torch.device("cuda")) == torch.float16


def test_a_file_of_something_else_is_refused(models: Path) -> None:
    save_file({"other": torch.zeros(1)}, models / "frame_interpolation" / "other.safetensors")
    with pytest.raises(WeightsError, match="is no network for frames in between"):
        load("other.safetensors")
