"""Which blocks of keys each block of queries looks at: the plan of sparse attention, with no tokens × tokens
tensor.

Shapes: S queries, L keys, R blocks of queries, C blocks of keys, G masks (1, or one for each batch and head),
K blocks of keys at most for a block of queries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

TokenRule = Callable[[Tensor, Tensor], Tensor]
"""(query number, key number) → may the one look at the other: elementwise, in whole numbers, broadcasting."""


def even_edges(tokens: int, block: int) -> Tensor:
    """Where blocks of one size begin, and where the last, perhaps shorter one ends: int64 [blocks + 1]."""
    edges = torch.arange(0, tokens + block, block)
    edges[-1] = tokens
    return edges


@dataclass(frozen=True, eq=False)
class BlockMask:
    """Lists of key blocks, one for each block of queries.

    Attributes:
        lists: int64 [G,R,K], numbers of key blocks in ascending order; beyond the count anything.
        counts: int64 [G,R], how many of them count; none is 0.
        query_edges, key_edges: int64 [R+1], [C+1] on the CPU: token where each block begins, then the end.
            Blocks may differ in size.
        order: int64 [S], which token stands at each place, where they are sorted before they are cut into
            blocks; queries and keys alike. None leaves them.
        rule: what holds within the kept blocks, for sorted token numbers; None lets all of it.
        density: share of all pairs of query and key that lie in kept blocks.
    """

    lists: Tensor
    counts: Tensor
    query_edges: Tensor
    key_edges: Tensor
    density: float
    order: Tensor | None = None
    rule: TokenRule | None = None

    @classmethod
    def of(
        cls,
        kept: Tensor,
        query_edges: Tensor,
        key_edges: Tensor | None = None,
        *,
        order: Tensor | None = None,
        rule: TokenRule | None = None,
    ) -> BlockMask:
        """From bool [R,C] or [G,R,C]: which key blocks are kept for each query block.

        Raises:
            ValueError: a block of queries has no keys, or the shape does not fit the edges.
        """
        key_edges = query_edges if key_edges is None else key_edges
        kept = kept if kept.dim() == 3 else kept[None]
        wanted = (len(query_edges) - 1, len(key_edges) - 1)
        if tuple(kept.shape[1:]) != wanted:
            raise ValueError(f"a mask of {list(kept.shape[1:])} blocks for edges of {list(wanted)}")
        counts = kept.sum(dim=-1)  # [G,R]
        if not counts.all():
            group, row = (counts == 0).nonzero()[0].tolist()
            raise ValueError(f"query block {row} of mask {group} has no keys: attention would be undefined")
        lists = torch.zeros(*counts.shape, int(counts.max()), dtype=torch.int64, device=kept.device)
        group, row, column = kept.nonzero(as_tuple=True)
        first = counts.flatten().cumsum(0) - counts.flatten()
        place = torch.arange(len(column), device=kept.device) - first[group * kept.shape[1] + row]
        lists[group, row, place] = column
        return cls(lists, counts, query_edges, key_edges, _density(kept, query_edges, key_edges), order, rule)

    @classmethod
    def full(cls, queries: int, keys: int, block: int) -> BlockMask:
        """Everything sees everything."""
        query_edges, key_edges = even_edges(queries, block), even_edges(keys, block)
        kept = torch.ones(len(query_edges) - 1, len(key_edges) - 1, dtype=torch.bool)
        return cls.of(kept, query_edges, key_edges)

    @property
    def queries(self) -> int:
        return int(self.query_edges[-1])

    @property
    def keys(self) -> int:
        return int(self.key_edges[-1])

    @cached_property
    def block(self) -> int | None:
        """Tokens of every block but the last, of queries and keys; None where blocks differ."""
        sizes = torch.cat([self.query_edges.diff()[:-1], self.key_edges.diff()[:-1]])
        last = max(int(self.query_edges.diff()[-1]), int(self.key_edges.diff()[-1]))
        size = int(sizes[0]) if len(sizes) else last
        return size if bool((sizes == size).all()) and last <= size else None

    @property
    def kept(self) -> Tensor:
        """bool [G,R,C]."""
        blocks = torch.zeros(
            *self.counts.shape, len(self.key_edges) - 1, dtype=torch.int32, device=self.lists.device
        )
        listed = torch.arange(self.lists.shape[-1], device=self.lists.device) < self.counts[..., None]
        return blocks.scatter_add_(2, self.lists, listed.int()) > 0

    def picture(self, side: int = 512) -> Tensor:
        """Share of kept blocks, the mean of all masks: float32 [≤ side, ≤ side] in 0..1."""
        mean = self.kept.cpu().float().mean(dim=0)
        sides = [min(side, length) for length in mean.shape]
        return F.adaptive_avg_pool2d(mean[None, None], sides)[0, 0]

    def allowed(self, device: torch.device | str = "cpu") -> Tensor:
        """Every pair written out, bool [G,S,L], for sorted tokens: for the reference and for small masks."""
        rows, columns = self.query_edges.diff().to(device), self.key_edges.diff().to(device)
        pairs = self.kept.to(device).repeat_interleave(rows, 1).repeat_interleave(columns, 2)
        if self.rule is None:
            return pairs
        query, key = torch.arange(self.queries, device=device), torch.arange(self.keys, device=device)
        return pairs & self.rule(query[:, None], key[None])

    def to(self, device: torch.device | str) -> BlockMask:
        """With lists, counts and order on a device; the edges stay on the CPU, where plans are made."""
        order = None if self.order is None else self.order.to(device)
        return replace(self, lists=self.lists.to(device), counts=self.counts.to(device), order=order)


def _density(kept: Tensor, query_edges: Tensor, key_edges: Tensor) -> float:
    rows, columns = query_edges.diff().double(), key_edges.diff().double()
    pairs = torch.einsum("grc,r,c->", kept.cpu().double(), rows, columns)
    return float(pairs) / (len(kept) * int(query_edges[-1]) * int(key_edges[-1]))
