"""The Triton kernel of the selective scan: a tile of tokens at a time, its steps composed as a prefix sum.

Import it only where Triton is. Tensors are given as pointers with the strides of batch, token and group;
channels and numbers of a state lie side by side.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def compose(decay, taken, next_decay, next_taken):
    """Two steps h → decay·h + taken as one."""
    return decay * next_decay, next_decay * taken + next_taken


@triton.jit
def scan_channels(
    x, delta, a, b, c, y, state,
    x_batch, x_token, x_group,
    delta_batch, delta_token, delta_group,
    b_batch, b_token, b_group,
    c_batch, c_token, c_group,
    y_batch, y_token, y_group,
    tokens, groups, channels,
    STATES: tl.constexpr, CHANNELS: tl.constexpr, TILE: tl.constexpr,
):  # fmt: skip
    """Some channels of one group of one batch, from the first token to the last.

    Args:
        a: [G,N,D]. state: [B,G,N,D], read at the start and written at the end.
        STATES: numbers of a state. CHANNELS: of this program. TILE: tokens at a time.
    """
    sheet = tl.program_id(1).to(tl.int64)
    batch, group = sheet // groups, sheet % groups
    channel = tl.program_id(0) * CHANNELS + tl.arange(0, CHANNELS)
    number, row = tl.arange(0, STATES), tl.arange(0, TILE)
    known = channel < channels
    x += batch * x_batch + group * x_group
    delta += batch * delta_batch + group * delta_group
    b += batch * b_batch + group * b_group
    c += batch * c_batch + group * c_group
    y += batch * y_batch + group * y_group

    place = number[:, None] * channels + channel[None, :]
    rate = tl.load(a + group * STATES * channels + place, mask=known[None, :], other=0.0)
    state += sheet * STATES * channels
    h = tl.load(state + place, mask=known[None, :], other=0.0)
    for start in range(0, tokens, TILE):
        token = (start + row).to(tl.int64)
        inside = token < tokens
        here = inside[:, None] & known[None, :]
        step = tl.load(delta + token[:, None] * delta_token + channel[None, :], mask=here, other=0.0)
        value = tl.load(x + token[:, None] * x_token + channel[None, :], mask=here, other=0.0)
        write = tl.load(b + token[:, None] * b_token + number[None, :], mask=inside[:, None], other=0.0)
        look = tl.load(c + token[:, None] * c_token + number[None, :], mask=inside[:, None], other=0.0)
        decay = tl.exp(step[:, None, :] * rate[None, :, :])  # [TILE,STATES,CHANNELS]
        taken = (step * value)[:, None, :] * write[:, :, None]
        decay, taken = tl.associative_scan((decay, taken), 0, compose)
        reached = decay * h[None, :, :] + taken
        made = tl.sum(reached * look[:, :, None], 1)
        tl.store(y + token[:, None] * y_token + channel[None, :], made, mask=here)
        h = tl.sum(tl.where((row == TILE - 1)[:, None, None], reached, 0.0), 0)
    tl.store(state + place, h, mask=known[None, :])
