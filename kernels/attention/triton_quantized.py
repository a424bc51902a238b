"""Attention with INT8 queries and keys by Triton kernels, over all keys or lists of blocks, forward only.

The arithmetic is `quantized`'s with a scale for each block: SageAttention2's without INT4, of which Triton
has no product. Probabilities and values are FP8 or FP16; FP8 products are summed in two levels on Hopper, in
one where the compiler joins the sums. On a processor there is only that simulation.

Shapes: B batch, H heads, S queries, L keys, D channels of a head, padded to C; sheets are B·H.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..triton_device import interpreted
from . import triton_block
from .block_mask import BlockMask
from .quantized import KEY_BLOCK, LARGEST_FP8, QUERY_BLOCK, Quantization
from .tile_plan import Plan, Tiles, remembered
from .triton_block import channels_together, padded_channels, shared_memory

LEAST_TOKENS = 32
"""And channels, that a product of 8-bit numbers sums at once."""
BLOCKS = (32, 64, 128)
FP8_CAPABILITY = (8, 9)
"""Of a GPU: Ada, the first with FP8 products."""


def refusal(
    query: Tensor, key: Tensor, value: Tensor, options: Quantization, mask: BlockMask | None = None
) -> str | None:
    """Why the kernels cannot serve; None where they can."""
    reason = triton_block.refusal_of_tensors(query, key, value)
    if reason or (mask is not None and (reason := triton_block.refusal(query, key, value, mask))):
        return reason
    if mask is not None and (mask.block is None or mask.block not in BLOCKS):
        return f"blocks must all have one size of {', '.join(map(str, BLOCKS))} tokens: each has one scale"
    if options.query_key != "int8":
        return f"it has INT8 queries and keys, and {options.query_key} can only be simulated"
    if options.grain != "block":
        return f"it has one scale for a block, and one for each {options.grain} can only be simulated"
    if options.weights_value == "exact":
        return "it has FP8 or FP16 probabilities and values, no exact ones"
    if options.weights_value == "fp8" and not interpreted():
        capability = torch.cuda.get_device_capability(query.device)
        if capability < FP8_CAPABILITY:
            return f"FP8 needs compute capability {FP8_CAPABILITY}, and this GPU has {capability}: take fp16"
    return None


def attend(
    query: Tensor, key: Tensor, value: Tensor, options: Quantization, mask: BlockMask | None = None
) -> Tensor:
    """Quantised attention of query [B,H,S,D] over key, value [B,H,L,D] or what a mask keeps → [B,H,S,D].

    What the queries' means add to the logits takes S·L/32 bytes a head, so `heads_at_once` may be few.
    """
    query, key, value = (channels_together(x) for x in (query, key, value))
    made = torch.empty_like(query)
    step = heads_at_once(query, key, options, mask)
    with torch.cuda.device_of(query):
        for first in range(0, query.shape[1], step):
            some = (x[:, first : first + step] for x in (query, key, value, made))
            _attend_heads(*some, options, mask)
    return made


def heads_at_once(query: Tensor, key: Tensor, options: Quantization, mask: BlockMask | None) -> int:
    """So many that what the queries' means add to their logits, and the keys for it, are no larger than they.

    All, where each head has a list of its own.
    """
    batch, heads, queries, width = query.shape
    if not options.smooth_query or (mask is not None and len(mask.counts) > 1):
        return heads
    one = 4 * batch * key.shape[2] * (math.ceil(queries / QUERY_BLOCK) + width)
    return max(1, min(heads, query.nbytes // one))


def _attend_heads(
    query: Tensor, key: Tensor, value: Tensor, made: Tensor, options: Quantization, mask: BlockMask | None
) -> None:
    layout = Layout.of(query, key, mask)
    key_mean = _padded(key.mean(2, dtype=torch.float32) * options.smooth_key, layout)
    queries = _whole_queries(query, options, layout)
    keys = _whole_keys(key, key_mean, layout)
    values = _shifted(value, options, layout)
    drift = _drift(queries.means, key, key_mean) if options.smooth_query else queries.scales
    _launch(queries, keys, values, drift, made, mask, options, layout)


class Layout(NamedTuple):
    """Tokens of the tiles of queries and of keys; how many tiles there are; channels padded; keys."""

    tile_queries: int
    tile_keys: int
    query_tiles: int
    key_tiles: int
    channels: int
    keys: int

    @classmethod
    def of(cls, query: Tensor, key: Tensor, mask: BlockMask | None) -> Layout:
        block = QUERY_BLOCK if mask is None else mask.block
        queries, keys = min(block, QUERY_BLOCK), min(block, KEY_BLOCK)
        tiles = math.ceil(query.shape[2] / queries), math.ceil(key.shape[2] / keys)
        return cls(queries, keys, *tiles, max(LEAST_TOKENS, padded_channels(query.shape[-1])), key.shape[2])


class Whole(NamedTuple):
    """INT8 tokens [sheets,tokens of whole tiles,C], float32 scales of the tiles, and the means taken out."""

    tokens: Tensor
    scales: Tensor
    means: Tensor


def _whole_queries(query: Tensor, options: Quantization, layout: Layout) -> Whole:
    """With the softmax's scale and log₂ e in them; means [sheets,tiles,C] where they are smoothed."""
    sheets = query.shape[0] * query.shape[1]
    size = (
        (sheets, layout.query_tiles, layout.channels) if options.smooth_query else (sheets, layout.channels)
    )
    means = torch.zeros(size, device=query.device)
    factor = query.shape[-1] ** -0.5 * math.log2(math.e)
    return _whole(query, means, factor, layout.query_tiles, layout.tile_queries, own=options.smooth_query)


def _whole_keys(key: Tensor, mean: Tensor, layout: Layout) -> Whole:
    return _whole(key, mean, 1.0, layout.key_tiles, layout.tile_keys, own=False)


def _whole(x: Tensor, means: Tensor, factor: float, tiles: int, tile: int, *, own: bool) -> Whole:
    from .quantized_kernel import quantize_tile

    batch, heads, tokens, width = x.shape
    sheets, channels = batch * heads, means.shape[-1]
    whole = torch.empty(sheets, tiles * tile, channels, dtype=torch.int8, device=x.device)
    scales = torch.empty(sheets, tiles, device=x.device)
    quantize_tile[tiles, sheets](
        x, whole, scales, means, *x.stride()[:3], heads, tokens, factor,
        WIDTH=width, CHANNELS=channels, TILE=tile, OWN_MEAN=own, num_warps=8,
    )  # fmt: skip
    return Whole(whole, scales, means)


class Shifted(NamedTuple):
    """Values [sheets,tokens of whole tiles,C] in FP8 or FP16, and what undoes it: float32 [sheets,C] each."""

    tokens: Tensor
    scales: Tensor
    means: Tensor


def _shifted(value: Tensor, options: Quantization, layout: Layout) -> Shifted:
    """In FP8 the tokens of a channel lie side by side, as Hopper's product wants them."""
    from .quantized_kernel import shift_tile

    batch, heads, keys, width = value.shape
    sheets, tokens, fp8 = batch * heads, layout.key_tiles * layout.tile_keys, options.weights_value == "fp8"
    mean = value.mean(2, dtype=torch.float32) * options.smooth_value
    scale = torch.ones_like(mean)
    if fp8:
        least, most = (x.float() for x in torch.aminmax(value, dim=2))
        scale = (torch.maximum(most - mean, mean - least) / LARGEST_FP8).clamp_min(1e-30)
        made = value.new_empty(sheets, layout.channels, tokens, dtype=torch.float8_e4m3fn).mT
    else:
        made = value.new_empty(sheets, tokens, layout.channels, dtype=torch.float16)
    mean, scale = _padded(mean, layout), _padded(scale, layout)
    shift_tile[layout.key_tiles, sheets](
        value, made, mean, scale, *value.stride()[:3], *made.stride(), heads, keys,
        WIDTH=width, CHANNELS=layout.channels, TILE=layout.tile_keys, WIDEN=interpreted(), num_warps=4,
    )  # fmt: skip
    return Shifted(made, scale, mean)


def _padded(x: Tensor, layout: Layout) -> Tensor:
    """[B,H,D] → [sheets,C], ones in the rest."""
    return F.pad(x.flatten(0, 1), (0, layout.channels - x.shape[-1]), value=1.0)


def _drift(means: Tensor, key: Tensor, key_mean: Tensor) -> Tensor:
    """What the means [sheets,tiles,C] of queries add to the logits: float32 [B,H,tiles,L]."""
    smooth = key - key_mean[:, : key.shape[-1]].view(*key.shape[:2], 1, -1)
    return means[..., : key.shape[-1]].unflatten(0, key.shape[:2]) @ smooth.mT


def _launch(
    queries: Whole, keys: Whole, values: Shifted, drift: Tensor,
    made: Tensor, mask: BlockMask | None, options: Quantization, layout: Layout,
) -> None:  # fmt: skip
    from .quantized_kernel import attend_quantized_tile

    fp8 = options.weights_value == "fp8"
    batch, heads, tokens, width = made.shape
    warps = 8 if layout.tile_queries == QUERY_BLOCK else 4
    pointers, steps = (queries.scales,) * 5, (0, 0, 0)
    if mask is not None:
        tiles = Tiles(layout.tile_queries, layout.tile_keys, warps)
        plan = remembered(mask, (made.device, tiles), lambda: Plan.of(mask, made.device, tiles))
        pointers, steps = plan.pointers, plan.steps
    places, firsts, _, full, counts = pointers
    attend_quantized_tile[layout.query_tiles, batch * heads](
        queries.tokens, keys.tokens, values.tokens, made,
        queries.scales, keys.scales, values.scales, values.means, drift,
        places, firsts, full, counts,
        *values.tokens.stride(), *made.stride()[:3], *steps,
        heads, tokens, layout.keys, layout.query_tiles, layout.key_tiles,
        WIDTH=width, CHANNELS=layout.channels,
        TILE_QUERIES=layout.tile_queries, TILE_KEYS=layout.tile_keys,
        MOST_LOG_2=math.log2(LARGEST_FP8) if fp8 else 0.0,
        DRIFTING=options.smooth_query, LISTED=mask is not None, WIDEN=interpreted(),
        num_warps=warps,
        num_stages=_stages(layout, 1 if fp8 else 2, shared_memory(made.device)),
    )  # fmt: skip


def _stages(layout: Layout, item: int, memory: int) -> int:
    """Tiles of keys and values in flight: as many as fit beside the queries, at most 3."""
    room = memory - layout.tile_queries * layout.channels - 2048
    return max(1, min(3, room // (layout.tile_keys * layout.channels * (1 + item))))
