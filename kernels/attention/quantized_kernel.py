"""Triton kernels of quantised attention: round tokens to INT8, shift values, and attend with both.

Import it only where Triton is. Sheets are heads of batches, B·H of them. What these kernels hand each other
is padded with zeros to whole tiles of tokens and to CHANNELS.
"""

from __future__ import annotations

import triton
import triton.language as tl

from .block_kernel import gather, load_tokens, rounded, store_tokens, without_strangers


@triton.jit
def quantize_tile(
    x, whole, scales, means,
    x_batch, x_head, x_token,
    heads, tokens, factor,
    WIDTH: tl.constexpr, CHANNELS: tl.constexpr, TILE: tl.constexpr, OWN_MEAN: tl.constexpr,
):  # fmt: skip
    """A tile of x times a factor, less a mean, as INT8 with one scale.

    Args:
        whole: int8 [sheets,tiles·TILE,CHANNELS]. scales: float32 [sheets,tiles].
        means: float32; where OWN_MEAN [sheets,tiles,CHANNELS], written; else [sheets,CHANNELS], read.
    """
    tile, sheet = tl.program_id(0), tl.program_id(1).to(tl.int64)
    place = sheet * tl.num_programs(0) + tile
    channel = tl.arange(0, CHANNELS)
    inside = (tile * TILE + tl.arange(0, TILE)) < tokens
    base = x + sheet // heads * x_batch + sheet % heads * x_head
    shifted = (
        load_tokens(base, tile * TILE, tokens, x_token, TILE, WIDTH, CHANNELS, True).to(tl.float32) * factor
    )
    if OWN_MEAN:
        mean = tl.sum(shifted, 0) / tl.sum(inside.to(tl.float32), 0)
        tl.store(means + place * CHANNELS + channel, mean)
    else:
        mean = tl.load(means + sheet * CHANNELS + channel)
    shifted = tl.where(inside[:, None], shifted - mean[None, :], 0.0)
    scale = tl.maximum(tl.max(tl.max(tl.abs(shifted), 1), 0), 1e-30) / 127
    tl.store(scales + place, scale)
    token = place * TILE + tl.arange(0, TILE)
    nearest = tl.floor(shifted / scale + 0.5).to(tl.int8)
    tl.store(whole + token[:, None] * CHANNELS + channel[None, :], nearest)


@triton.jit
def shift_tile(
    value, made, means, scales,
    value_batch, value_head, value_token,
    made_sheet, made_token, made_channel,
    heads, tokens,
    WIDTH: tl.constexpr, CHANNELS: tl.constexpr, TILE: tl.constexpr, WIDEN: tl.constexpr,
):  # fmt: skip
    """A tile of values less their mean, divided by a scale for each channel, in the type of `made`.

    Args:
        made: [sheets,tokens,channels] in any order, whole tiles. means, scales: float32 [sheets,CHANNELS].
    """
    start, sheet = tl.program_id(0) * TILE, tl.program_id(1).to(tl.int64)
    channel = tl.arange(0, CHANNELS)
    token = start + tl.arange(0, TILE)
    base = value + sheet // heads * value_batch + sheet % heads * value_head
    loaded = load_tokens(base, start, tokens, value_token, TILE, WIDTH, CHANNELS, True).to(tl.float32)
    mean = tl.load(means + sheet * CHANNELS + channel)
    scale = tl.load(scales + sheet * CHANNELS + channel)
    shifted = tl.where((token < tokens)[:, None], (loaded - mean[None, :]) / scale[None, :], 0.0)
    place = (
        made + sheet * made_sheet + token.to(tl.int64)[:, None] * made_token + channel[None, :] * made_channel
    )
    tl.store(place, rounded(shifted, made.dtype.element_ty, WIDEN))


@triton.jit
def attend_quantized_tile(
    query, key, value, made, query_scales, key_scales, value_scales, value_means, drift,
    tiles, firsts, full, counts,
    value_sheet, value_token, value_channel,
    made_batch, made_head, made_token,
    list_group, list_row, count_group,
    heads, queries, keys, query_tiles, key_tiles,
    WIDTH: tl.constexpr, CHANNELS: tl.constexpr, TILE_QUERIES: tl.constexpr, TILE_KEYS: tl.constexpr,
    MOST_LOG_2: tl.constexpr, DRIFTING: tl.constexpr, LISTED: tl.constexpr, WIDEN: tl.constexpr,
):  # fmt: skip
    """TILE_QUERIES rows of one sheet over all keys, or over the tiles of a `tile_plan.Plan`.

    Args:
        query, key, query_scales, key_scales: from `quantize_tile`; the queries' factor has the softmax's
            scale and log₂ e.
        value: from `shift_tile`. value_scales, value_means: float32 [sheets,CHANNELS], undo it.
        drift: float32 [sheets,query_tiles,keys], what the queries' means add to the logits, where DRIFTING.
        MOST_LOG_2: base-2 logarithm of the largest weight that the values' type holds.
    """
    first = tl.program_id(0) * TILE_QUERIES
    sheet = tl.program_id(1).to(tl.int64)
    tile = sheet * query_tiles + tl.program_id(0)
    query += sheet * query_tiles * TILE_QUERIES * CHANNELS
    key += sheet * key_tiles * TILE_KEYS * CHANNELS
    key_scales += sheet * key_tiles
    value += sheet * value_sheet
    drift += tile * keys
    looking = load_tokens(query, first, queries, CHANNELS, TILE_QUERIES, CHANNELS, CHANNELS, False)
    scale = tl.load(query_scales + tile)
    if LISTED:
        row = tl.load(tiles + tl.program_id(0) * 3 + 2)
        firsts += sheet * list_group + row * list_row
        whole, steps = tl.load(full + sheet * count_group + row), tl.load(counts + sheet * count_group + row)
    else:
        whole, steps = keys // TILE_KEYS, key_tiles

    peak = tl.full([TILE_QUERIES], float("-inf"), tl.float32)
    total = tl.zeros([TILE_QUERIES], tl.float32)
    gathered = tl.zeros([TILE_QUERIES, CHANNELS], tl.float32)
    for step in range(whole):
        near = (tl.load(firsts + step) // TILE_KEYS) if LISTED else step
        gathered, total, peak = look(
            gathered, total, peak, looking, scale, key, key_scales, value, drift, near, keys,
            value_token, value_channel, CHANNELS, TILE_KEYS, MOST_LOG_2, DRIFTING, False, WIDEN,
        )  # fmt: skip
    for step in tl.range(whole, steps, num_stages=1):  # the last keys, where they fill no whole tile
        near = (tl.load(firsts + step) // TILE_KEYS) if LISTED else step
        gathered, total, peak = look(
            gathered, total, peak, looking, scale, key, key_scales, value, drift, near, keys,
            value_token, value_channel, CHANNELS, TILE_KEYS, MOST_LOG_2, DRIFTING, True, WIDEN,
        )  # fmt: skip

    channel = sheet * CHANNELS + tl.arange(0, CHANNELS)
    rows = gathered / total[:, None] * tl.load(value_scales + channel) + tl.load(value_means + channel)
    made += sheet // heads * made_batch + sheet % heads * made_head
    store_tokens(made, rows, first, queries, made_token, TILE_QUERIES, WIDTH, CHANNELS)


@triton.jit
def look(
    gathered, total, peak, looking, query_scale, key, key_scales, value, drift, near, keys,
    value_token, value_channel,
    CHANNELS: tl.constexpr, TILE_KEYS: tl.constexpr, MOST_LOG_2: tl.constexpr,
    DRIFTING: tl.constexpr, RAGGED: tl.constexpr, WIDEN: tl.constexpr,
):  # fmt: skip
    """Gather tile `near` of the keys; where RAGGED it may have padding."""
    start = near * TILE_KEYS
    token = start + tl.arange(0, TILE_KEYS)
    channel = tl.arange(0, CHANNELS)
    k = tl.load(key + token[:, None] * CHANNELS + channel[None, :])
    v = tl.load(value + token[:, None] * value_token + channel[None, :] * value_channel)
    scale = query_scale * tl.load(key_scales + near)
    logits = tl.dot(looking, tl.trans(k)).to(tl.float32)
    if DRIFTING:
        logits = logits * scale + tl.load(drift + token, mask=token < keys, other=0.0)[None, :]
        scale = 1.0
    if RAGGED:
        logits = without_strangers(logits, start, keys, TILE_KEYS)
    return gather(gathered, total, peak, logits, scale, v, MOST_LOG_2, WIDEN)
