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


def computes_bfloat16() -> bool:
    """Whether the processor itself multiplies in bfloat16, and faster than in float32.

    oneDNN takes bfloat16 on some processors that have no such instructions, and is slow there.
    """
    if not (torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()):
        return False
    if torch.backends.cpu.get_cpu_capability().startswith("AVX"):
        return any(
            getattr(torch.cpu, probe, bool)()
            for probe in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        )
    return True  # elsewhere oneDNN takes it only where there are instructions for it
