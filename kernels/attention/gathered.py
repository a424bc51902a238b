"""Block-sparse attention by gathering: each block of queries attends to its keys, copied side by side.

On a processor a block's logits are one product (`tiles`); elsewhere, and where gradients are wanted, blocks
with as many keys go through PyTorch's fused attention together.

Shapes: B batch, H heads, S queries, L keys, D channels of a head, G masks; r queries and n keys of a block.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from . import tiles
from .block_mask import BlockMask
from .tile_plan import remembered

TOGETHER = 4
"""Tiles whose keys are gathered at once: copying a tile's alone is too small a job for several threads."""
Run = tuple[int, int]
"""Neighbouring keys: the first, and the one after the last."""


def attend(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> Tensor:
    """query [B,H,S,D] over the pairs of key, value [B,H,L,D] that the mask keeps → [B,H,S,D]."""
    way = _in_tiles if tiles.refusal(query, key, value) is None else _in_batches
    return way(query, key, value, mask)


def _in_tiles(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> Tensor:
    made, product = tiles.empty_result(query), tiles.product_for(query)
    plans = remembered(mask, "gathers", lambda: [list(gathers(mask, g)) for g in range(len(mask.counts))])
    for number, head in enumerate(tiles.heads(query)):
        result, keys_of_head, values_of_head = made[head], key[head].contiguous(), value[head].contiguous()
        for gather in plans[number % len(plans)]:
            near_keys, near_values = gather.of(keys_of_head), gather.of(values_of_head)
            begin = gather.tiles[0].first
            queries = tiles.scaled(query[head][begin : gather.tiles[-1].last])
            for tile, keys, values in zip(
                gather.tiles, near_keys.split(gather.counts), near_values.split(gather.counts), strict=True
            ):
                rows = tiles.tile_rows(query, len(keys))
                for start in range(tile.first, tile.last, rows):
                    stop = min(start + rows, tile.last)
                    result[start:stop] = tiles.attend_tile(
                        queries[start - begin : stop - begin],
                        keys,
                        values,
                        product,
                        _allowed(mask, start, stop, tile.runs),
                    )
    return made


class Tile(NamedTuple):
    """Neighbouring queries that look at the same keys: first and last + 1 query, and the runs of keys."""

    first: int
    last: int
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Gather:
    """Tiles whose keys are copied side by side in one go.

    Attributes:
        blocks: numbers of the blocks of keys, tile after tile, where all are of one size.
        size: theirs.
    """

    tiles: list[Tile]
    blocks: Tensor | None = None
    size: int = 0

    @cached_property
    def counts(self) -> list[int]:
        """Keys of each tile."""
        return [sum(stop - start for start, stop in tile.runs) for tile in self.tiles]

    def of(self, x: Tensor) -> Tensor:
        """The tiles' rows of x [L,D], contiguous, one below the other; a view where they are one run."""
        if self.blocks is not None:
            whole = x[: len(x) // self.size * self.size].view(-1, self.size * x.shape[-1])
            return whole.index_select(0, self.blocks).view(-1, x.shape[-1])
        parts = [x[start:stop] for tile in self.tiles for start, stop in tile.runs]
        return parts[0] if len(parts) == 1 else torch.cat(parts)


def gathers(mask: BlockMask, group: int) -> Iterator[Gather]:
    """All queries' tiles, in order; some together where their keys are scattered and few."""
    size, room = mask.block, max(mask.keys // 2, 1)
    held: list[Tile] = []
    for tile in tiles_of(mask, group):
        scattered = size is not None and len(tile.runs) > 1 and tile.runs[-1][1] % size == 0
        together = Gather([*held, tile]) if scattered else None
        if held and (together is None or len(held) == TOGETHER or sum(together.counts) > room):
            yield _by_blocks(held, size)
            held = []
        if scattered:
            held.append(tile)
        else:
            yield Gather([tile])
    if held:
        yield _by_blocks(held, size)


def _by_blocks(held: list[Tile], size: int) -> Gather:
    numbers = [torch.arange(start // size, stop // size) for tile in held for start, stop in tile.runs]
    return Gather(held, torch.cat(numbers), size)


def tiles_of(mask: BlockMask, group: int) -> Iterator[Tile]:
    """The queries in order; neighbouring blocks that look at the same keys are one tile."""
    for runs, blocks in itertools.groupby(_blocks(mask, group), key=lambda tile: tile.runs):
        first, *others = blocks
        yield Tile(first.first, others[-1].last if others else first.last, runs)


def key_runs(mask: BlockMask, group: int) -> list[tuple[Run, ...]]:
    """For each block of queries its keys as runs of neighbours."""
    edges, counts = mask.key_edges.tolist(), mask.counts[group].tolist()
    found = []
    for columns, count in zip(mask.lists[group].tolist(), counts, strict=True):
        runs: list[Run] = []
        for column in columns[:count]:
            start, stop = edges[column], edges[column + 1]
            if runs and runs[-1][1] == start:
                runs[-1] = (runs[-1][0], stop)
            else:
                runs.append((start, stop))
        found.append(tuple(runs))
    return found


def _allowed(mask: BlockMask, start: int, stop: int, runs: tuple[Run, ...]) -> Tensor | None:
    """bool [r,n] of some queries and the keys of these runs; None where a mask has no rule."""
    if mask.rule is None:
        return None
    keys = torch.cat([torch.arange(*run) for run in runs])
    return mask.rule(torch.arange(start, stop)[:, None], keys[None])


def _in_batches(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> Tensor:
    shape = query.shape
    query, key, value = (x.flatten(0, 1) for x in (query, key, value))  # [B·H,…]
    made = torch.empty_like(query)
    for group in range(len(mask.counts)):
        heads = slice(None) if len(mask.counts) == 1 else slice(group, group + 1)
        for queries, keys in _batches(mask, group):
            queries, keys = queries.to(query.device), keys.to(query.device)
            allowed = None if mask.rule is None else mask.rule(queries[:, :, None], keys[:, None])
            near = F.scaled_dot_product_attention(
                query[heads, queries], key[heads, keys], value[heads, keys], attn_mask=allowed
            )  # [heads,rows,r,D]
            made[heads, queries] = near
    return made.view(shape)


def _batches(mask: BlockMask, group: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Query numbers [rows,r] and key numbers [rows,n] of blocks that have as many of each.

    Few enough rows at a time that their gathered keys take no more room than all keys do.
    """
    alike = defaultdict(list)
    for first, last, runs in _blocks(mask, group):
        keys = torch.cat([torch.arange(*run) for run in runs])
        alike[last - first, len(keys)].append((torch.arange(first, last), keys))
    for (_, count), rows in alike.items():
        size = max(1, mask.keys // count)
        for start in range(0, len(rows), size):
            some = rows[start : start + size]
            yield torch.stack([queries for queries, _ in some]), torch.stack([keys for _, keys in some])


def _blocks(mask: BlockMask, group: int) -> Iterator[Tile]:
    edges = mask.query_edges.tolist()
    return map(Tile, edges[:-1], edges[1:], key_runs(mask, group))
