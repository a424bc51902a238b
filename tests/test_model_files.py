"""Trained weights are found below models/kinograph and in the folders that a user adds."""

from __future__ import annotations

import folder_paths
import pytest
from kinograph.nodes import model_files
from kinograph.nodes.model_files import (
    FOLDER,
    ModelMissing,
    model_file,
    register_embedded_weights,
    register_folder,
)

NAME = "examples/net.safetensors"


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A models directory of its own, and the folders known to the host put back afterwards."""
    monkeypatch.setattr(folder_paths, "models_dir", str(tmp_path / "models"))
    known = folder_paths.folder_names_and_paths
    before = known.pop(FOLDER, None)
    yield tmp_path / "models"
    known.pop(FOLDER, None)
    if before:
        known[FOLDER] = before


def put(path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    return path


def test_weights_below_the_models_directory_are_found(models):
    register_folder()
    path = put(models / FOLDER / NAME)
    assert model_file(NAME, "example") == path


def test_a_folder_that_the_user_added_before_is_kept(models, tmp_path):
    folder_paths.add_model_folder_path(FOLDER, str(tmp_path / "elsewhere"))
    register_folder()
    path = put(tmp_path / "elsewhere" / NAME)
    assert model_file(NAME, "example") == path


def test_only_files_that_hold_weights_are_listed(models):
    register_folder()
    put(models / FOLDER / NAME)
    (models / FOLDER / "examples" / "net.licence.txt").write_text("the licence")
    assert folder_paths.get_filename_list(FOLDER) == [NAME]


def test_missing_weights_are_named_with_the_folder_and_the_command(models):
    register_folder()
    command = f'kinograph models get example --models-dir "{models}"'
    with pytest.raises(ModelMissing, match=NAME) as caught:
        model_file(NAME, "example")
    assert command in str(caught.value) and str(models / FOLDER) in str(caught.value)


def test_embedded_weights_are_listed_among_the_hosts_own_models(tmp_path, monkeypatch):
    put(tmp_path / "vae" / "kinograph_tiny_example.safetensors")
    monkeypatch.setattr(model_files, "EMBEDDED", tmp_path)
    folders = folder_paths.folder_names_and_paths["vae"][0]
    monkeypatch.setitem(
        folder_paths.folder_names_and_paths,
        "vae",
        (list(folders), folder_paths.folder_names_and_paths["vae"][1]),
    )
    register_embedded_weights()
    assert "kinograph_tiny_example.safetensors" in folder_paths.get_filename_list("vae")
    assert str(tmp_path / "text_encoders") not in folder_paths.get_folder_paths("text_encoders")
