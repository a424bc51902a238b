"""File names that a workflow brings: joined to a folder, or refused."""

from __future__ import annotations

import os


class OutsideFolderError(ValueError):
    """A name that leads out of its folder; the message names both."""


def path_inside(folder: str, name: str, *, follow_links: bool = True) -> str:
    """Join a name to a folder.

    Args:
        folder: an existing folder or not.
        name: relative, with either kind of slash.
        follow_links: whether a link that points out of the folder is refused too.

    Raises:
        OutsideFolderError: `name` is absolute, climbs out with "..", holds a null byte, or is a link that
            leads out.
    """
    if "\0" in name:
        raise OutsideFolderError(f"{name!r} holds a null byte; give a plain file name inside {folder}")
    joined = os.path.join(folder, name)
    resolve = os.path.realpath if follow_links else os.path.abspath
    root, target = resolve(folder), resolve(joined)
    if (
        os.path.splitdrive(root)[0] != os.path.splitdrive(target)[0]
        or os.path.commonpath([root, target]) != root
    ):
        raise OutsideFolderError(f"{name!r} leads out of {folder}; give a path inside that folder")
    return joined
