"""Causal layers for streaming video autoencoders.

Shapes: B batch, C channels, T frames, H height, W width (pixels of the layer's resolution).

A causal layer sees its own and earlier frames only. What it needs of earlier chunks is handed in and out
as a value: a `Tape` gives each layer, in order, the frames it remembered of the chunk before, and collects
what it must remember for the next. Decoding chunk by chunk therefore equals decoding at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...kernels.causal_conv.dispatch import norm_silu_conv3d
from ...kernels.causal_conv.naive import rms_norm
from ...kernels.fast_cpu import refusal
from ...kernels.onednn import convolution, weights_channels_last

State = Sequence[Tensor]
"""What the causal layers remember between two chunks, in the order in which the network runs them.

It can be used once: a list is emptied as it is read, and memory is reused, so that the old state does not lie
beside the new one.
"""


class Tape:
    """One chunk's run through a causal network: reads the last chunk's state, writes the next one's."""

    def __init__(self, state: State | None) -> None:
        self.first = state is None
        self._past = state if isinstance(state, list) else list(state or ())
        self._next: list[Tensor] = []

    def recall(self) -> Tensor:
        """What this layer remembered of the chunk before; only where `first` is false."""
        return self._past.pop(0)

    def remember(self, frames: Tensor) -> None:
        """Keep this layer's last frames for the next chunk (a copy: views would hold the whole chunk)."""
        self.keep(frames.clone())

    def keep(self, own: Tensor) -> None:
        """Keep a tensor that is nobody else's, as it is."""
        self._next.append(own)

    @property
    def state(self) -> State:
        """The state after the chunk."""
        return self._next


def run_in_pieces(
    network: Callable[[Tensor, Tape], Tensor], x: Tensor, frames: int, state: State | None
) -> tuple[Tensor, State]:
    """Run a causal network over a chunk [B,C,T,H,W]; gives its output and the state after it.

    On a processor, without gradients, in pieces of `frames` frames (the film's first one alone): memory and
    caches then see but one piece, and a piece is as fast as many.
    """
    whole = x.device.type != "cpu" or torch.is_grad_enabled()
    first = 1 if state is None else frames
    pieces = [x] if whole else [x[:, :, :first], *x[:, :, first:].split(frames, dim=2)]
    made = []
    for piece in pieces:
        if piece.shape[2]:
            tape = Tape(state)
            made.append(network(piece, tape))
            state = tape.state
    return torch.cat(made, dim=2) if len(made) > 1 else made[0], state


def with_past(x: Tensor, frames: int, tape: Tape) -> Tensor:
    """Prepend the `frames` frames before the chunk, zeros at the start of the film: [B,C,frames+T,H,W]."""
    past = x.new_zeros(*x.shape[:2], frames, *x.shape[3:]) if tape.first else tape.recall()
    x = torch.cat([past, x], dim=2)
    tape.remember(x[:, :, -frames:])
    return x


def causal_conv3d(operations: Any, channels: int, out: int, kernel: tuple[int, int, int]) -> nn.Module:
    """A convolution over [T,H,W] that pads height and width; `causal` pads time with the past."""
    padding = (0, kernel[1] // 2, kernel[2] // 2)
    return operations.Conv3d(channels, out, kernel, padding=padding)


def causal(conv: nn.Module, x: Tensor, tape: Tape) -> Tensor:
    """Apply a `causal_conv3d` to a chunk: [B,C,T,H,W] → [B,C',T,H,W]."""
    frames = conv.kernel_size[0] - 1
    return convolve(conv, with_past(x, frames, tape) if frames else x)


def convolve(conv: nn.Module, x: Tensor) -> Tensor:
    """Apply a convolution, the fast way where there is one."""
    if takes_fast_path(conv, x):
        weight = weights_channels_last(conv.weight)
        return convolution(x, weight, conv.bias, padding=conv.padding, stride=conv.stride)
    return conv(x)


class RMSNorm(nn.Module):
    """Divide by the root mean square over the channels, times a learned gain (Zhang & Sennrich 2019).

    Args:
        channels: C.
        dims: number of axes behind the channels: 3 for [B,C,T,H,W], 2 for [B,C,H,W].
    """

    def __init__(self, channels: int, dims: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels, *[1] * dims))

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.gamma)


def normed(
    norm: RMSNorm,
    silu: nn.SiLU,
    conv: nn.Module,
    x: Tensor,
    tape: Tape,
    *,
    residual: Tensor | None = None,
    overwrite: bool = False,
) -> Tensor:
    """Norm, SiLU and a causal 3×3×3 convolution, plus `residual`: [B,C,T,H,W] → [B,C',T,H,W].

    Args:
        overwrite: nobody needs x again; its memory may take the result.
    """
    if not takes_fast_path(conv, x):
        h = causal(conv, silu(norm(x)), tape)
        return h if residual is None else residual + h
    past = None if tape.first else tape.recall()
    h, kept = norm_silu_conv3d(
        x, past, norm.gamma, conv.weight, conv.bias, residual=residual, overwrite=overwrite
    )
    tape.keep(kept)
    return h


def takes_fast_path(layer: nn.Module, x: Tensor) -> bool:
    """Whether kernels may compute a convolution from its weights, in place of calling the layer.

    They may not where the layer is of a class that casts or patches its weights at every call.
    """
    hooked = getattr(layer, "comfy_cast_weights", False) or getattr(layer, "weight_function", ())
    own = isinstance(layer, (nn.Conv2d, nn.Conv3d))
    return own and not hooked and refusal(x, layer.weight) is None


class ResidualBlock(nn.Module):
    """Norm, SiLU and causal 3×3×3 convolution, twice, around a skip: [B,C,T,H,W] → [B,C',T,H,W]."""

    def __init__(self, channels: int, out: int, operations: Any) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            RMSNorm(channels, 3),
            nn.SiLU(),
            causal_conv3d(operations, channels, out, (3, 3, 3)),
            RMSNorm(out, 3),
            nn.SiLU(),
            nn.Identity(),  # where the published code has its dropout: keeps the key names
            causal_conv3d(operations, out, out, (3, 3, 3)),
        )
        same = channels == out
        self.shortcut = nn.Identity() if same else causal_conv3d(operations, channels, out, (1, 1, 1))

    def forward(self, x: Tensor, tape: Tape) -> Tensor:
        norm1, silu, conv1, norm2, _, _, conv2 = self.residual
        h = normed(norm1, silu, conv1, x, tape)
        return normed(norm2, silu, conv2, h, tape, residual=self._skip(x), overwrite=True)

    def _skip(self, x: Tensor) -> Tensor:
        return x if isinstance(self.shortcut, nn.Identity) else convolve(self.shortcut, x)


class FrameAttention(nn.Module):
    """Single-head self-attention among the pixels of each frame: [B,C,T,H,W] → [B,C,T,H,W]."""

    def __init__(self, channels: int, operations: Any) -> None:
        super().__init__()
        self.norm = RMSNorm(channels, 2)
        self.to_qkv = operations.Conv2d(channels, channels * 3, 1)
        self.proj = operations.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        b, c, t, h, w = x.shape
        frames = x.transpose(1, 2).reshape(b * t, c, h, w)
        qkv = convolve(self.to_qkv, self.norm(frames)).flatten(2)  # [B·T, 3C, H·W]
        query, key, value = qkv.transpose(1, 2).chunk(3, dim=-1)  # each [B·T, H·W, C]
        seen = F.scaled_dot_product_attention(query[:, None], key[:, None], value[:, None])[:, 0]
        seen = convolve(self.proj, seen.transpose(1, 2).reshape(b * t, c, h, w))
        return x + seen.reshape(b, t, c, h, w).transpose(1, 2)


def per_frame(layer: nn.Module, x: Tensor) -> Tensor:
    """Apply a layer for pictures to every frame: [B,C,T,H,W] → [B,C',T,H',W']."""
    b, _, t = x.shape[:3]
    y = layer(x.transpose(1, 2).flatten(0, 1))  # [B·T, C', H', W']
    return y.unflatten(0, (b, t)).transpose(1, 2)
