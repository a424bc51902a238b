"""A mask of blocks as a kernel reads it: tiles of at most so many tokens, the full ones first.

Full tiles need no test of where a block ends, so a kernel goes through them faster.

Shapes: G masks, R blocks of queries, K blocks of keys at most for one of them, N tiles of keys, M of queries.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from .block_mask import BlockMask

LEAST_TILE = 16
"""Tokens that a tensor core's product needs."""
HOPPER_MEMORY = 227 << 10
"""Bytes of shared memory that one program may have there."""
MOST_PADDING = 1.9
"""Times what the smallest tiles have room for: half as wide, a tile takes more than half as long."""


class Tiles(NamedTuple):
    """What one program of a kernel holds.

    queries, keys: tokens at a time.
    warps: of threads.
    """

    queries: int
    keys: int
    warps: int


def tiles_for(mask: BlockMask, channels: int, item: int, memory: int) -> Tiles:
    """The tiles for the blocks of a mask.

    Args:
        channels: of a head, padded to a power of two.
        item: bytes of a channel.
        memory: bytes of shared memory that a program may have.
    """
    widest = 32 if item == 4 else 128
    queries = _fitting(mask.query_edges.diff(), widest)
    keys = _fitting(mask.key_edges.diff(), widest // 2)
    large = queries * channels >= 128 * 128
    if large and memory >= HOPPER_MEMORY:
        keys = _fitting(mask.key_edges.diff(), queries)
    while _bytes(queries, keys, channels, item) > memory:
        queries, keys = (queries, keys // 2) if keys > 32 else (queries // 2, keys)
    return Tiles(queries, keys, 8 if large or channels == 256 else 4)


def _fitting(sizes: Tensor, widest: int) -> int:
    """Of the powers of two up to `widest` the largest that blocks of these sizes fill well enough."""
    widths = [width for width in (128, 64, 32, LEAST_TILE) if width <= widest]
    room = [int(-(-sizes // width).sum()) * width for width in widths]
    return next(width for width, taken in zip(widths, room, strict=True) if taken <= MOST_PADDING * min(room))


def _bytes(queries: int, keys: int, channels: int, item: int) -> int:
    """Of shared memory: the queries, two tiles of keys and of values, and room for sums."""
    return (queries + 4 * keys) * channels * item + (item << 10)


class Plan(NamedTuple):
    """Tiles of a mask on a device, all tensors int32.

    tiles: what they were cut for.
    queries: [M,3], of each tile the first query, the one after the last, and the block they are of.
    first, last: [G,R,≤N], of each tile of keys the first and the one after the last; full ones come first.
    full, counts: [G,R], how many are full, and how many there are.
    uneven: more than the end of all keys is in tiles that are not full.
    """

    tiles: Tiles
    queries: Tensor
    first: Tensor
    last: Tensor
    full: Tensor
    counts: Tensor
    uneven: bool

    @classmethod
    def of(cls, mask: BlockMask, device: torch.device, tiles: Tiles) -> Plan:
        queries = torch.stack(_cut(mask.query_edges, tiles.queries), dim=1)
        even = mask.block is not None and mask.block % tiles.keys == 0
        lists = (_even_lists if even else _uneven_lists)(mask, device, tiles.keys)
        tensors = (x.to(device, torch.int32).contiguous() for x in (queries, *lists))
        return cls(tiles, *tensors, not even)

    @property
    def pointers(self) -> tuple[Tensor, ...]:
        return self.queries, self.first, self.last, self.full, self.counts

    @property
    def steps(self) -> tuple[int, int, int]:
        """From one mask's lists to the next's, from one block's to the next's, and of the counts."""
        if len(self.counts) == 1:
            return 0, self.first.stride(1), 0
        return self.first.stride(0), self.first.stride(1), self.full.stride(0)


Made = TypeVar("Made")
_MADE: WeakKeyDictionary[BlockMask, dict[Hashable, Any]] = WeakKeyDictionary()


def remembered(mask: BlockMask, key: Hashable, make: Callable[[], Made]) -> Made:
    """What `make` gives for a mask, made once for each key and kept as long as the mask."""
    made = _MADE.setdefault(mask, {})
    if key not in made:
        made[key] = make()
    return made[key]


def _cut(edges: Tensor, most: int) -> tuple[Tensor, Tensor, Tensor]:
    """Blocks cut into tiles of `most` tokens and a rest: where each begins and ends, and its block."""
    pieces = -(-edges.diff() // most)
    blocks = torch.arange(len(pieces)).repeat_interleave(pieces)
    earlier = pieces.cumsum(0) - pieces
    starts = edges[blocks] + (torch.arange(len(blocks)) - earlier[blocks]) * most
    return starts, torch.minimum(starts + most, edges[blocks + 1]), blocks


def _even_lists(mask: BlockMask, device: torch.device, most: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of blocks that are whole tiles, all but the last of all, which a list has last too."""
    lists, counts, parts = mask.lists.to(device), mask.counts.to(device), mask.block // most
    first = (lists[..., None] * mask.block + torch.arange(0, mask.block, most, device=device)).flatten(2)
    listed = torch.arange(first.shape[-1], device=device) < counts[..., None] * parts
    full = (listed & (first + most <= mask.keys)).sum(-1)
    some = (listed & (first < mask.keys)).sum(-1)
    return first, (first + most).clamp(max=mask.keys), full, some


def _uneven_lists(mask: BlockMask, device: torch.device, most: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of blocks of any size."""
    starts, stops, blocks = _cut(mask.key_edges, most)
    order = (stops - starts < most).long().argsort(stable=True)
    starts, stops, blocks = (x[order].to(device) for x in (starts, stops, blocks))
    kept = mask.kept.to(device)[..., blocks]  # [G,R,N]
    counts = kept.sum(-1)
    listed = (~kept).byte().argsort(dim=-1, stable=True)[..., : int(counts.max())]
    full = (kept & (stops - starts == most)).sum(-1)
    return starts[listed], stops[listed], full, counts
