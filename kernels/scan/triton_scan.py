"""The selective scan by a Triton kernel, forward only. Triton is imported with the first call.

Shapes: B batch, L tokens, G groups, D channels, N numbers of a state.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .. import triton_device

CHANNELS = 8
"""Of one program: 32 bytes of a token, the least that a GPU reads at once."""
TILE = 32
"""Tokens that are composed at a time."""


def refusal(x: Tensor, a: Tensor) -> str | None:
    """Why the kernel cannot serve tokens [B,L,G,D] with rates [G,N,D]; None where it can."""
    if reason := triton_device.refusal(x.device):
        return reason
    states = a.shape[1]
    return None if states & (states - 1) == 0 else f"states must be a power of two numbers, not {states}"


def selective_scan(
    x: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, state: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """`naive.selective_scan`; without gradients."""
    from .scan_kernel import scan_channels

    x, delta, b, c = (_together(tensor) for tensor in (x, delta, b, c))
    a = a.float().contiguous()
    batch, tokens, groups, channels = x.shape
    state = x.new_zeros(batch, *a.shape) if state is None else state.float().clone()
    y = torch.empty_like(x, memory_format=torch.contiguous_format)
    with torch.cuda.device_of(x):
        scan_channels[-(-channels // CHANNELS), batch * groups](
            x, delta, a, b, c, y, state,
            *x.stride()[:3], *delta.stride()[:3], *b.stride()[:3], *c.stride()[:3], *y.stride()[:3],
            tokens, groups, channels, STATES=a.shape[1], CHANNELS=CHANNELS, TILE=TILE,
        )  # fmt: skip
    return y, state


def _together(x: Tensor) -> Tensor:
    """float32 x, its last axis without gaps."""
    x = x.float()
    return x if x.stride(-1) == 1 else x.contiguous()
