"""Gates: which boxes of keys are worth looking at, told by the means of queries and keys.

Shapes: B batch, H heads, S tokens, D channels of a head; R blocks of queries, C boxes of keys.
"""

from __future__ import annotations

import torch
from torch import Tensor


def segments_of(edges: Tensor, order: Tensor | None = None) -> Tensor:
    """The block each token belongs to, int64 [S], before the tokens are sorted."""
    numbers = torch.arange(len(edges) - 1).repeat_interleave(edges.diff())
    if order is None:
        return numbers
    return torch.empty_like(numbers).index_copy_(0, order, numbers)


def block_means(x: Tensor, segments: Tensor, blocks: int) -> Tensor:
    """Means of x [B,H,S,D] over the tokens of each block: float32 [B,H,blocks,D]."""
    sums = x.new_zeros(*x.shape[:2], blocks, x.shape[-1], dtype=torch.float32)
    sums.index_add_(2, segments.to(x.device), x.float())
    return sums / segments.bincount(minlength=blocks).to(x.device)[:, None]


def best_of_each(scores: Tensor, count: int) -> Tensor:
    """The `count` greatest of every row of [B,H,R,C]: bool."""
    best = scores.topk(min(count, scores.shape[-1]), dim=-1).indices
    return torch.zeros_like(scores, dtype=torch.bool).scatter_(-1, best, True)


def best_of_all(scores: Tensor, count: int) -> Tensor:
    """The `count` · R greatest pairs of every head of [B,H,R,C]: bool."""
    flat = best_of_each(scores.flatten(2)[:, :, None], count * scores.shape[2])
    return flat.view(scores.shape)


def until_share(scores: Tensor, share: float) -> Tensor:
    """The fewest pairs of the last axis of [...,N] whose normalised scores add up to a share: bool.

    The least of the axis counts nothing, and equal ones count alike.
    """
    if share >= 1:
        return torch.ones_like(scores, dtype=torch.bool)
    low, high = scores.amin(dim=-1, keepdim=True), scores.amax(dim=-1, keepdim=True)
    scaled = torch.where(high > low, scores - low, 1.0)
    shares = scaled / scaled.sum(dim=-1, keepdim=True)
    ordered, places = shares.sort(dim=-1, descending=True)
    before = ordered.cumsum(dim=-1) - ordered
    return torch.zeros_like(scores, dtype=torch.bool).scatter_(-1, places, before < share)
