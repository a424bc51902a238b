"""Block-sparse attention by a Triton kernel over the lists of blocks, forward only.

Blocks of any size; lists for all heads or for each; inputs may be views with any stride between tokens.
Triton is imported with the first call.

Shapes: B batch, H heads, S queries, L keys, D channels of a head.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from .. import triton_device
from .block_mask import BlockMask
from .tile_plan import Plan, remembered, tiles_for

DTYPES = (torch.float16, torch.bfloat16, torch.float32)
MOST_CHANNELS = 256
STAGES = 3
"""In flight at once: the number of a block, its keys and values, and the tile being attended to."""


def refusal(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> str | None:
    """Why the kernel cannot serve; None where it can."""
    if reason := refusal_of_tensors(query, key, value):
        return reason
    return None if mask.rule is None else "the mask has a rule within its blocks"


def refusal_of_tensors(query: Tensor, key: Tensor, value: Tensor) -> str | None:
    """Why no Triton kernel can serve these tensors, whatever the mask; None where one can."""
    if reason := triton_device.refusal(query.device):
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
    plan = _plan(mask, query)
    with torch.cuda.device_of(query):
        attend_tile[len(plan.queries), batch * heads](
            query, key, value, made, made if lse is None else lse, *plan.pointers,
            *query.stride()[:3], *key.stride()[:3], *value.stride()[:3], *made.stride()[:3], *plan.steps,
            heads, queries, width**-0.5 * math.log2(math.e),
            WIDTH=width, CHANNELS=padded_channels(width),
            TILE_QUERIES=plan.tiles.queries, TILE_KEYS=plan.tiles.keys,
            UNEVEN=plan.uneven, WITH_LSE=lse is not None, WIDEN=triton_device.interpreted(),
            num_warps=plan.tiles.warps, num_stages=STAGES,
        )  # fmt: skip


def _plan(mask: BlockMask, query: Tensor) -> Plan:
    device, channels, item = query.device, padded_channels(query.shape[-1]), query.element_size()

    def make() -> Plan:
        return Plan.of(mask, device, tiles_for(mask, channels, item, shared_memory(device)))

    return remembered(mask, (device, channels, item), make)


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
