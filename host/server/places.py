"""Names from requests, turned into paths that stay in their folder, on every system."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..api.path_names import OutsideFolderError, path_inside

LONGEST_NAME = 200
"""Bytes of a stored file name; file systems allow 255, and our own temporary names add to it."""

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)", re.IGNORECASE)


class BadNameError(ValueError):
    """A name that is refused; the message says why."""


def readable_path(folder: str, name: str) -> Path:
    """Where a named file of a folder lies, whether it is there or not.

    Raises:
        BadNameError: the name leads out of the folder, by dots, as an absolute path of any system, or
            through a symbolic link.
    """
    if any(part == ".." for part in _parts(name)):
        raise BadNameError(f"{name!r:.200} climbs out of its folder")
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        raise BadNameError(f"{name!r:.200} is an absolute path")
    try:
        return Path(path_inside(folder, name))
    except (OutsideFolderError, UnicodeEncodeError, OSError) as error:
        raise BadNameError(f"{name!r:.200} is no path inside its folder") from error


def writable_path(folder: str, name: str) -> Path:
    """Where a file is to be written.

    Raises:
        BadNameError: as `readable_path`; or a part is a name that some system cannot store or hides.
    """
    path = readable_path(folder, name)
    for part in _parts(name):
        if (reason := _why_unstorable(part)) is not None:
            raise BadNameError(f"{part!r:.200} is no file name: {reason}")
    return path


def safe_name(name: str) -> str:
    """A file name near to the given one that every system can store.

    Raises:
        BadNameError: nothing is left of it.
    """
    last = _parts(name)[-1]
    encodable = last.encode("utf-8", "ignore").decode()
    shown = "".join(sign if sign.isprintable() else "_" for sign in encodable)
    clean = _FORBIDDEN.sub("_", shown).strip(". ")
    if _RESERVED.match(clean):
        clean = f"_{clean}"
    stem, extension = os.path.splitext(clean)
    if not stem:
        raise BadNameError(f"{name!r:.200} is no file name")
    room = LONGEST_NAME - len(extension.encode())
    if room < 1:
        raise BadNameError(f"{name!r:.200} has too long an extension")
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ") + extension


def _parts(name: str) -> list[str]:
    return re.split(r"[/\\]", name)


def _why_unstorable(part: str) -> str | None:
    if not part or part == ".":
        return "it is empty"
    if _FORBIDDEN.search(part):
        return 'it holds one of <>:"|?* or a control character'
    if part != part.rstrip(". "):
        return "it ends with a dot or a space"
    if _RESERVED.match(part):
        return "Windows reserves it"
    if len(part.encode("utf-8", "replace")) > LONGEST_NAME:
        return f"it is longer than {LONGEST_NAME} bytes"
    return None
