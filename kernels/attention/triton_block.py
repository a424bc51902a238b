"""Block-sparse attention by a Triton kernel over the lists of blocks, forward only.

Any number of tokens; lists for all heads or for each; inputs may be views with any stride between tokens.
Triton is imported with the first call.

Shapes: B batch, H heads, S queries, L keys, D channels of a head, G masks, R blocks of
queries, K blocks of keys at most for one of them.
"""

from __future__ import annotations

import math
import os
from functools import lru_cache
from importlib.util import find_spec
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from .block_mask import BlockMask

DTYPES = (torch.float16, torch.bfloat16, torch.float32)
MOST_CHANNELS = 256
LEAST_BLOCK = 16
LEAST_CAPABILITY = (8, 0)
"""Of a GPU: Ampere, the first with bfloat16."""
HOPPER_MEMORY = 227 << 10
"""Bytes of shared memory that one program may have there."""
STAGES = 3
"""In flight at once: the number of a block, its keys and values, and the tile being attended to."""


def refusal(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> str | None:
    """Why the kernel cannot serve; None where it can."""
    if reason := refusal_of_tensors(query, key, value):
        return reason
    if mask.rule is not None:
        return "the mask has a rule within its blocks"
    block = block_size(mask)
    if block is None:
        return "its blocks must all have one size"
    if block < LEAST_BLOCK or block & (block - 1):
        return f"its blocks must be a power of two and at least {LEAST_BLOCK} tokens, not {block}"
    return None


def refusal_of_tensors(query: Tensor, key: Tensor, value: Tensor) -> str | None:
    """Why no Triton kernel can serve these tensors, whatever the mask; None where one can."""
    if reason := _refusal_of_device(query.device):
        return reason
    if torch.is_grad_enabled() and any(x.requires_grad for x in (query, key, value)):
        return "gradients are wanted, and it has none"
    if query.dtype not in DTYPES:
        return f"it has no {query.dtype}"
    if not query.dtype == key.dtype == value.dtype:
        return (
            f"queries, keys and values must have one type, not {query.dtype}, {key.dtype} and {value.dtype}"
        )
    if not query.shape[-1] == key.shape[-1] == value.shape[-1] <= MOST_CHANNELS:
        widths = [x.shape[-1] for x in (query, key, value)]
        return f"heads must have the same number of channels, at most {MOST_CHANNELS}, not {widths}"
    return None


def _refusal_of_device(device: torch.device) -> str | None:
    if not _installed():
        return "triton is not installed"
    if interpreted():
        return (
            None if device.type in ("cpu", "cuda") else f"Triton's interpreter does not reach {device.type}"
        )
    if device.type == "cpu":
        return "Triton has no kernels for a processor (only an interpreter for tests, TRITON_INTERPRET=1)"
    if device.type != "cuda":
        return f"the kernel was written for CUDA, not for {device.type}"
    capability = torch.cuda.get_device_capability(device)
    if capability < LEAST_CAPABILITY:
        return f"it needs a GPU of compute capability {LEAST_CAPABILITY}, and this one has {capability}"
    return None


@lru_cache(maxsize=1)
def _installed() -> bool:
    return find_spec("triton") is not None


def interpreted() -> bool:
    """Kernels run in Triton's interpreter, which must be asked for before Triton is imported."""
    return os.environ.get("TRITON_INTERPRET") == "1"


def attend(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> Tensor:
    """query [B,H,S,D] over the pairs of key, value [B,H,L,D] that the mask keeps → [B,H,S,D]."""
    made = torch.empty_like(query)
    _launch(query, key, value, mask, made, None)
    return made


def attend_with_lse(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> tuple[Tensor, Tensor]:
    """The same, and the log of each query's sum of exponentials, float32 [B,H,S], for merging branches."""
    made = torch.empty_like(query)
    lse = torch.empty(query.shape[:-1], dtype=torch.float32, device=query.device)
    _launch(query, key, value, mask, made, lse)
    return made, lse


def _launch(
    query: Tensor, key: Tensor, value: Tensor, mask: BlockMask, made: Tensor, lse: Tensor | None
) -> None:
    from .block_kernel import attend_tile

    query, key, value = (channels_together(x) for x in (query, key, value))
    batch, heads, queries, width = query.shape
    lists, counts = lists_on(mask, query.device)
    block, channels = block_size(mask), padded_channels(width)
    tiles = tiles_for(block, channels, query.element_size(), shared_memory(query.device))
    shared = len(counts) == 1
    with torch.cuda.device_of(query):
        attend_tile[math.ceil(queries / tiles.queries), batch * heads](
            query, key, value, made, made if lse is None else lse, lists, counts,
            *query.stride()[:3], *key.stride()[:3], *value.stride()[:3], *made.stride()[:3],
            0 if shared else lists.stride(0), lists.stride(1), 0 if shared else counts.stride(0),
            heads, queries, key.shape[2], width**-0.5 * math.log2(math.e),
            WIDTH=width, CHANNELS=channels, BLOCK=block, TILE_QUERIES=tiles.queries, TILE_KEYS=tiles.keys,
            WITH_LSE=lse is not None, WIDEN=interpreted(), num_warps=tiles.warps, num_stages=STAGES,
        )  # fmt: skip


class Tiles(NamedTuple):
    """What one program of the kernel holds.

    queries, keys: tokens at a time.
    warps: of threads.
    """

    queries: int
    keys: int
    warps: int


def tiles_for(block: int, channels: int, item: int, memory: int) -> Tiles:
    """The tiles for blocks of so many tokens.

    Args:
        channels: of a head, padded to a power of two.
        item: bytes of a channel.
        memory: bytes of shared memory that a program may have.
    """
    widest = 32 if item == 4 else 128
    queries, keys = min(block, widest), min(block, widest // 2)
    large = queries * channels >= 128 * 128
    if large and memory >= HOPPER_MEMORY:
        keys = queries
    while _bytes(queries, keys, channels, item) > memory:
        queries, keys = (queries, keys // 2) if keys > 32 else (queries // 2, keys)
    return Tiles(queries, keys, 8 if large or channels == 256 else 4)


def _bytes(queries: int, keys: int, channels: int, item: int) -> int:
    """Of shared memory: the queries, two tiles of keys and of values, and room for sums."""
    return (queries + 4 * keys) * channels * item + (item << 10)


@lru_cache
def shared_memory(device: torch.device) -> int:
    """Bytes that one program may have; an Ampere data-centre card's where there is no card."""
    if device.type != "cuda":
        return 163 << 10
    return torch.cuda.get_device_properties(device).shared_memory_per_block_optin


def padded_channels(width: int) -> int:
    """The power of two that holds the channels of a head, at least 16."""
    return max(16, 1 << (width - 1).bit_length())


def channels_together(x: Tensor) -> Tensor:
    """x itself where the channels of a token lie side by side, as they do in every usual view."""
    return x if x.stride(-1) == 1 else x.contiguous()


def block_size(mask: BlockMask) -> int | None:
    """Tokens of a block; the power of two that holds the only one there is; None where blocks differ."""
    alone = len(mask.query_edges) == len(mask.key_edges) == 2
    if alone:
        return max(LEAST_BLOCK, 1 << (max(mask.queries, mask.keys) - 1).bit_length())
    return mask.block


_LISTS: WeakKeyDictionary[BlockMask, dict[torch.device, tuple[Tensor, Tensor]]] = WeakKeyDictionary()


def lists_on(mask: BlockMask, device: torch.device) -> tuple[Tensor, Tensor]:
    """Lists [G,R,K] and counts [G,R] as int32 on a device, made once for each mask."""
    copies = _LISTS.setdefault(mask, {})
    if device not in copies:
        copies[device] = tuple(x.to(device, torch.int32).contiguous() for x in (mask.lists, mask.counts))
    return copies[device]
