"""Streaming layers that may look one frame ahead, and repeat the film's first and last frame at its ends.

Shapes: B batch, C channels, T frames, H height, W width. A layer that looks ahead answers one frame late: it
holds back what it cannot finish and gives it out when the next chunk, or the film's end, comes. A chunk may
therefore come out of a layer shorter than it went in, even empty, and longer at the end.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .causal import State, Tape


def refuse_after_end(state: State | None) -> None:
    """Raise if the chunk before was said to be the film's last."""
    if state == ():
        raise ValueError("the film ended with the chunk before; pass last=False while others follow")


class FilmTape(Tape):
    """A `Tape` that also knows whether the film ends with this chunk."""

    def __init__(self, state: State | None, last: bool) -> None:
        refuse_after_end(state)
        super().__init__(state)
        self.last = last

    @property
    def state(self) -> State:
        """The state after the chunk; empty, and of no further use, after the film's last one."""
        return () if self.last else super().state


class FilmConv3d(nn.Module):
    """A 3×3×3 convolution over [B,C,T,H,W]; at a film's ends its first and last frame go on.

    Args:
        ahead: frames of the future it sees: 0 (causal) or 1 (centred).
        stride: in time, height and width. With 2 in time: an odd number of frames at first, even ones later.
        padding_mode: of height and width, as in `torch.nn.Conv3d`.
    """

    def __init__(
        self,
        channels: int,
        out: int,
        operations: Any,
        *,
        ahead: int = 0,
        stride: tuple[int, int, int] = (1, 1, 1),
        padding_mode: str = "zeros",
    ) -> None:
        super().__init__()
        self.ahead = ahead
        self.conv = operations.Conv3d(
            channels, out, 3, stride=stride, padding=(0, 1, 1), padding_mode=padding_mode
        )

    def forward(self, x: Tensor, tape: FilmTape) -> Tensor:
        return self.with_start(x, tape)[0]

    def with_start(self, x: Tensor, tape: FilmTape) -> tuple[Tensor, bool]:
        """The output, and whether it begins with the film's first frame."""
        kernel, kept = 3, 3 - self.conv.stride[0]
        past = x[:, :, :0] if tape.first else tape.recall()
        seen = torch.cat([past, x], dim=2)
        starts = past.shape[2] < kept  # so far there were too few frames for any to come out
        before = [seen[:, :, :1]] * (kernel - 1 - self.ahead) if starts else []
        behind = [seen[:, :, -1:]] * self.ahead if tape.last else []
        window = torch.cat([*before, seen, *behind], dim=2)
        if window.shape[2] < kernel:
            tape.remember(seen)
            return x.new_empty(x.shape[0], self.conv.out_channels, 0, *x.shape[3:]), starts
        tape.remember(window[:, :, -kept:])
        return self._convolved(window), starts

    def _convolved(self, x: Tensor) -> Tensor:
        """A side of one pixel has no neighbour to reflect: it is its own, which makes it three alike."""
        height, width = x.shape[3:]
        if self.conv.padding_mode != "reflect" or min(height, width) > 1:
            return self.conv(x)
        alike = x.expand(-1, -1, -1, 3 if height == 1 else -1, 3 if width == 1 else -1)
        down, across = (slice(1, 2) if side == 1 else slice(None) for side in (height, width))
        return self.conv(alike)[..., down, across]


def delayed(x: Tensor, frames: int, tape: FilmTape) -> Tensor:
    """The next `frames` frames of a film that waits for a slower branch; the others wait on."""
    waiting = x if tape.first else torch.cat([tape.recall(), x], dim=2)
    tape.remember(waiting[:, :, frames:])
    return waiting[:, :, :frames]
