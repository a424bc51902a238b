"""How much memory a video autoencoder takes per pixel, measured on a small film rather than guessed."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from .streaming import VideoAutoencoder

HIDDEN_SHARE = 1.5
"""What convolutions allocate out of sight (reordered inputs, workspaces), as a factor on what is seen."""

PROBE_CELLS = ((4, 4), (4, 8))
"""Films that are tried, in latent cells. What the larger one takes more is what pixels take: the weights,
prepared in whatever way, take the same for both."""

WARM_UP = 2
"""Chunks before the measured one, at least: in the first the film is short, in the second weights are
prepared, and a network that looks ahead gives less at first."""


class Footprint(NamedTuple):
    """Bytes per pixel of a tile while a chunk of one latent frame runs.

    state: kept between the tile's chunks.
    working: taken while one runs, the tile's old and new state included.
    """

    state: float
    working: float


def decoding_footprint(network: VideoAutoencoder, latent_channels: int) -> Footprint:
    """What `decode_chunk` takes."""

    def run(height: int, width: int, state: Any) -> tuple[bool, Any]:
        latents = torch.zeros(1, latent_channels, 1, height, width)
        pixels, state = network.decode_chunk(latents, state, last=False)
        return pixels.shape[2] == network.time, state

    return _per_pixel(network, run)


def encoding_footprint(network: VideoAutoencoder) -> Footprint:
    """What `encode_chunk` takes."""

    def run(height: int, width: int, state: Any) -> tuple[bool, Any]:
        frames = 1 if state is None else network.time
        pixels = torch.zeros(1, 3, frames, height * network.space, width * network.space)
        mean, _, state = network.encode_chunk(pixels, state, last=False)
        return mean.shape[2] == 1, state

    return _per_pixel(network, run)


Run = Callable[[int, int, Any], tuple[bool, Any]]
"""Takes the next chunk of a film of that height and width: whether it came out whole, and the state."""


def _per_pixel(network: VideoAutoencoder, run: Run) -> Footprint:
    (small_state, small_peak), (large_state, large_peak) = (_taken(run, *cells) for cells in PROBE_CELLS)
    (h, w), (height, width) = PROBE_CELLS
    pixels = (height * width - h * w) * network.space**2
    state = (large_state - small_state) / pixels
    return Footprint(state, state + HIDDEN_SHARE * (large_peak - small_peak) / pixels)


def _taken(run: Run, height: int, width: int) -> tuple[int, int]:
    """Bytes of the state after a chunk, and of everything that was made during it at its fullest."""
    state, whole, chunks = None, False, 0
    while chunks < WARM_UP or not whole:
        whole, state = run(height, width, state)
        chunks += 1
    with LiveBytes() as live:
        _, state = run(height, width, state)
    return sum(leaf.nbytes for leaf in tree_leaves(state) if isinstance(leaf, Tensor)), live.peak


class LiveBytes(TorchFunctionMode):
    """While active, counts the bytes of tensors made and not yet freed; `peak` is the most there were.

    It sees calls from Python. A dispatch mode would see all, but brings the compiler along: 100 MB, seconds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        self._now = 0
        self._seen: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
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
