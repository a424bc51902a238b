"""A text encoder's weights and tokenizer, out of one file or a folder as Hugging Face has it."""

from __future__ import annotations

import json
from pathlib import Path

from torch import Tensor

from ..vae.weights_file import Weights, WeightsError, read_weights
from .text_encoder_tokens import JsonTokenizer, PieceTokenizer, Tokenizer, TokenizerError

TOKENIZERS = {"spiece.model": PieceTokenizer, "tokenizer.json": JsonTokenizer}
"""By the file's name."""
PLACES = (".", "tokenizer", "../tokenizer", "google/umt5-xxl")
"""Where such a file lies, seen from the weights' folder: as in diffusers' folders, and in Wan's own."""
INDEX = "model.safetensors.index.json"


def read_encoder(path: Path) -> Weights:
    """The weights in a file, or in a folder of one or more .safetensors files (or one pickle of tensors).

    Raises:
        WeightsError: there are none, or they cannot be read.
    """
    if not path.is_dir():
        return read_weights(path)
    config = _json(path / "config.json") if (path / "config.json").is_file() else {}
    if config.get("model_type", "umt5") != "umt5":
        raise WeightsError(
            f"the folder {path.name} holds a {config['model_type']} (so says its config.json), "
            "no UMT5 text encoder"
        )
    tensors: dict[str, Tensor] = {}
    for file in _weight_files(path):
        tensors.update(read_weights(file).tensors)
    return Weights(tensors, name=path.name)


def _weight_files(folder: Path) -> list[Path]:
    """The files that a folder's weights are in: those that the index names, else all of one kind."""
    index = _json(folder / INDEX).get("weight_map") if (folder / INDEX).is_file() else None
    named = {folder / Path(str(name)).name for name in index.values()} if isinstance(index, dict) else ()
    found = named or [*folder.glob("*.safetensors")] or [*folder.glob("pytorch_model*.bin")]
    if not found:
        raise WeightsError(
            f"the folder {folder.name} has no .safetensors files; choose a text encoder's folder"
        )
    return sorted(found)


def _json(path: Path) -> dict:
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise WeightsError(
            f"{path.name} in {path.parent.name} is no JSON ({error}); fetch it again"
        ) from error
    return found if isinstance(found, dict) else {}


def find_tokenizer(weights: Weights, path: Path | None) -> Tokenizer:
    """The tokenizer in the weights' file, or else in a file near it.

    Args:
        path: where the weights came from.

    Raises:
        WeightsError: there is none, or it cannot be used.
    """
    for kind in TOKENIZERS.values():
        for key, tensor in weights.tensors.items():
            if key.endswith(kind.key):
                return _made(kind, tensor.numpy().tobytes(), f"{kind.key} in {weights.name}")
    if file := _tokenizer_file(path):
        return _made(TOKENIZERS[file.name], file.read_bytes(), str(file))
    raise WeightsError(
        f"{weights.name} comes without its tokenizer; put UMT5's spiece.model (or tokenizer.json) into its "
        "folder, or choose ComfyUI's umt5_xxl file, which has it inside"
    )


def _tokenizer_file(path: Path | None) -> Path | None:
    """The tokenizer nearest to the weights."""
    if path is None:
        return None
    folder = path if path.is_dir() else path.parent
    candidates = [folder / place / name for place in PLACES for name in TOKENIZERS]
    return next((file for file in candidates if file.is_file()), None)


def _made(kind: type, model: bytes, place: str) -> Tokenizer:
    try:
        return kind(model)
    except TokenizerError as error:
        raise WeightsError(f"the tokenizer {place} cannot be used: {error}") from error
