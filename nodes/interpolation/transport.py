"""Pairing two sets by optimal transport, where either side may have members without a partner."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def log_transport(scores: Tensor, unmatched: Tensor | float, iterations: int) -> Tensor:
    """Logarithm of how likely each pair belongs together, times M + N.

    Sinkhorn's row and column scalings of exp(scores) with one further row and column, for those that have no
    partner; in logarithms (Cuturi 2013; Sarlin et al. 2020, "SuperGlue").

    Args:
        scores: [B,M,N].
        unmatched: the score of having no partner.
        iterations: of the scaling.

    Returns:
        [B,M+1,N+1].
    """
    batch, rows, columns = scores.shape
    bins = torch.as_tensor(unmatched, dtype=scores.dtype, device=scores.device).reshape(1, 1, 1)
    right, below = bins.expand(batch, rows, 1), bins.expand(batch, 1, columns + 1)
    coupling = torch.cat([torch.cat([scores, right], 2), below], 1)
    total = math.log(rows + columns)
    row_mass = scores.new_full((batch, rows + 1), -total)
    column_mass = scores.new_full((batch, columns + 1), -total)
    row_mass[:, -1] += math.log(columns)
    column_mass[:, -1] += math.log(rows)
    u, v = torch.zeros_like(row_mass), torch.zeros_like(column_mass)
    for _ in range(iterations):
        u = row_mass - torch.logsumexp(coupling + v[:, None], dim=2)
        v = column_mass - torch.logsumexp(coupling + u[..., None], dim=1)
    return coupling + u[..., None] + v[:, None] + total


def shares_both_ways(scores: Tensor, unmatched: float) -> Tensor:
    """How much the members of both sets choose each other: softmax over rows times softmax over columns.

    One pass where transport takes many, and enough where scores are sharp (Sun et al. 2021, "LoFTR").

    Args:
        scores: [M,N].
        unmatched: the score of having no partner.
    """
    none = scores.new_tensor(unmatched)
    rows, columns = (torch.logaddexp(scores.logsumexp(dim=axis, keepdim=True), none) for axis in (1, 0))
    return (2 * scores - rows - columns).exp()


def mutual_matches(scores: Tensor, least: float) -> Tensor:
    """The partner of each row where both prefer each other: int64 [M], -1 where there is none.

    Args:
        scores: [M,N].
        least: a pair's score must be above it.
    """
    rows, columns = scores.shape
    if not rows or not columns:
        return torch.full((rows,), -1, dtype=torch.int64, device=scores.device)
    best = scores.max(dim=1)
    chosen_back = scores.argmax(dim=0)[best.indices]
    mutual = chosen_back == torch.arange(rows, device=scores.device)
    return torch.where(mutual & (best.values > least), best.indices, -1)
