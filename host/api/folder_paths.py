"""`folder_paths`: where inputs, outputs and models lie.

The base directory is the environment's KINOGRAPH_HOME, else the working directory at start. Names come
from workflows and are not trusted: one that leads out of its folder is refused.
"""

from __future__ import annotations

import os

from . import model_folders
from .model_folders import (
    add_model_folder_path,
    filter_files_extensions,
    folder_names_and_paths,
    get_filename_list,
    get_folder_paths,
    get_full_path,
    get_full_path_or_raise,
    map_legacy,
    recursive_search,
    supported_pt_extensions,
)
from .output_paths import filter_files_content_types, get_save_image_path
from .path_names import OutsideFolderError, path_inside

base_path: str
models_dir: str
input_directory: str
output_directory: str
temp_directory: str
user_directory: str


def set_base_directory(directory: str) -> None:
    """Put the input, output, temp, user and models folders under one directory."""
    global base_path, models_dir
    base_path = os.path.abspath(directory)
    models_dir = os.path.join(base_path, "models")
    for name, setter in (
        ("input", set_input_directory),
        ("output", set_output_directory),
        ("temp", set_temp_directory),
        ("user", set_user_directory),
    ):
        setter(os.path.join(base_path, name))
    model_folders.place_core_folders(base_path, models_dir)


def set_input_directory(input_dir: str) -> None:
    global input_directory
    input_directory = os.path.abspath(input_dir)


def set_output_directory(output_dir: str) -> None:
    global output_directory
    output_directory = os.path.abspath(output_dir)


def set_temp_directory(temp_dir: str) -> None:
    global temp_directory
    temp_directory = os.path.abspath(temp_dir)


def set_user_directory(user_dir: str) -> None:
    global user_directory
    user_directory = os.path.abspath(user_dir)


def get_input_directory() -> str:
    return input_directory


def get_output_directory() -> str:
    return output_directory


def get_temp_directory() -> str:
    return temp_directory


def get_user_directory() -> str:
    return user_directory


def get_system_user_directory(name: str = "system") -> str:
    """A folder for the host's own data, which no web request reaches.

    Raises:
        ValueError: a name that is not letters, digits and inner underscores.
    """
    if not name.replace("_", "").isalnum() or name.startswith("_"):
        raise ValueError(f"{name!r} is no name for a system user: use letters, digits and inner underscores")
    return os.path.join(get_user_directory(), f"__{name}")


def get_public_user_directory(user_id: str) -> str | None:
    """A user's folder, None for the host's own or a name that leads elsewhere."""
    if not user_id or user_id.startswith("__"):
        return None
    try:
        return path_inside(get_user_directory(), user_id)
    except OutsideFolderError:
        return None


def get_directory_by_type(type_name: str) -> str | None:
    """The "input", "output" or "temp" folder, None for any other word."""
    folders = {"input": input_directory, "output": output_directory, "temp": temp_directory}
    return folders.get(type_name)


def annotated_filepath(name: str) -> tuple[str, str | None]:
    """Split "clip.mp4 [output]" into ("clip.mp4 ", the output folder); without a mark, (name, None)."""
    for type_name in ("output", "input", "temp"):
        mark = f"[{type_name}]"
        if name.endswith(mark):
            return name[: -len(mark) - 1], get_directory_by_type(type_name)
    return name, None


def get_annotated_filepath(name: str, default_dir: str | None = None) -> str:
    """The path of a file in the marked folder, else in `default_dir`, else in the input folder.

    Raises:
        OutsideFolderError: the name leads out of the folder.
    """
    file_name, marked = annotated_filepath(name)
    return path_inside(marked or default_dir or get_input_directory(), file_name)


def exists_annotated_filepath(name: str) -> bool:
    """Whether there is such a file; False for a name that leads out of its folder."""
    try:
        return os.path.exists(get_annotated_filepath(name))
    except OutsideFolderError:
        return False


def get_input_subfolders() -> list[str]:
    """All folders inside the input folder, relative to it, with forward slashes."""
    root = get_input_directory()
    found = (os.path.relpath(folder, root) for folder, _, _ in os.walk(root) if folder != root)
    return sorted(name.replace(os.sep, "/") for name in found)


set_base_directory(os.environ.get("KINOGRAPH_HOME") or os.getcwd())

__all__ = [
    "OutsideFolderError",
    "add_model_folder_path",
    "annotated_filepath",
    "exists_annotated_filepath",
    "filter_files_content_types",
    "filter_files_extensions",
    "folder_names_and_paths",
    "get_annotated_filepath",
    "get_directory_by_type",
    "get_filename_list",
    "get_folder_paths",
    "get_full_path",
    "get_full_path_or_raise",
    "get_input_directory",
    "get_input_subfolders",
    "get_output_directory",
    "get_public_user_directory",
    "get_save_image_path",
    "get_system_user_directory",
    "get_temp_directory",
    "get_user_directory",
    "map_legacy",
    "recursive_search",
    "set_base_directory",
    "set_input_directory",
    "set_output_directory",
    "set_temp_directory",
    "set_user_directory",
    "supported_pt_extensions",
]
