"""Which clips of a folder, and in which order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

ORDERS = ("name", "newest first", "oldest first")


def clip_names(paths: Iterable[Path], base: Path, pattern: str, order: str) -> list[str]:
    """Names below `base`, written with "/", of the paths whose file name matches.

    Args:
        pattern: with `*`, `?` and `[…]`; upper and lower case are the same.
        order: one of `ORDERS`; by name, numbers count as numbers: clip2 comes before clip10.
    """
    matching = [path for path in paths if fnmatchcase(path.name.lower(), pattern.lower())]
    names = sorted((path.relative_to(base).as_posix() for path in matching), key=_natural)
    if order != "name":
        names.sort(key=lambda name: (base / name).stat().st_mtime_ns, reverse=order == "newest first")
    return names


def _natural(name: str) -> list[tuple[int, int | str]]:
    return [
        (0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", name.lower()) if part
    ]
