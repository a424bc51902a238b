"""Attention as it is written down: the readable reference.

Shapes: B batch, H heads, S queries, L keys, D channels of a head.
"""

from __future__ import annotations

from torch import Tensor


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
