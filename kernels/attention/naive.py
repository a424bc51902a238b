"""Attention as it is written down: the readable reference.

Shapes: B batch, H heads, S queries, L keys, D channels of a head.
"""

from __future__ import annotations

from torch import Tensor

from .block_mask import BlockMask


def attend(query: Tensor, key: Tensor, value: Tensor, scale: float | None = None) -> Tensor:
    """Mean of the values, weighted by the softmax of scaled products (Vaswani et al. 2017), in float32.

    Args:
        query: [B,H,S,D]. key, value: [B,H,L,D].
        scale: of the products; 1/√D when None.

    Returns:
        [B,H,S,D] in the query's dtype.
    """
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    logits = (query.float() * scale) @ key.float().transpose(-2, -1)  # [B,H,S,L]
    return (logits.softmax(dim=-1) @ value.float()).to(query.dtype)


def attend_blocks(
    query: Tensor, key: Tensor, value: Tensor, mask: BlockMask, scale: float | None = None
) -> Tensor:
    """The same over the pairs that a mask allows; every pair is written out.

    Args:
        query: [B,H,S,D]. key, value: [B,H,L,D]; sorted, where the mask has an order.

    Returns:
        [B,H,S,D] in the query's dtype.
    """
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    allowed = mask.allowed(query.device)  # [G,S,L]
    allowed = allowed.unflatten(0, query.shape[:2]) if len(allowed) > 1 else allowed
    logits = (query.float() * scale) @ key.float().transpose(-2, -1)  # [B,H,S,L]
    weights = logits.masked_fill(~allowed, float("-inf")).softmax(dim=-1)
    return (weights @ value.float()).to(query.dtype)
