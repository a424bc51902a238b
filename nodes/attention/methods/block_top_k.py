"""The plain baseline of gates: blocks of neighbouring tokens, and for each the k whose means fit it best."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...methods import param, register
from ..plan import NODE

if TYPE_CHECKING:
    from torch import Tensor

    from ....kernels.attention.block_mask import BlockMask
    from ..plan import Plan
    from ..token_grid import TokenGrid


@register(
    "block_top_k",
    node=NODE,
    paper="Block-sparse attention by the means of blocks",
    year=2024,
    test="tests/attention/test_vmoba.py",
)
class BlockTopK:
    """As many blocks for each block of queries, its own and those beside the film among them."""

    keep: float = param(
        0.3, "Share of the blocks that each block of queries looks at.", min=0.01, max=1.0, step=0.01
    )
    block: int = param(128, "Tokens of a block.", min=1, max=1024, step=1)

    def kind(self, layer: int) -> Hashable:
        return None

    def plan(self, grid: TokenGrid, layer: int) -> Plan:
        return _TopK(self, grid)


@dataclass(frozen=True)
class _TopK:
    method: BlockTopK
    grid: TokenGrid
    query_scale = 1.0
    gated = True

    def mask(self, query: Tensor, key: Tensor) -> BlockMask:
        import torch

        from ....kernels.attention.block_mask import BlockMask, even_edges
        from ..gates import best_of_each, block_means, segments_of

        edges, grid = even_edges(self.grid.tokens, self.method.block), self.grid
        blocks, segments = len(edges) - 1, segments_of(edges)
        scores = block_means(query, segments, blocks) @ block_means(key, segments, blocks).transpose(-2, -1)
        beside = (edges[:-1] < grid.before) | (edges[1:] > grid.before + grid.video)
        always = (torch.eye(blocks, dtype=torch.bool) | beside).to(scores.device)
        count = max(1, round(self.method.keep * blocks))
        kept = best_of_each(scores.masked_fill(always, float("inf")), count) | always
        kept = kept | beside.to(scores.device)[:, None]
        return BlockMask.of(kept.flatten(0, 1), edges)
