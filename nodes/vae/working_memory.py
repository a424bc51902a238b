"""How much memory a video autoencoder takes per pixel, measured on a small film rather than guessed."""

from __future__ import annotations

import weakref
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from .streaming import VideoAutoencoder

HIDDEN_SHARE = 2.0
"""What convolutions allocate out of sight (reordered inputs, workspaces), as a factor on what is seen."""

PROBE_CELLS = 4
"""Side of the film that is tried, in latent cells. Everything but the weights grows with its area."""


class Footprint(NamedTuple):
    """Bytes per pixel of a tile while a chunk of one latent frame runs.

    state: kept between the tile's chunks.
    working: taken while one runs, the tile's old and new state included.
    """

    state: float
    working: float


def decoding_footprint(network: VideoAutoencoder, latent_channels: int) -> Footprint:
    """What `decode_chunk` takes."""
    latents = torch.zeros(1, latent_channels, 1, PROBE_CELLS, PROBE_CELLS)
    _, state = network.decode_chunk(latents, None, last=False)
    with LiveBytes() as live:
        _, state = network.decode_chunk(latents, state, last=False)
    return _per_pixel(network, state, live)


def encoding_footprint(network: VideoAutoencoder) -> Footprint:
    """What `encode_chunk` takes."""
    side = PROBE_CELLS * network.space
    frames = torch.zeros(1, 3, network.time + 1, side, side)
    *_, state = network.encode_chunk(frames[:, :, :1], None, last=False)
    with LiveBytes() as live:
        *_, state = network.encode_chunk(frames[:, :, 1:], state, last=False)
    return _per_pixel(network, state, live)


def _per_pixel(network: VideoAutoencoder, state: Any, live: LiveBytes) -> Footprint:
    pixels = (PROBE_CELLS * network.space) ** 2
    held = sum(leaf.nbytes for leaf in tree_leaves(state) if isinstance(leaf, Tensor))
    return Footprint(held / pixels, (held + live.peak * HIDDEN_SHARE) / pixels)


class LiveBytes(TorchDispatchMode):
    """While active, counts the bytes of tensors made and not yet freed; `peak` is the most there were."""

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        self._now = 0
        self._seen: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                self._count(tensor.untyped_storage())
        return made

    def _count(self, storage: torch.UntypedStorage) -> None:
        if storage in self._seen:
            return
        self._seen.add(storage)
        size = storage.nbytes()
        self._now += size
        self.peak = max(self.peak, self._now)
        weakref.finalize(storage, self._freed, size)

    def _freed(self, size: int) -> None:
        self._now -= size
