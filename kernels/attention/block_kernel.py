"""The Triton kernel of block-sparse attention: a tile of queries meets its listed keys one tile at a time.

The softmax is gathered on the way (Dao et al. 2022), in powers of two. Import it only where Triton is.
Tensors are given as pointers with the strides of batch, head and token; channels lie side by side.
"""

from __future__ import annotations

import triton
import triton.language as tl

LN_2 = tl.constexpr(0.6931471805599453)


@triton.jit
def attend_tile(
    query, key, value, made, lse, tiles, firsts, lasts, full, counts,
    query_batch, query_head, query_token,
    key_batch, key_head, key_token,
    value_batch, value_head, value_token,
    made_batch, made_head, made_token,
    list_group, list_row, count_group,
    heads, queries, scale,
    WIDTH: tl.constexpr, CHANNELS: tl.constexpr, TILE_QUERIES: tl.constexpr, TILE_KEYS: tl.constexpr,
    UNEVEN: tl.constexpr, WITH_LSE: tl.constexpr, WIDEN: tl.constexpr,
):  # fmt: skip
    """A tile of queries of one head of one batch.

    Args:
        tiles, firsts, lasts, full, counts: of a `tile_plan.Plan`.
        list_group, list_row, count_group: strides of the lists and counts; 0 where all heads share them.
        scale: of the logits, times log₂ e.
        WIDTH, CHANNELS: channels of a head, and the power of two that holds them.
        WITH_LSE: write the natural logarithm of the sum of exponentials to `lse` [B,H,S].
    """
    tiles += tl.program_id(0) * 3
    first, last, row = tl.load(tiles), tl.load(tiles + 1), tl.load(tiles + 2)
    sheet = tl.program_id(1)
    batch, head = (sheet // heads).to(tl.int64), (sheet % heads).to(tl.int64)
    key += batch * key_batch + head * key_head
    value += batch * value_batch + head * value_head
    looking = load_tokens(
        query + batch * query_batch + head * query_head,
        first, last, query_token, TILE_QUERIES, WIDTH, CHANNELS, True,
    )  # fmt: skip
    firsts += sheet.to(tl.int64) * list_group + row * list_row
    lasts += sheet.to(tl.int64) * list_group + row * list_row
    whole, count = tl.load(full + sheet * count_group + row), tl.load(counts + sheet * count_group + row)

    peak = tl.full([TILE_QUERIES], float("-inf"), tl.float32)
    total = tl.zeros([TILE_QUERIES], tl.float32)
    gathered = tl.zeros([TILE_QUERIES, CHANNELS], tl.float32)
    for step in range(whole):
        start = tl.load(firsts + step)
        k = load_tokens(key, start, start, key_token, TILE_KEYS, WIDTH, CHANNELS, False)
        v = load_tokens(value, start, start, value_token, TILE_KEYS, WIDTH, CHANNELS, False)
        logits = product(looking, tl.trans(k), WIDEN)
        gathered, total, peak = gather(gathered, total, peak, logits, scale, v, 0, WIDEN)
    for step in tl.range(whole, count, num_stages=2 if UNEVEN else 1):
        start, stop = tl.load(firsts + step), tl.load(lasts + step)
        k = load_tokens(key, start, stop, key_token, TILE_KEYS, WIDTH, CHANNELS, True)
        v = load_tokens(value, start, stop, value_token, TILE_KEYS, WIDTH, CHANNELS, True)
        logits = without_strangers(product(looking, tl.trans(k), WIDEN), start, stop, TILE_KEYS)
        gathered, total, peak = gather(gathered, total, peak, logits, scale, v, 0, WIDEN)

    made += batch * made_batch + head * made_head
    store_tokens(made, gathered / total[:, None], first, last, made_token, TILE_QUERIES, WIDTH, CHANNELS)
    if WITH_LSE:
        rows = first + tl.arange(0, TILE_QUERIES)
        tl.store(lse + sheet.to(tl.int64) * queries + rows, (peak + tl.log2(total)) * LN_2, rows < last)


@triton.jit
def gather(gathered, total, peak, logits, scale, value, MOST_LOG_2: tl.constexpr, WIDEN: tl.constexpr):
    """One more tile of keys: the weighted sum of values, the sum of weights and the highest logit so far.

    MOST_LOG_2: base-2 logarithm of the largest weight; it multiplies both sums alike.
    """
    higher = tl.maximum(peak, tl.max(logits, 1) * scale)
    weights = tl.exp2(logits * scale - (higher - MOST_LOG_2)[:, None])
    shrink = tl.exp2(peak - higher)
    total = total * shrink + tl.sum(weights, 1)
    gathered = gathered * shrink[:, None] + product(rounded(weights, value.dtype, WIDEN), value, WIDEN)
    return gathered, total, higher


@triton.jit
def rounded(x, KIND: tl.constexpr, WIDEN: tl.constexpr):
    """float32 x as KIND; Triton's interpreter loses a carry where that is FP8, so it is rounded before."""
    if WIDEN and tl.float8e4nv == KIND:
        bits = x.to(tl.int32, bitcast=True)
        bits = (bits + 0x7FFFF + ((bits >> 20) & 1)) & -0x100000  # three bits of fraction
        x = tl.where(tl.abs(x) < 2**-6, tl.floor(x * 512 + 0.5) / 512, bits.to(tl.float32, bitcast=True))
    return x.to(KIND)


@triton.jit
def product(left, right, WIDEN: tl.constexpr):
    """left [m,k] · right [k,n] → float32 [m,n]; Triton's interpreter needs them widened to do it right."""
    if WIDEN:
        left = left.to(tl.float32)
        right = right.to(tl.float32)
    return tl.dot(left, right, input_precision="tf32x3")


@triton.jit
def without_strangers(logits, start, stop, TILE_KEYS: tl.constexpr):
    """-inf for keys from `stop` on."""
    return tl.where((start + tl.arange(0, TILE_KEYS) < stop)[None, :], logits, float("-inf"))


@triton.jit
def load_tokens(
    base, start, stop, stride,
    TOKENS: tl.constexpr, WIDTH: tl.constexpr, CHANNELS: tl.constexpr, RAGGED: tl.constexpr,
):  # fmt: skip
    """[TOKENS,CHANNELS] from token `start` on; zeros beyond WIDTH, and where RAGGED from `stop` on."""
    token, channel = tl.arange(0, TOKENS), tl.arange(0, CHANNELS)
    place = base + start.to(tl.int64) * stride + token[:, None] * stride + channel[None, :]
    if RAGGED:
        inside = (start + token < stop)[:, None] & (channel < WIDTH)[None, :]
        loaded = tl.load(place, mask=inside, other=0.0)
    elif WIDTH == CHANNELS:
        loaded = tl.load(place)
    else:
        loaded = tl.load(place, mask=(channel < WIDTH)[None, :], other=0.0)
    return loaded


@triton.jit
def store_tokens(
    base, rows, start, stop, stride,
    TOKENS: tl.constexpr, WIDTH: tl.constexpr, CHANNELS: tl.constexpr,
):  # fmt: skip
    """Write rows [TOKENS,CHANNELS] from token `start` on, none from `stop` on."""
    token, channel = tl.arange(0, TOKENS), tl.arange(0, CHANNELS)
    place = base + start.to(tl.int64) * stride + token[:, None] * stride + channel[None, :]
    inside = (start + token < stop)[:, None] & (channel < WIDTH)[None, :]
    tl.store(place, rows.to(base.dtype.element_ty), mask=inside)
