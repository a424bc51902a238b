"""Films through an autoencoder chunk by chunk, and how far two results lie apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


def relative_error(ours: Tensor, theirs: Tensor) -> float:
    return ((ours - theirs).norm() / theirs.norm()).item()


def largest_difference(parts: list[Tensor], whole: Tensor) -> float:
    """Between a film in parts and whole, relative to the range of its values."""
    return ((torch.cat(parts, dim=2) - whole).abs().max() / (whole.max() - whole.min())).item()


def decoded_in_chunks(network: Any, latents: Tensor, chunk: int, **options: Any) -> list[Tensor]:
    """Pixels, as they come out."""
    state, parts, left = None, [], latents.shape[2]
    for piece in latents.split(chunk, dim=2):
        left -= piece.shape[2]
        pixels, state = network.decode_chunk(piece, state, last=left == 0, **options)
        parts.append(pixels)
    return parts


def encoded_in_chunks(network: Any, pixels: Tensor, lengths: Iterable[int]) -> list[Tensor]:
    """Latent means, as they come out."""
    state, parts, left = None, [], pixels.shape[2]
    for piece in pixels.split(list(lengths), dim=2):
        left -= piece.shape[2]
        mean, _, state = network.encode_chunk(piece, state, last=left == 0)
        parts.append(mean)
    return parts
