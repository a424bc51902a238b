"""The selective scan in plain PyTorch, some tokens at a time.

Decays and inputs of a tile of tokens are computed at once; then one fused operation per token is all that
has to wait for the token before. Where an operation takes longer to start than to run, as on a GPU, the
sequence is also cut into lanes that run side by side from a state of zero; what the states before them add
comes afterwards.

Shapes: B batch, L tokens, G groups, D channels, N numbers of a state.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

TILE_NUMBERS = {"cpu": 1 << 19}
"""Decays that are kept at a time, by device: what a processor's cache holds."""
MOST_TILE_NUMBERS = 1 << 25
"""The same for other devices: 128 MB."""


def selective_scan(
    x: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, state: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """`naive.selective_scan`; without gradients."""
    x, delta, a, b, c = (tensor.float() for tensor in (x, delta, a, b, c))
    if state is None:
        state = x.new_zeros(len(x), *a.shape)
    lanes = lanes_for(x, a)
    if lanes == 1:
        return _scan(x, delta, a, b, c, state)
    return _scan_in_lanes(x, delta, a, b, c, state, lanes)


def lanes_for(x: Tensor, a: Tensor) -> int:
    """Parts of the sequence to run side by side; a processor is busy enough with one.

    About as many as tokens in each, for then the steps within lanes and from lane to lane are fewest.
    """
    if x.device.type == "cpu":
        return 1
    return max(1, min(math.isqrt(x.shape[1]), MOST_TILE_NUMBERS // (len(x) * a.numel())))


def _tile_length(state: Tensor) -> int:
    return max(1, TILE_NUMBERS.get(state.device.type, MOST_TILE_NUMBERS) // state.numel())


def _scan(x: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """Tile after tile; the states of a tile's tokens replace their inputs."""
    y = torch.empty_like(x)
    length = min(_tile_length(state), x.shape[1])
    decays = state.new_empty(length, *state.shape)
    states = torch.empty_like(decays)
    for start in range(0, x.shape[1], length):
        at = slice(start, start + length)
        step, token, write, look = (tensor[:, at].transpose(0, 1) for tensor in (delta, x, b, c))
        decay, reached = decays[: len(step)], states[: len(step)]
        torch.mul(step.unsqueeze(-2), a, out=decay).exp_()  # [tile,B,G,N,D]
        torch.mul((step * token).unsqueeze(-2), write.unsqueeze(-1), out=reached)
        for one, kept in zip(reached, decay, strict=True):
            state = torch.addcmul(one, kept, state, out=one)
        y[:, at] = _read(look, reached).transpose(0, 1)
        state = state.clone()  # the next tile overwrites it
    return y, state


def _read(look: Tensor, states: Tensor) -> Tensor:
    """Σₙ C h: [...,N] of states [...,N,D] → [...,D]."""
    return (look.unsqueeze(-2) @ states).squeeze(-2)


def _scan_in_lanes(
    x: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, state: Tensor, lanes: int
) -> tuple[Tensor, Tensor]:
    tokens = x.shape[1]
    x, delta, b, c = (_in_lanes(tensor, lanes) for tensor in (x, delta, b, c))
    y, ends = _scan(x, delta, a, b, c, state.new_zeros(len(x), *a.shape))
    passed = delta.cumsum(1)
    kept = torch.exp(passed[:, -1].unsqueeze(-2) * a)
    starts = []
    for kept_in_lane, end in zip(
        *(tensor.unflatten(0, (-1, lanes)).unbind(1) for tensor in (kept, ends)), strict=True
    ):
        starts.append(state)
        state = torch.addcmul(end, kept_in_lane, state)
    _add_echo(y, passed, a, c, torch.stack(starts, 1).flatten(0, 1))
    return y.unflatten(0, (-1, lanes)).flatten(1, 2)[:, :tokens], state


def _in_lanes(tokens: Tensor, lanes: int) -> Tensor:
    """[B,L,G,·] → [B·lanes,L/lanes,G,·]; a token of zeros added at the end changes no state."""
    length = -(-tokens.shape[1] // lanes)
    padded = torch.nn.functional.pad(tokens, (0, 0, 0, 0, 0, length * lanes - tokens.shape[1]))
    return padded.unflatten(1, (lanes, length)).flatten(0, 1)


def _add_echo(y: Tensor, passed: Tensor, a: Tensor, c: Tensor, start: Tensor) -> None:
    """Add to y what the states before the lanes still give after steps that sum up to `passed`."""
    length = _tile_length(start)
    for made, sums, look in zip(*(tensor.split(length, 1) for tensor in (y, passed, c)), strict=True):
        left = torch.exp(sums.unsqueeze(-2) * a) * start.unsqueeze(1)  # [B·lanes,tile,G,N,D]
        made += _read(look, left)
