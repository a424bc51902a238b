"""Block-sparse attention by gathering: each block of queries attends to its keys, copied side by side.

On a processor a block's logits are one product (`tiles`); elsewhere, and where gradients are wanted, blocks
with as many keys go through PyTorch's fused attention together.

Shapes: B batch, H heads, S queries, L keys, D channels of a head, G masks; r queries and n keys of a block.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from . import tiles
from .block_mask import BlockMask

Run = tuple[int, int]
"""Neighbouring keys: the first, and the one after the last."""


def attend(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> Tensor:
    """query [B,H,S,D] over the pairs of key, value [B,H,L,D] that the mask keeps → [B,H,S,D]."""
    way = _in_tiles if tiles.refusal(query, key, value) is None else _in_batches
    return way(query, key, value, mask)


def _in_tiles(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> Tensor:
    made, product = tiles.empty_result(query), tiles.product_for(query)
    plans = [list(tile_plan(mask, group)) for group in range(len(mask.counts))]
    for number, head in enumerate(tiles.heads(query)):
        queries, keys, values = query[head], key[head], value[head]
        for first, last, runs in plans[number % len(plans)]:
            near_keys, near_values = tiles.float_copy(_joined(keys, runs)), _joined(values, runs).contiguous()
            rows = tiles.tile_rows(query, len(near_keys))
            for start in range(first, last, rows):
                stop = min(start + rows, last)
                allowed = _allowed(mask, start, stop, runs)
                made[head][start:stop] = tiles.attend_tile(
                    queries[start:stop], near_keys, near_values, product, allowed
                )
    return made


def tile_plan(mask: BlockMask, group: int) -> Iterator[tuple[int, int, tuple[Run, ...]]]:
    """First and last query and their runs of keys; neighbouring blocks with the same keys are one."""
    for runs, blocks in itertools.groupby(_blocks(mask, group), key=lambda block: block[2]):
        (first, last, _), *others = blocks
        yield first, others[-1][1] if others else last, runs


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


def _joined(x: Tensor, runs: tuple[Run, ...]) -> Tensor:
    """The rows of x in these runs, one below the other; a view where there is one run."""
    parts = [x[start:stop] for start, stop in runs]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


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


def _blocks(mask: BlockMask, group: int) -> Iterator[tuple[int, int, tuple[Run, ...]]]:
    edges = mask.query_edges.tolist()
    return zip(edges[:-1], edges[1:], key_runs(mask, group), strict=True)
