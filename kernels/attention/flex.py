"""Block-sparse attention by PyTorch's compiled FlexAttention (He et al. 2024), given the lists of blocks.

Shapes: B batch, H heads, S queries, L keys, D channels of a head.
"""

from __future__ import annotations

import shutil
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from .block_mask import BlockMask
from .tile_plan import remembered

LEAST_BLOCK = {"cuda": 64, "cpu": 32}
"""Tokens of a block, of which a compiled kernel's own tiles must be a divisor."""


def refusal(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> str | None:
    """Why FlexAttention may not be taken; None where it may."""
    device = query.device.type
    if device not in LEAST_BLOCK:
        return f"FlexAttention has no kernel for {device}"
    if mask.block is None:
        return "its blocks must all have one size"
    if mask.block < LEAST_BLOCK[device] or mask.block & (mask.block - 1):
        return (
            f"its blocks must be a power of two and at least {LEAST_BLOCK[device]} tokens, not {mask.block}"
        )
    if device == "cpu":
        return _refusal_on_cpu(query, key, value)
    return None


def _refusal_on_cpu(query: Tensor, key: Tensor, value: Tensor) -> str | None:
    if torch.is_grad_enabled() and any(x.requires_grad for x in (query, key, value)):
        return "on a processor it gives no gradients"
    if query.dtype not in (torch.float32, torch.bfloat16, torch.float16):
        return f"it has no {query.dtype}"
    if shutil.which("g++") is None and shutil.which("clang++") is None:
        return "on a processor it must be compiled, and there is no C++ compiler"
    return None


def drawback(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> str | None:
    """Why it should not be taken, though it may."""
    return "gathered products are the faster on a processor" if query.device.type == "cpu" else None


def attend(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> Tensor:
    """query [B,H,S,D] over the pairs of key, value [B,H,L,D] that the mask keeps → [B,H,S,D]."""
    return _compiled()(query, key, value, block_mask=flex_mask(mask, query))


@lru_cache(maxsize=1)
def _compiled() -> Any:
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention, dynamic=False)


def flex_mask(mask: BlockMask, query: Tensor) -> Any:
    """FlexAttention's own description of a mask, for query [B,H,S,D]; kept with the mask."""
    shape = tuple(query.shape[:2])
    return remembered(mask, (query.device, shape), lambda: _described(mask, query.device, shape))


def _described(mask: BlockMask, device: torch.device, heads: tuple[int, int]) -> Any:
    from torch.nn.attention.flex_attention import BlockMask as FlexMask

    shared = len(mask.counts) == 1
    counts, lists = (
        x.to(device, torch.int32).view(*((1, 1) if shared else heads), *x.shape[1:])
        for x in (mask.counts, _whole_lists(mask))
    )
    sees = mask.rule  # not the mask, which would then keep itself alive
    rule = None if sees is None else lambda batch, head, query, key: sees(query, key)
    return FlexMask.from_kv_blocks(
        counts, lists, BLOCK_SIZE=mask.block, mask_mod=rule, seq_lengths=(mask.queries, mask.keys)
    )


def _whole_lists(mask: BlockMask) -> Tensor:
    """The lists with a column for every block of keys, as FlexAttention wants them."""
    columns = len(mask.key_edges) - 1
    return torch.nn.functional.pad(mask.lists, (0, columns - mask.lists.shape[-1]))
