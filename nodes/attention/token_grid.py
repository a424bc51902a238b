"""The tokens of a video transformer's forward: a grid over time, height and width, and what stands beside it.

Shapes: T latent frames, h × w patches of a frame, P = h·w; S tokens in all.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class TokenGrid:
    """How the tokens of one clip lie in their sequence: frame after frame, row after row.

    Attributes:
        frames, rows, columns: patches over time, height and width.
        before, after: tokens of text or of reference frames before and after them.
    """

    frames: int
    rows: int
    columns: int
    before: int = 0
    after: int = 0

    @property
    def frame_tokens(self) -> int:
        return self.rows * self.columns

    @property
    def video(self) -> int:
        return self.frames * self.frame_tokens

    @property
    def tokens(self) -> int:
        return self.before + self.video + self.after

    def places(self) -> Tensor:
        """Frame, row and column of each video token: int64 [T·P,3]."""
        axes = (torch.arange(size) for size in (self.frames, self.rows, self.columns))
        return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flatten(0, 2)


@dataclass(frozen=True, eq=False)
class Partition:
    """The tokens of a grid sorted into boxes of time × height × width; those beside it are a box each side.

    Attributes:
        order: int64 [S], the token at each place once they are sorted.
        edges: int64 [boxes + 1], where each box begins in that order.
        boxes: int64 [boxes, 3], each one's number along time, height and width; −1 beside the grid.
        counts: how many boxes along each.
    """

    order: Tensor
    edges: Tensor
    boxes: Tensor
    counts: tuple[int, int, int]


def boxes_of(grid: TokenGrid, size: tuple[int, int, int]) -> Partition:
    """Cut a grid into boxes of at most this size; the last along each axis may be smaller.

    Args:
        size: frames, rows and columns of a box; 0 takes the whole axis.
    """
    axes = (grid.frames, grid.rows, grid.columns)
    size = tuple(min(one or axis, axis) for one, axis in zip(size, axes, strict=True))
    counts = tuple(math.ceil(axis / one) for axis, one in zip(axes, size, strict=True))
    numbers = grid.places() // torch.tensor(size)  # [T·P,3]
    which = (numbers[:, 0] * counts[1] + numbers[:, 1]) * counts[2] + numbers[:, 2]
    order, sizes = which.argsort(stable=True), which.bincount()
    boxes = torch.tensor(list(itertools.product(*map(range, counts))))
    beside = torch.full((1, 3), -1)
    if grid.before:
        order = torch.cat([torch.arange(grid.before), order + grid.before])
        sizes, boxes = torch.cat([torch.tensor([grid.before]), sizes]), torch.cat([beside, boxes])
    if grid.after:
        order = torch.cat([order, torch.arange(grid.tokens - grid.after, grid.tokens)])
        sizes, boxes = torch.cat([sizes, torch.tensor([grid.after])]), torch.cat([boxes, beside])
    return Partition(order, torch.cat([torch.zeros(1, dtype=torch.int64), sizes.cumsum(0)]), boxes, counts)


def inward_window(count: int, reach: int) -> tuple[Tensor, Tensor]:
    """Windows of 2·reach + 1 neighbours, pushed inward at the borders so that all have as many.

    Returns:
        First and last neighbour of each of `count` places, int64 [count]; all, where the window is wider.
    """
    width = min(2 * reach + 1, count)
    first = (torch.arange(count) - reach).clamp(0, count - width)
    return first, first + width - 1
