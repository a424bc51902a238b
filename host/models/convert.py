"""Pickled weights and ncnn's to safetensors, and a digest of the result whatever its order in the file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from .catalogue import ModelError

GRAPH = "ncnn"
"""Key of the metadata that holds the graph of ncnn's weights."""
WRAPPER = "module."
"""What a data-parallel wrapper put before every key when the weights were saved."""


def pickle_to_safetensors(source: Path, target: Path, metadata: dict[str, str]) -> None:
    """Convert a pickled state dict; only tensors are read, no code runs. Dtypes stay as they are.

    Raises:
        ModelError: the file holds something else than a flat dict of tensors.
    """
    import torch
    from safetensors.torch import save

    weights = torch.load(source, map_location="cpu", weights_only=True)
    if not isinstance(weights, dict) or not all(
        isinstance(value, torch.Tensor) for value in weights.values()
    ):
        raise ModelError(f"{source.name} holds no flat dict of tensors, so it cannot become safetensors")
    # clones, because tensors that share their memory cannot be saved
    plain = {key.removeprefix(WRAPPER): value.clone().contiguous() for key, value in weights.items()}
    target.write_bytes(save(plain, metadata))


def ncnn_to_safetensors(graph: Path, source: Path, target: Path, metadata: dict[str, str]) -> None:
    """Convert ncnn's weights under the names that their graph gives them; the graph goes into the metadata.

    Raises:
        ModelError: one of the files is damaged, or they do not belong together.
    """
    from safetensors.torch import save

    from ...formats.ncnn import NcnnError, read_graph, read_tensors

    text = graph.read_text(encoding="utf-8")
    try:
        weights = read_tensors(read_graph(text), source.read_bytes())
    except NcnnError as error:
        raise ModelError(f"{source.name} cannot become safetensors: {error}") from error
    target.write_bytes(save(weights, {**metadata, GRAPH: text}))


def tensor_digest(path: Path) -> str:
    """sha256 over every tensor's name, dtype, shape and bytes, in the order of names.

    Raises:
        ModelError: the file is damaged or is no safetensors file.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        header_size = int.from_bytes(file.read(8), "little")
        if header_size > path.stat().st_size:
            raise ModelError(f"{path} is damaged, or is no safetensors file")
        try:
            tensors = json.loads(file.read(header_size))
        except ValueError as error:
            raise ModelError(f"{path} is damaged: its header is no JSON") from error
        tensors.pop("__metadata__", None)
        data = file.tell()
        for name, facts in sorted(tensors.items()):
            start, end = facts["data_offsets"]
            file.seek(data + start)
            digest.update(f"{name} {facts['dtype']} {facts['shape']}\n".encode())
            digest.update(file.read(end - start))
    return digest.hexdigest()
