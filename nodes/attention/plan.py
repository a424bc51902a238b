"""What an attention method answers: which blocks of keys the queries of a layer look at."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from ...kernels.attention.block_mask import BlockMask
    from .token_grid import TokenGrid

NODE, QUANTIZED = "KinoSparseAttention", "KinoQuantizedAttention"


class Plan(Protocol):
    """For the layers of one kind, on one grid.

    Attributes:
        gated: does the mask follow from the queries and keys, so that it is chosen anew at every call?
        query_scale: queries are multiplied by it.
    """

    gated: bool
    query_scale: float

    def mask(self, query: Tensor, key: Tensor) -> BlockMask:
        """For query and key [B,H,S,D] of a layer; always the same object where it is not gated."""
        ...


@dataclass(frozen=True)
class FixedPlan:
    """A mask that no query and key change."""

    planned: BlockMask
    query_scale: float = 1.0
    gated = False

    def mask(self, query: Tensor, key: Tensor) -> BlockMask:
        return self.planned


class AttentionMethod(Protocol):
    """A way to choose which keys a query looks at."""

    def kind(self, layer: int) -> Hashable:
        """Layers of one kind share a plan."""
        ...

    def plan(self, grid: TokenGrid, layer: int) -> Plan:
        """For a layer, from 0, and all of its kind."""
        ...


class Plans:
    """A method's plans: one for each grid and kind of layer, made when it is first needed."""

    def __init__(self, method: AttentionMethod) -> None:
        self.method = method
        self._made: dict[Hashable, Plan] = {}

    def of(self, grid: TokenGrid, layer: int) -> Plan:
        key = (grid, self.method.kind(layer))
        if key not in self._made:
            self._made[key] = self.method.plan(grid, layer)
        return self._made[key]

    def clear(self) -> None:
        self._made.clear()
