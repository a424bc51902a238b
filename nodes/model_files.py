"""Where trained weights lie: below `models/kinograph` and the user's extra paths, or within the pack."""

from __future__ import annotations

import os
from pathlib import Path

import folder_paths

FOLDER = "kinograph"
EMBEDDED = Path(__file__).resolve().parents[1] / "weights"
EMBEDDED_KINDS = ("diffusion_models", "vae", "text_encoders", FOLDER)
SUFFIXES = frozenset({".safetensors", ".pkl", ".pth", ".pt", ".ckpt", ".onnx", ".param", ".bin"})


class ModelMissing(FileNotFoundError):
    """Weights that a node needs are not installed; the message has the command that fetches them."""


def register_folder() -> None:
    """Tell the host of the folder and of what counts as a model in it."""
    folder_paths.add_model_folder_path(FOLDER, os.path.join(folder_paths.models_dir, FOLDER))
    folder_paths.folder_names_and_paths[FOLDER][1].update(SUFFIXES)


def register_embedded_weights() -> None:
    """Let the host's own loaders list the small weights that come with the pack, `kinograph_tiny_*`."""
    for kind in EMBEDDED_KINDS:
        if (EMBEDDED / kind).is_dir():
            folder_paths.add_model_folder_path(kind, str(EMBEDDED / kind))


def files_below(folder: str) -> list[str]:
    """Names, for a widget, of the installed files below one of our folders, which ends with a slash."""
    names = (name.replace("\\", "/") for name in folder_paths.get_filename_list(FOLDER))
    return [name.removeprefix(folder) for name in names if name.startswith(folder)]


def model_file(name: str, catalogue_name: str, source: str = "") -> Path:
    """The installed file of that name.

    Args:
        name: path below the folder, e.g. "scene_cuts/transnetv2.safetensors".
        catalogue_name: what `kinograph models get` calls it.
        source: where to get it by hand, if that cannot.

    Raises:
        ModelMissing: there is none.
    """
    path = folder_paths.get_full_path(FOLDER, name)
    if path is None:
        folders = ", ".join(folder_paths.get_folder_paths(FOLDER))
        if source:
            raise ModelMissing(f"the weights {name} are not in {folders}; put them there from {source}")
        raise ModelMissing(
            f"the weights {name} are not in {folders}; fetch them with "
            f'`kinograph models get {catalogue_name} --models-dir "{folder_paths.models_dir}"`'
        )
    return Path(path)
