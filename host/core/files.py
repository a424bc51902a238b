"""Files of the input folder that a graph names."""

from __future__ import annotations

import hashlib
from pathlib import Path

import folder_paths


def input_files(*content_types: str) -> list[str]:
    """Names of the files directly in the input folder whose type is one of "image", "video", "audio"."""
    folder = Path(folder_paths.get_input_directory())
    names = [entry.name for entry in folder.iterdir() if entry.is_file()] if folder.is_dir() else []
    return sorted(folder_paths.filter_files_content_types(names, list(content_types)))


def input_file(name: str) -> Path:
    """The file that a loader's widget names, e.g. "clip.mp4", "day 1/clip.mp4" or "clip.mp4 [output]".

    Raises:
        ValueError: it is no text, leaves its folder, also through a symbolic link, or no such file exists.
    """
    if not isinstance(name, str):
        raise ValueError(f"{name!r:.60} is not the name of a file; choose one")
    path = Path(folder_paths.get_annotated_filepath(name))
    if not path.is_file():
        raise ValueError(f"there is no file {path}; copy it there, choose another, or pass --input DIR")
    return path


def problem_with(name: str) -> str | bool:
    """True where `input_file` finds the name, else why not: what `validate_inputs` answers."""
    try:
        input_file(name)
    except ValueError as error:
        return str(error)
    return True


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
