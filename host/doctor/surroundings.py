"""The folders, the disk and the memory."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from ..memory import available_mb
from ..writable import existing_part, obstacle
from .finding import Finding

DISK_MB = 2000
MEMORY_MB = 2000


def findings() -> Iterator[Finding]:
    """Whether the host's folders can be written, and whether disk and memory leave room to work."""
    import folder_paths

    folders = {
        "input folder": folder_paths.get_input_directory(),
        "output folder": folder_paths.get_output_directory(),
        "temporary folder": folder_paths.get_temp_directory(),
        "models folder": folder_paths.models_dir,
    }
    for subject, folder in folders.items():
        yield _writable(subject, Path(folder))
    yield _disk(Path(folder_paths.get_output_directory()))
    yield _memory()


def _writable(subject: str, folder: Path) -> Finding:
    if reason := obstacle(folder):
        return Finding(subject, "problem", reason, "set KINOGRAPH_HOME to a folder of yours")
    return Finding(subject, "ok", str(folder) if folder.exists() else f"{folder}, made when needed")


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(existing_part(folder)).free / 1e6
    found = f"{free / 1000:.1f} GB free for output"
    if free < DISK_MB:
        return Finding("disk", "problem", found, "free some space, or pass --output DIR on another disk")
    return Finding("disk", "ok", found)


def _memory() -> Finding:
    free = available_mb()
    found = f"{free / 1000:.1f} GB available"
    if free < MEMORY_MB:
        return Finding("memory", "problem", found, "close other programs")
    return Finding("memory", "ok", found)
