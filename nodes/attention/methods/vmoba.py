"""VMoBA: keys in boxes, and a gate that lets each query look at the boxes that matter to it.

The gate is the product of a query with a box's mean key. Three things make it one for video: boxes are chunks
of time, then tiles over all frames, then cubes, from layer to layer; the best pairs of query and box are
chosen among all of a head; and as many of them as bring their summed, normalised scores to a threshold. The
box that a query lies in is always kept. Source: Wu et al. 2025, "VMoBA: Mixture-of-Block Attention for Video
Diffusion Models".
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...methods import param, register
from ..plan import NODE

if TYPE_CHECKING:
    from torch import Tensor

    from ....kernels.attention.block_mask import BlockMask
    from ..plan import Plan
    from ..token_grid import Partition, TokenGrid

THRESHOLD, TOP_K = "threshold", "top_k"
HEAD, QUERY = "head", "query"


def _side(what: str, default: int) -> int:
    return param(default, f"{what} of a box.", min=1, max=4096, step=1)


@register(
    "vmoba",
    node=NODE,
    system="vmoba",
    paper="VMoBA: Mixture-of-Block Attention for Video Diffusion Models (Wu et al.)",
    year=2025,
    test="tests/attention/test_vmoba.py",
)
class VMoBA:
    """A gate over boxes of time, of space and of both in turn."""

    chunk_frames: int = _side("In layers 0, 3, 6 …: latent frames", 1)
    tile_rows: int = _side("In layers 1, 4, 7 …: rows of tokens", 8)
    tile_columns: int = _side("In layers 1, 4, 7 …: columns of tokens", 8)
    cube_frames: int = _side("In layers 2, 5, 8 …: latent frames", 3)
    cube_rows: int = _side("In layers 2, 5, 8 …: rows of tokens", 8)
    cube_columns: int = _side("In layers 2, 5, 8 …: columns of tokens", 8)
    select: str = param(
        THRESHOLD,
        "threshold: the best boxes until their scores add up to a share. top_k: so many of them.",
        choices=(THRESHOLD, TOP_K),
    )
    tau: float = param(0.25, "Share of the scores, for threshold; 1 is dense.", min=0.01, max=1.0, step=0.01)
    top_k: int = param(3, "Boxes a query, for top_k.", min=1, max=4096, step=1)
    scope: str = param(
        HEAD,
        "head: the best pairs among all queries of a head, so that some look at more boxes than others. "
        "query: for each query its own best.",
        choices=(HEAD, QUERY),
    )
    query_block: int = param(
        128,
        "Neighbouring queries that the gate takes together, by their mean. 1 is the paper's gate, for each "
        "by itself, and slow.",
        min=1,
        max=1024,
        step=1,
    )

    def kind(self, layer: int) -> Hashable:
        return layer % 3

    def size(self, layer: int) -> tuple[int, int, int]:
        """Frames, rows and columns of a layer's boxes; 0 is all of them."""
        return (
            (self.chunk_frames, 0, 0),
            (0, self.tile_rows, self.tile_columns),
            (self.cube_frames, self.cube_rows, self.cube_columns),
        )[layer % 3]

    def plan(self, grid: TokenGrid, layer: int) -> Plan:
        from ..token_grid import boxes_of

        return _Gate(self, boxes_of(grid, self.size(layer)))

    def chosen(self, scores: Tensor) -> Tensor:
        """Which pairs of scores [B,H,R,C] are kept: bool."""
        from ..gates import best_of_all, best_of_each, until_share

        if self.select == TOP_K:
            return (best_of_all if self.scope == HEAD else best_of_each)(scores, self.top_k)
        if self.scope == HEAD:
            return until_share(scores.flatten(2), self.tau).view(scores.shape)
        return until_share(scores, self.tau)


@dataclass(frozen=True)
class _Gate:
    """The plan of one partition."""

    method: VMoBA
    boxes: Partition
    query_scale = 1.0
    gated = True

    def mask(self, query: Tensor, key: Tensor) -> BlockMask:
        import torch

        from ....kernels.attention.block_mask import BlockMask
        from ..gates import block_means, segments_of

        edges, order = self.boxes.edges, self.boxes.order
        query_edges = _finer(edges, self.method.query_block)
        means = [
            block_means(x, segments_of(cut, order), len(cut) - 1)
            for x, cut in ((query, query_edges), (key, edges))
        ]
        scores = means[0] @ means[1].transpose(-2, -1)  # [B,H,R,C]
        own = torch.bucketize(query_edges[:-1], edges, right=True) - 1  # the box of each block of queries
        beside = self.boxes.boxes[:, 0] < 0
        always = torch.eye(len(edges) - 1, dtype=torch.bool)[own] | beside[own][:, None] | beside[None]
        kept = self.method.chosen(scores) | always.to(scores.device)
        return BlockMask.of(kept.flatten(0, 1), query_edges, edges, order=order.to(query.device))


def _finer(edges: Tensor, block: int) -> Tensor:
    """Edges with further ones between them, so that no block has more than `block` tokens."""
    import torch

    parts = [torch.arange(start, stop, block) for start, stop in itertools.pairwise(edges.tolist())]
    return torch.cat([*parts, edges[-1:]])
