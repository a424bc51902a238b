"""The user's own files: settings, workflows, whatever the editor keeps."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import folder_paths

from ..whole_file import whole_file
from . import plain_json
from .places import readable_path, writable_path

_LOG = logging.getLogger(__name__)

SETTINGS = "comfy.settings.json"

_settings_lock = threading.Lock()


def home() -> Path:
    """The folder of the one user."""
    return Path(folder_paths.get_user_directory(), "default")


def make_home() -> None:
    """Make the folders that the editor lists at its start."""
    for name in ("workflows", "subgraphs"):
        (home() / name).mkdir(parents=True, exist_ok=True)


def existing(name: str) -> Path:
    """Where a file or folder of the user lies, if it is there."""
    return readable_path(str(home()), name)


def write(name: str, content: bytes, *, overwrite: bool = True) -> Path:
    """Store a file; it appears whole or not at all.

    Raises:
        BadNameError: the name leads elsewhere. FileExistsError: it is taken, and may not be overwritten.
    """
    path = writable_path(str(home()), name)
    if not overwrite and path.exists():
        raise FileExistsError(f"{name} exists")
    if path.is_dir():
        raise IsADirectoryError(f"{name} is a folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(str(path)) as part:
        Path(part).write_bytes(content)
    return path


def move(source: Path, name: str, *, overwrite: bool) -> Path:
    """Give a file another name.

    Raises:
        BadNameError: the name leads elsewhere. FileExistsError: it is taken, and may not be overwritten.
    """
    path = writable_path(str(home()), name)
    if (not overwrite and path.exists()) or path.is_dir():
        raise FileExistsError(f"{name} exists")
    path.parent.mkdir(parents=True, exist_ok=True)
    os.replace(source, path)
    return path


def facts(path: Path, folder: Path) -> dict[str, Any]:
    """A file's path below a folder, its size in bytes, and its times in ms since 1970."""
    stat = path.stat()
    return {
        "path": relative(path, folder),
        "size": stat.st_size,
        "modified": int(stat.st_mtime * 1000),
        "created": int(stat.st_ctime * 1000),
    }


def relative(path: Path, folder: Path) -> str:
    """A path below a folder, with forward slashes."""
    return path.relative_to(folder).as_posix()


def files(folder: Path, *, recurse: bool) -> list[Path]:
    """The files in a folder, or below it, without hidden ones and links that lead out of the user's home."""
    found = (path for path, is_folder in _walk(folder, recurse) if not is_folder)
    return sorted(found)


def tree(folder: Path) -> list[dict[str, Any]]:
    """Everything below a folder, folders first, each with its name, type and path below the user's home."""
    entries = []
    for path, is_folder in _walk(folder, recurse=True):
        entry = {"name": path.name, "path": relative(path, home())}
        if is_folder:
            entries.append({**entry, "type": "directory"})
        else:
            stat = path.stat()
            entries.append({**entry, "type": "file", "size": stat.st_size, "modified": stat.st_mtime})
    return sorted(entries, key=lambda entry: (entry["type"] != "directory", entry["name"].lower()))


def _walk(folder: Path, recurse: bool) -> Iterator[tuple[Path, bool]]:
    root = os.path.realpath(home())
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = [(Path(place, name), True) for name in folders]
        paths += [(Path(place, name), False) for name in names if not name.startswith(".")]
        for path, is_folder in paths:
            if path.is_symlink() and not os.path.realpath(path).startswith(root + os.sep):
                continue
            if path.exists():
                yield path, is_folder
        if not recurse:
            return


def settings() -> dict[str, Any]:
    """The editor's settings; none where their file is missing, or damaged and therefore set aside."""
    path = home() / SETTINGS
    if not path.is_file():
        return {}
    try:
        found = plain_json.read(path.read_bytes())
    except plain_json.NotPlainError as error:
        aside = path.with_name(f"{path.name}.broken-{int(time.time())}")
        path.rename(aside)
        _LOG.error("The settings cannot be read (%s): kept as %s, new ones begin", error, aside)
        return {}
    return found if isinstance(found, dict) else {}


def change_settings(changes: dict[str, Any]) -> None:
    """Add to the settings; several tabs may do so at once."""
    with _settings_lock:
        write(SETTINGS, plain_json.write(settings() | changes).encode())
