"""A file that appears under its name only when it is whole, and never in another file's place."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .recipe import VideoError


@contextmanager
def new_file(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a hidden name in the same folder to write to; on success it becomes `path`, else it is removed.

    Raises:
        VideoError: `path` exists (unless `replace`), or the folder cannot be written.
    """
    if not replace and path.exists():
        raise VideoError(f"{path.name} exists and is not overwritten; choose another name")
    hidden = path.with_name(f".{path.stem[:80]}.{secrets.token_hex(4)}.part")
    try:
        yield hidden
        _flush(hidden)
        if replace:
            os.replace(hidden, path)
        else:
            _claimed(hidden, path)
    finally:
        with suppress(FileNotFoundError):
            hidden.unlink()


def _flush(path: Path) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _claimed(hidden: Path, path: Path) -> None:
    try:
        claim(hidden, path)
    except FileExistsError:
        raise VideoError(
            f"{path.name} appeared while it was being written and is kept; choose another name"
        ) from None


def claim(hidden: Path, path: Path) -> None:
    """Rename a file without replacing another: a second link fails where the name is taken.

    Where the file system has hard links, `hidden` stays as a second name of the file.

    Raises:
        FileExistsError: the name is taken.
    """
    try:
        os.link(hidden, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
        os.replace(hidden, path)
