"""The model folders by kind, and the files in them."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import NamedTuple

from .path_names import OutsideFolderError, path_inside

supported_pt_extensions: set[str] = {".ckpt", ".pt", ".pt2", ".bin", ".pth", ".safetensors", ".pkl", ".sft"}

folder_names_and_paths: dict[str, tuple[list[str], Collection[str]]] = {}
"""Kind of model → (its folders, the extensions that count; none means every file)."""

_LEGACY_NAMES = {"unet": "diffusion_models", "clip": "text_encoders"}

_CORE_FOLDERS: dict[str, tuple[str, ...]] = {
    "checkpoints": ("checkpoints",),
    "configs": ("configs",),
    "loras": ("loras",),
    "vae": ("vae",),
    "text_encoders": ("text_encoders", "clip"),
    "diffusion_models": ("unet", "diffusion_models"),
    "clip_vision": ("clip_vision",),
    "style_models": ("style_models",),
    "embeddings": ("embeddings",),
    "diffusers": ("diffusers",),
    "vae_approx": ("vae_approx",),
    "controlnet": ("controlnet", "t2i_adapter"),
    "gligen": ("gligen",),
    "upscale_models": ("upscale_models",),
    "latent_upscale_models": ("latent_upscale_models",),
    "hypernetworks": ("hypernetworks",),
    "photomaker": ("photomaker",),
    "classifiers": ("classifiers",),
    "model_patches": ("model_patches",),
    "audio_encoders": ("audio_encoders",),
    "frame_interpolation": ("frame_interpolation",),
}

_OTHER_EXTENSIONS: dict[str, Collection[str]] = {
    "configs": [".yaml"],
    "diffusers": ["folder"],
    "classifiers": {""},
}


def place_core_folders(base_path: str, models_dir: str) -> None:
    """Register core's kinds of models under a models folder, replacing their folders of before."""
    for kind, names in _CORE_FOLDERS.items():
        folders = [os.path.join(models_dir, name) for name in names]
        folder_names_and_paths[kind] = (folders, _OTHER_EXTENSIONS.get(kind, supported_pt_extensions))
    folder_names_and_paths["custom_nodes"] = ([os.path.join(base_path, "custom_nodes")], set())


def map_legacy(folder_name: str) -> str:
    """The present name of a kind of model."""
    return _LEGACY_NAMES.get(folder_name, folder_name)


def add_model_folder_path(folder_name: str, full_folder_path: str, is_default: bool = False) -> None:
    """Search another folder for a kind of model, first of all with `is_default`.

    A kind that is new has no extensions: every file in the folder counts.
    """
    folders, _ = folder_names_and_paths.setdefault(map_legacy(folder_name), ([], set()))
    if is_default and full_folder_path in folders:
        folders.remove(full_folder_path)
    if full_folder_path not in folders:
        folders.insert(0 if is_default else len(folders), full_folder_path)


def get_folder_paths(folder_name: str) -> list[str]:
    """The folders of a kind of model."""
    return folder_names_and_paths[map_legacy(folder_name)][0][:]


def filter_files_extensions(files: Collection[str], extensions: Collection[str]) -> list[str]:
    """The files with one of the extensions, sorted; all of them where there are no extensions."""
    return sorted(name for name in files if not extensions or os.path.splitext(name)[1].lower() in extensions)


def recursive_search(
    directory: str, excluded_dir_names: list[str] | None = None
) -> tuple[list[str], dict[str, float]]:
    """All files below a folder, relative to it, and the modification time of every folder visited."""
    files: list[str] = []
    times: dict[str, float] = {}
    visited: set[str] = set()
    for folder, inner, names in os.walk(directory, followlinks=True):
        real = os.path.realpath(folder)
        if real in visited:  # a link back to a folder above
            inner.clear()
            continue
        visited.add(real)
        inner[:] = [name for name in inner if name not in (excluded_dir_names or [])]
        times[folder] = os.path.getmtime(folder)
        files += [os.path.relpath(os.path.join(folder, name), directory) for name in names]
    return files, times


class _Listing(NamedTuple):
    names: list[str]
    folders: tuple[str, ...]
    times: dict[str, float]

    def is_current(self, folders: list[str]) -> bool:
        """Whether the same folders are searched, none has appeared, and none has changed."""
        return (
            self.folders == tuple(folders)
            and all(_modified(folder) == time for folder, time in self.times.items())
            and all(folder in self.times for folder in folders if os.path.isdir(folder))
        )


_LISTINGS: dict[str, _Listing] = {}


def _modified(folder: str) -> float | None:
    return os.path.getmtime(folder) if os.path.isdir(folder) else None


def get_filename_list(folder_name: str) -> list[str]:
    """The files of a kind of model, sorted, relative to its folders; listed anew when a folder changes.

    Raises:
        KeyError: no such kind.
    """
    kind = map_legacy(folder_name)
    folders, extensions = folder_names_and_paths[kind]
    listing = _LISTINGS.get(kind)
    if listing is None or not listing.is_current(folders):
        found: set[str] = set()
        times: dict[str, float] = {}
        for folder in folders:
            names, folder_times = recursive_search(folder, excluded_dir_names=[".git"])
            found.update(filter_files_extensions(names, extensions))
            times |= folder_times
        listing = _LISTINGS[kind] = _Listing(sorted(found), tuple(folders), times)
    return list(listing.names)


def get_full_path(folder_name: str, filename: str) -> str | None:
    """The path of a model file; None where there is none or the name leads out of the kind's folders."""
    folders, _ = folder_names_and_paths.get(map_legacy(folder_name), ([], ()))
    for folder in folders:
        try:
            # A link inside a models folder is the user's own and may lead anywhere.
            path = path_inside(folder, filename, follow_links=False)
        except OutsideFolderError:
            return None
        if os.path.isfile(path):
            return path
    return None


def get_full_path_or_raise(folder_name: str, filename: str) -> str:
    """The path of a model file.

    Raises:
        FileNotFoundError: no such file in the kind's folders.
    """
    path = get_full_path(folder_name, filename)
    if path is None:
        raise FileNotFoundError(f"Model in folder '{folder_name}' with filename '{filename}' not found.")
    return path
