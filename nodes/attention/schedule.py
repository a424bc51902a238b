"""When attention is sparse: which part of sampling and which layers."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Schedule:
    """The rest is dense.

    Attributes:
        start, end: part of the steps, 0 … 1, from which on and up to which attention is sparse.
        dense_layers: layers at the start of the network that stay dense.
        layers: numbers of the layers that may be sparse; None is all.
    """

    start: float = 0.25
    end: float = 1.0
    dense_layers: int = 1
    layers: frozenset[int] | None = None

    def holds_at(self, progress: float) -> bool:
        """Is attention sparse when this share of the steps is done?"""
        return self.start <= progress < self.end

    def holds_in(self, layer: int) -> bool:
        return layer >= self.dense_layers and (self.layers is None or layer in self.layers)


DIGITS = 3
"""Of a layer's number at most: no network has 1,000, and a slip of the hand would list billions."""


def layer_numbers(text: str) -> frozenset[int] | None:
    """Layers as people write them: "0-3, 7"; nothing is all of them.

    Raises:
        ValueError: it is no such list.
    """
    if not text.strip():
        return None
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        ends = (first, last if dash else first)
        readable = all(end.isdecimal() and len(end) <= DIGITS for end in ends)
        if not readable or int(ends[0]) > int(ends[1]):
            raise ValueError(f'layers {text!r}: write numbers and ranges, 0 to 999, as in "0-3, 7"')
        found.update(range(int(ends[0]), int(ends[1]) + 1))
    return frozenset(found)


def progress(sigma: float, sigmas: Tensor) -> float:
    """Share of the steps that are done at a noise level.

    Args:
        sigmas: those of all steps, falling, and the last one's end.
    """
    steps = max(len(sigmas) - 1, 1)
    return int((sigmas[:-1] > sigma * (1 + 1e-5)).sum()) / steps
