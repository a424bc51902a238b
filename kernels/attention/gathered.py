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
    """query [B,H,S,D] over the pairs of key, value [B,H,L,D] that the mask keeps → [B,H,S,D].

    Tokens come and go in their own order, whatever the mask's.
    """
    if tiles.refusal(query, key, value) is not None:
        return _in_batches(query, key, value, mask)
    if mask.rule is not None and len(mask.counts) == 1:
        return _tile_by_tile(query, key, value, mask)
    return _in_tiles(query, key, value, mask)


def _in_tiles(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> Tensor:
    made, product = tiles.empty_result(query), tiles.product_for(query)
    plans = remembered(mask, "gathers", lambda: [list(gathers(mask, g)) for g in range(len(mask.counts))])
    heads = tiles.heads(query)
    for group, plan in enumerate(plans):
        for gather in plan:
            near = gather.keys(mask.order)
            for head in heads if len(plans) == 1 else heads[group : group + 1]:
                near_keys, near_values = (_taken(x[head], near).split(gather.counts) for x in (key, value))
                for tile, keys, values in zip(gather.tiles, near_keys, near_values, strict=True):
                    for rows in _rows(query, tile, len(keys)):
                        places = rows if mask.order is None else mask.order[rows]
                        queries = tiles.scaled(_taken(query[head], places))
                        bias = _bias(mask, rows, tile.runs)
                        made[head][places] = tiles.attend_tile(queries, keys, values, product, bias)
                del near_keys, near_values, keys, values  # before the next are made
    return made


def _tile_by_tile(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> Tensor:
    """What the rule says of a tile serves all heads: to ask it takes as long as to attend."""
    made, product = tiles.empty_result(query), tiles.product_for(query)
    for tile in remembered(mask, "tiles", lambda: list(tiles_of(mask, 0))):
        near = Gather([tile]).keys(mask.order)
        for rows in _rows(query, tile, tile.keys):
            places, bias = rows if mask.order is None else mask.order[rows], _bias(mask, rows, tile.runs)
            for head in tiles.heads(query):
                queries = tiles.scaled(_taken(query[head], places))
                keys, values = _taken(key[head], near), _taken(value[head], near)
                made[head][places] = tiles.attend_tile(queries, keys, values, product, bias)
                del keys, values
    return made


def _taken(x: Tensor, tokens: Tensor | slice) -> Tensor:
    """Rows of x [S,D]. By number they are copied, faster so than by `x[tokens]`."""
    return x[tokens] if isinstance(tokens, slice) else x.index_select(0, tokens)


def _rows(query: Tensor, tile: Tile, keys: int) -> Iterator[slice]:
    """A tile's queries, as many at a time as there is room for."""
    step = tiles.tile_rows(query, keys)
    for start in range(tile.first, tile.last, step):
        yield slice(start, min(start + step, tile.last))


class Tile(NamedTuple):
    """Neighbouring queries that look at the same keys: first and last + 1 query, and the runs of keys."""

    first: int
    last: int
    runs: tuple[Run, ...]

    @property
    def keys(self) -> int:
        return sum(stop - start for start, stop in self.runs)


@dataclass(frozen=True)
class Gather:
    """Tiles whose keys are taken side by side in one go."""

    tiles: list[Tile]

    @cached_property
    def counts(self) -> list[int]:
        """Keys of each tile."""
        return [tile.keys for tile in self.tiles]

    @cached_property
    def _runs(self) -> Tensor:
        """int64 [runs,2]: how many keys, and how far the first lies from where it comes to stand."""
        runs = torch.tensor([run for tile in self.tiles for run in tile.runs])
        lengths = runs[:, 1] - runs[:, 0]
        return torch.stack([lengths, runs[:, 0] - (lengths.cumsum(0) - lengths)], dim=1)

    def keys(self, order: Tensor | None) -> Tensor | slice:
        """Which tokens they are, tile after tile; a slice where they are one run of unsorted tokens."""
        if order is None and len(self._runs) == 1:
            return slice(*self.tiles[0].runs[0])
        lengths, shifts = self._runs.unbind(1)
        places = torch.arange(sum(self.counts)) + shifts.repeat_interleave(lengths)
        return places if order is None else order[places]


def gathers(mask: BlockMask, group: int) -> Iterator[Gather]:
    """All queries' tiles, in order; some together where their keys are scattered and few."""
    room = max(mask.keys // 2, 1)
    held: list[Tile] = []
    for tile in tiles_of(mask, group):
        scattered = len(tile.runs) > 1 or mask.order is not None
        full = len(held) == TOGETHER or sum(one.keys for one in [*held, tile]) > room
        if held and (full or not scattered):
            yield Gather(held)
            held = []
        if scattered:
            held.append(tile)
        else:
            yield Gather([tile])
    if held:
        yield Gather(held)


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


def _bias(mask: BlockMask, rows: slice, runs: tuple[Run, ...]) -> Tensor | None:
    """0 or −∞ for some queries and the keys of these runs, float32 [r,n]; None where a mask has no rule."""
    if mask.rule is None:
        return None
    keys = torch.cat([torch.arange(*run) for run in runs])
    allowed = mask.rule(torch.arange(rows.start, rows.stop)[:, None], keys[None])
    return torch.zeros(allowed.shape).masked_fill_(~allowed, float("-inf"))


def _in_batches(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> Tensor:
    shape = query.shape
    query, key, value = (x.flatten(0, 1) for x in (query, key, value))  # [B·H,…]
    made = torch.empty_like(query)
    for group in range(len(mask.counts)):
        heads = slice(None) if len(mask.counts) == 1 else slice(group, group + 1)
        for queries, keys in _batches(mask, group):
            queries, keys = queries.to(query.device), keys.to(query.device)
            allowed = None if mask.rule is None else mask.rule(queries[:, :, None], keys[:, None])
            if mask.order is not None:
                queries, keys = mask.order[queries], mask.order[keys]
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
