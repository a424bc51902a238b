"""Key frames of a film at a higher rate, and what its other frames take from them inside a transformer.

Every `factor`-th of T latent frames is a key frame, the first and the last among them, so T = (K − 1)·factor
+ 1. With A the matrix that picks the key frames, A⁺ puts them back: (I − A⁺A)·h + A⁺·h_key is h with its key
frames replaced, all others untouched.
"""

from __future__ import annotations

import torch
from torch import Tensor


def key_count(frames: int, factor: int) -> int:
    """How many of a film's latent frames are key frames.

    Raises:
        ValueError: the film does not end with one.
    """
    between, beyond = divmod(frames - 1, factor)
    if beyond or not between:
        near = max(between, 1) * factor + 1
        raise ValueError(
            f"the film has {frames} latent frames; at {factor} times the rate the last one must be a key "
            f"frame, as with {near} or {near + factor}: make the latent longer or shorter"
        )
    return between + 1


def corrected(film: Tensor, keys: Tensor, factor: int, strength: float, dim: int = 1) -> Tensor:
    """(I − A⁺A)·h + A⁺·h_key, in part: a film whose key frames are moved towards others.

    Args:
        film: T frames along `dim`. keys: K frames along it.
        strength: 1 puts `keys` there as they are, 0 changes nothing.
    """
    places = (*[slice(None)] * dim, slice(None, None, factor))
    moved = film.clone()
    keys = keys.to(film)
    moved[places] = keys if strength == 1.0 else torch.lerp(film[places], keys, strength)
    return moved


def lenders(frames: int, factor: int, share: float, generator: torch.Generator) -> Tensor:
    """Which frame's keys and values stand in the place of each frame's, int64 [T].

    Args:
        share: of the frames between that take them from a key frame, the one before or the one after them
            with equal chance; the others, and key frames, keep their own.
    """
    own = torch.arange(frames)
    before, after = own // factor * factor, -(-own // factor) * factor
    neighbour = torch.where(torch.rand(frames, generator=generator) < 0.5, before, after)
    return torch.where(torch.rand(frames, generator=generator) < share, neighbour, own)
