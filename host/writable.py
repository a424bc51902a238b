"""Whether files can be written below a folder that may not be there yet."""

from __future__ import annotations

import os
from pathlib import Path


def existing_part(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if place.exists())


def obstacle(folder: Path) -> str | None:
    """Why nothing can be written below a folder, None where nothing is in the way."""
    place = existing_part(folder)
    if not place.is_dir():
        return f"{place} is a file"
    if not os.access(place, os.W_OK | os.X_OK):
        return f"{place} cannot be written"
    return None
