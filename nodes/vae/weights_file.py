"""Weights out of a file, without running anything that the file may hold."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

PICKLES = frozenset({".pth", ".pt", ".pkl", ".bin", ".ckpt"})
NESTED = ("state_dict", "model_state", "model", "module", "vae")
"""Names under which training programs keep the weights among other things."""


class WeightsError(ValueError):
    """Weights that cannot be read or used; the message has the file's name, what was found and the remedy."""


@dataclass(frozen=True)
class Weights:
    """Tensors by key, and the file's own words about them.

    Attributes:
        name: for messages: the file's name.
    """

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)
    name: str = "the model"


def read_weights(path: Path) -> Weights:
    """Read a .safetensors file, or a pickle (.pth .pt .pkl .bin .ckpt) of nothing but tensors.

    The tensors lie in the file (mapped), and are read when they are used.

    Raises:
        WeightsError: there is no such file, it is cut short, of another kind, or would run code.
    """
    if not path.is_file():
        raise WeightsError(f"there is no file {path}")
    if path.suffix in PICKLES:
        return Weights(_tensors(_unpickled(path), path.name), name=path.name)
    if path.suffix != ".safetensors":
        known = ", ".join(sorted(PICKLES))
        raise WeightsError(f"{path.name}: weights come as .safetensors or {known}; choose such a file")
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            return Weights(tensors, file.metadata() or {}, path.name)
    except SafetensorError as error:
        if _starts_with(path, b"PK", b"\x80"):  # whole files may too: they begin with a length
            raise WeightsError(
                f"{path.name} is a pickle, not safetensors; if you trust its source, rename it to .pth"
            ) from error
        raise WeightsError(
            f"{path.name} is cut short or no safetensors file ({error}); fetch it again"
        ) from error


def read_weights_in(path: Path) -> Weights:
    """Read a file, or a folder as Hugging Face has it, its weights in one file or in several.

    Several files are those that the folder's index names, or else all .safetensors, or else all pickles.
    The metadata are the first file's.

    Raises:
        WeightsError: there are none, or one cannot be read.
    """
    if not path.is_dir():
        return read_weights(path)
    parts = [read_weights(file) for file in _files_of(path)]
    tensors = {key: tensor for part in parts for key, tensor in part.tensors.items()}
    return Weights(tensors, parts[0].metadata, path.name)


def _files_of(folder: Path) -> list[Path]:
    index = next(iter(folder.glob("*.safetensors.index.json")), None)
    names = read_json(index).get("weight_map") if index else None
    named = {folder / Path(str(name)).name for name in names.values()} if isinstance(names, dict) else ()
    found = named or [*folder.glob("*.safetensors")] or [*folder.glob("pytorch_model*.bin")]
    if not found:
        raise WeightsError(f"the folder {folder.name} has no .safetensors files; choose a folder of weights")
    return sorted(found)


def read_json(path: Path) -> dict:
    """What a JSON file beside weights tells; nothing where it is no object.

    Raises:
        WeightsError: it is no JSON.
    """
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise WeightsError(
            f"{path.name} in {path.parent.name} is no JSON ({error}); fetch it again"
        ) from error
    return found if isinstance(found, dict) else {}


def misfit(weights: Mapping[str, Tensor], network: Mapping[str, Tensor]) -> str:
    """What keeps weights out of a network of that `state_dict`, e.g. "it lacks …", or nothing."""
    misshapen = [
        f"{key} {list(weights[key].shape)} instead of {list(wanted.shape)}"
        for key, wanted in network.items()
        if key in weights and weights[key].shape != wanted.shape
    ]
    faults = (
        ("lacks", sorted(network.keys() - weights.keys())),
        ("has unknown", sorted(weights.keys() - network.keys())),
        ("has misshapen", misshapen),
    )
    return "; ".join(f"it {verb} {_some(keys)}" for verb, keys in faults if keys)


def _some(keys: list[str]) -> str:
    more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
    return ", ".join(keys[:3]) + more


def _starts_with(path: Path, *signs: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(2).startswith(signs)


def _unpickled(path: Path) -> Any:
    is_zip = zipfile.is_zipfile(path)  # what PyTorch writes; before version 1.6 it wrote bare pickles
    if not is_zip and not _starts_with(path, b"\x80"):
        raise WeightsError(f"{path.name} is cut short or no PyTorch file; fetch it again")
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path.name} holds more than tensors, and loading it would run its author's code: refused; "
            "look for the same weights as .safetensors"
        ) from error
    except (RuntimeError, EOFError, LookupError, ValueError) as error:
        raise WeightsError(f"{path.name} is cut short or no PyTorch file; fetch it again") from error


def _tensors(found: Any, name: str) -> dict[str, Tensor]:
    """The tensors of a pickle, also from under one of the usual names."""
    for key in NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    tensors = found.items() if isinstance(found, Mapping) else ()
    named = {key: tensor for key, tensor in tensors if isinstance(key, str) and isinstance(tensor, Tensor)}
    if not named:
        raise WeightsError(
            f"{name} holds no named tensors but {type(found).__name__}; choose a file of weights"
        )
    return named
