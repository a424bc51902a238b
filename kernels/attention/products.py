"""Attention as two batched products, for training in bfloat16 on a processor.

PyTorch's fused attention is slow there, above all its gradient: at a few hundred tokens it takes three to
four times as long as these products. The logits are bfloat16 and all kept: for training small networks only.
"""

from __future__ import annotations

import torch
from torch import Tensor

MOST_LOGITS = 1 << 24
"""B·H·S·L up to which they are kept: 32 MB."""


def refusal(query: Tensor, key: Tensor) -> str | None:
    """Why not to take it; None where it pays."""
    if query.device.type != "cpu":
        return f"fused attention is fast on {query.device.type}"
    if not (torch.is_grad_enabled() and (query.requires_grad or key.requires_grad)):
        return "no gradients are wanted, and fused attention is the more exact"
    if query.dtype != torch.bfloat16:
        return f"fused attention is as fast in {query.dtype}"
    logits = query.shape[:-1].numel() * key.shape[-2]
    if logits > MOST_LOGITS:
        return f"{logits} logits are too many to keep"
    return None


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """query [B,H,S,D], key and value [B,H,L,D] → [B,H,S,D], all of one dtype."""
    with torch.autocast(query.device.type, enabled=False):  # it would widen the weights to float32
        logits = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)  # [B,H,S,L]
        return logits.softmax(dim=-1) @ value
