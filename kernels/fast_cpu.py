"""Where the processor's fast paths may be taken."""

from __future__ import annotations

import torch
from torch import Tensor


def refusal(x: Tensor, weight: Tensor) -> str | None:
    """Why only plain PyTorch will do, or None where the processor's fast paths may be taken."""
    device = x.device.type
    if torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad):
        return "gradients are wanted"
    if device != "cpu":
        return f"{device} is fast as it is"
    if torch.is_autocast_enabled(device):
        return "autocast chooses the types"
    if (x.device, x.dtype) != (weight.device, weight.dtype):
        return f"the weights are {weight.dtype} on {weight.device}"
    if x.dtype not in (torch.float32, torch.bfloat16):
        return f"{x.dtype} has no fast path here"
    if not torch.backends.mkldnn.is_available():
        return "this PyTorch has no oneDNN"
    if x.dtype == torch.bfloat16 and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return "this processor has no bfloat16 instructions"
    return None
