"""How VFIMamba scans two frames as one sequence: their tokens interleaved, in four directions.

Shapes: B pairs, H×W tokens of a frame, L = 2·H·W tokens of a pair, D channels. The 2·B frames of a batch are
all first ones, then all second ones.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ...kernels.scan.dispatch import selective_scan

DIRECTIONS = 4
SEGMENT = 2048
"""Tokens whose projections are kept at a time; the scan's state goes on from one segment to the next."""

Projection = Callable[[Tensor], "tuple[Tensor, Tensor, Tensor]"]
"""Tokens [B,T,4,D] → Δ [B,T,4,D], B and C [B,T,4,N] of the scan."""


def interleaved(frames: Tensor) -> Tensor:
    """[2B,H,W,D] → [B,L,D]: row by row, the first frame's token and then the second's at each place."""
    return torch.stack(frames.chunk(2), 3).flatten(1, 3)


def separated(tokens: Tensor, height: int, width: int) -> Tensor:
    """[B,L,D] → [2B,H,W,D]: the inverse of `interleaved`."""
    return torch.cat(tokens.unflatten(1, (height, width, 2)).unbind(3))


def column_by_column(tokens: Tensor, height: int, width: int) -> Tensor:
    """[B,L,D] of interleaved rows → [B,L,D] of interleaved columns."""
    return tokens.unflatten(1, (height, width, 2)).transpose(1, 2).flatten(1, 3)


def back_from_columns(tokens: Tensor, height: int, width: int) -> Tensor:
    """What was scanned column by column, in the order in which it is added to the scanned rows.

    The published network takes each half of the sequence for the columns of one picture, as if the frames lay
    one after the other and not interleaved. Its weights were trained so: this is not the inverse of
    `column_by_column`.
    """
    return tokens.unflatten(1, (2, width, height)).transpose(2, 3).flatten(1, 3)


def scan_four_ways(
    tokens: Tensor, height: int, width: int, project: Projection, rates: Tensor, skip: Tensor
) -> Tensor:
    """The sum of selective scans along rows and columns, each from the start and from the end.

    Args:
        tokens: [B,L,D], interleaved.
        rates: [4,N,D], of decay, negative: rows, columns, rows from the end, columns from the end.
        skip: [4,D], the share of each token that goes past the scan.

    Returns:
        float32 [B,L,D].
    """
    rows, columns = tokens, column_by_column(tokens, height, width)
    from_rows, from_columns = rows * (skip[0] + skip[2]), columns * (skip[1] + skip[3])
    from_rows, from_columns = from_rows.float(), from_columns.float()
    length, state = tokens.shape[1], None
    for start in range(0, length, SEGMENT):
        ahead = slice(start, min(start + SEGMENT, length))
        behind = slice(length - ahead.stop, length - start)
        four = torch.stack(
            (rows[:, ahead], columns[:, ahead], rows[:, behind].flip(1), columns[:, behind].flip(1)), 2
        )
        delta, write, look = project(four)
        y, state = selective_scan(four, delta, rates, write, look, state)
        from_rows[:, ahead] += y[:, :, 0]
        from_columns[:, ahead] += y[:, :, 1]
        from_rows[:, behind] += y[:, :, 2].flip(1)
        from_columns[:, behind] += y[:, :, 3].flip(1)
    return from_rows + back_from_columns(from_columns, height, width)
