"""The input and output folders: every name a workflow gives is checked here before a file is touched.

A name is a path below one of the host's folders, written with "/". Anything that could lead elsewhere
(`..`, absolute paths, drive letters, symbolic links that leave the folder) is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import folder_paths

VIDEO_SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *("mp4", "m4v", "mov", "mkv", "webm", "avi", "gif", "webp", "apng", "mpg", "mpeg"),
        *("ts", "m2ts", "mts", "wmv", "flv", "ogv", "3gp", "mxf", "y4m"),
    )
)
_ANNOTATED = re.compile(r"(?P<name>.*?) ?\[(?P<folder>input|output|temp)\]", re.DOTALL)
_UNSTORABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
LONGEST_NEW_NAME = 200
"""Bytes; the number, the ending and the output folder must fit beside it in what Windows allows."""

_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in range(1, 10))]
)


class PathRefused(ValueError):
    """A name that may lead outside its folder or that some system cannot store; says what to write."""


def input_file(name: str) -> Path:
    """The existing file a workflow names, in the input folder or the one its annotation gives.

    Args:
        name: e.g. "clip.mp4", "takes/clip.mp4" or, as the editor writes it, "clip.mp4 [output]".

    Raises:
        PathRefused: the name could lead outside the folder.
        FileNotFoundError: nothing is there, or it is a folder.
    """
    plain, folder = _annotation(name)
    path = _inside(folder, plain)
    if path.is_dir():
        raise FileNotFoundError(f"{name!r} is a folder; name a file in it, or use Load Video Folder")
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no file {plain!r} in the {folder} folder ({_base(folder)}); put it there, or pick one"
        )
    return path


def input_folder(name: str) -> Path:
    """The existing folder a workflow names; "." is the input folder itself.

    Raises:
        PathRefused: the name could lead outside the folder.
        FileNotFoundError: there is no such folder.
    """
    plain, folder = _annotation(name)
    path = _base(folder) if plain in ("", ".") else _inside(folder, plain)
    if not path.is_dir():
        raise FileNotFoundError(
            f"there is no folder {plain!r} in the {folder} folder ({_base(folder)}); make it or pick another"
        )
    return path


def input_videos() -> list[str]:
    """Names of the video files in the input folder and below it, sorted, for a widget's choices."""
    base = _base("input")
    return sorted(path.relative_to(base).as_posix() for path in videos_in(base, recursive=True))


def input_subfolders() -> list[str]:
    """Names of the folders below the input folder, sorted, after "." for the folder itself."""
    base = _base("input")
    below = (Path(parent, name) for parent, names, _ in os.walk(base) for name in names)
    return [".", *sorted(path.relative_to(base).as_posix() for path in below if _stays(path, base))]


def videos_in(folder: Path, *, recursive: bool) -> Iterator[Path]:
    """Video files in a folder, by suffix; not the hidden ones, nor links that leave the folder."""
    for parent, subfolders, names in os.walk(folder):
        if not recursive:
            subfolders.clear()
        for name in names:
            path = Path(parent, name)
            if path.suffix.lower() in VIDEO_SUFFIXES and not name.startswith(".") and _stays(path, folder):
                yield path


def file_state(path: Path) -> str:
    """A string that changes when the file does: its path, size and time of change."""
    state = path.stat()
    return f"{path}|{state.st_size}|{state.st_mtime_ns}"


def output_folder(name: str) -> Path:
    """A folder below the output folder, created if missing; "" is the output folder itself.

    Raises:
        PathRefused: the name could lead outside the folder, or some system cannot store it.
    """
    path = _inside("output", name) if name else _base("output")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise PathRefused(f"{name!r} names a file of the output folder; choose another subfolder") from error
    return path


def temporary_folder() -> Path:
    """The host's folder for files that last as long as the host runs, created if missing."""
    path = _base("temp")
    path.mkdir(parents=True, exist_ok=True)
    return path


def check_portable(name: str) -> None:
    """Refuse a name that Windows cannot store: a new file must travel with its workflow.

    Raises:
        PathRefused: a part of the name is too long, or has a forbidden character or ending.
    """
    _check(name)
    forbidden = sorted(set(name) & set('<>:"|?*'))
    if forbidden:
        raise PathRefused(f"{name!r} contains {' '.join(forbidden)}, which Windows cannot store; leave out")
    for part in name.split("/"):
        if part != part.rstrip(". ") or not part:
            raise PathRefused(f"{name!r} has a part that is empty or ends in a dot or space; mend it")
    if (size := len(name.encode())) > LONGEST_NEW_NAME:
        raise PathRefused(f"{name[:40]!r}… is {size} bytes long; write at most {LONGEST_NEW_NAME}")


def _annotation(name: str) -> tuple[str, str]:
    if not isinstance(name, str):  # an API prompt may hold any JSON here
        raise PathRefused(f"{name!r:.60} is not a name; write one, e.g. 'takes/clip.mp4'")
    annotated = _ANNOTATED.fullmatch(name)
    return (annotated["name"], annotated["folder"]) if annotated else (name, "input")


def _base(folder: str) -> Path:
    return Path(folder_paths.get_directory_by_type(folder)).resolve()


def _inside(folder: str, name: str) -> Path:
    _check(name)
    base = _base(folder)
    path = base / name
    if not _stays(path, base):
        raise PathRefused(
            f"{name!r} is a link that leaves the {folder} folder ({base}); copy the file there instead"
        )
    return path


def _stays(path: Path, base: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(base))


def _check(name: str) -> None:
    """Refuse every way to write a path that is not simply below a folder, on any system."""
    if not name.strip():
        raise PathRefused("the name is empty; write one, e.g. video/clip")
    if _UNSTORABLE.search(name):
        raise PathRefused(f"{name!r} contains a character that no file name can have; type it again")
    if max(len(part.encode()) for part in name.split("/")) > 255 or len(name.encode()) > 1000:
        raise PathRefused(f"{name[:40]!r}… is longer than any file name; shorten it")
    if "\\" in name:
        raise PathRefused(f"{name!r} contains a backslash; write {name.replace(chr(92), '/')!r}")
    if name.startswith("/") or re.match("[A-Za-z]:", name):
        raise PathRefused(f"{name!r} is an absolute path; write one below the folder, e.g. 'takes/clip'")
    parts = name.split("/")
    if ".." in parts:
        raise PathRefused(f"{name!r} leads outside the folder; write it without '..'")
    reserved = [part for part in parts if part.split(".")[0].rstrip().upper() in _DEVICES]
    if reserved:
        raise PathRefused(f"{name!r}: {reserved[0]!r} is the name of a device on Windows; choose another")
