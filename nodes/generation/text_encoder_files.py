"""A text encoder's weights and tokenizer, out of one file or a folder as Hugging Face has it."""

from __future__ import annotations

from pathlib import Path

from ..vae.weights_file import Weights, WeightsError, read_json, read_weights_in
from .text_encoder_tokens import JsonTokenizer, PieceTokenizer, Tokenizer, TokenizerError

TOKENIZERS = {"spiece.model": PieceTokenizer, "tokenizer.json": JsonTokenizer}
"""By the file's name."""
PLACES = (".", "tokenizer", "../tokenizer", "google/umt5-xxl")
"""Where such a file lies, seen from the weights' folder: as in diffusers' folders, and in Wan's own."""


def read_encoder(path: Path) -> Weights:
    """The weights in a file, or in a folder that is a text encoder's.

    Raises:
        WeightsError: there are none, or they cannot be read.
    """
    told = path / "config.json"
    kind = read_json(told).get("model_type", "umt5") if told.is_file() else "umt5"
    if kind != "umt5":
        raise WeightsError(
            f"the folder {path.name} holds a {kind} (so says its config.json), no UMT5 text encoder"
        )
    return read_weights_in(path)


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
