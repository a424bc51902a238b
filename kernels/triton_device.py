"""Where Triton's kernels can run."""

from __future__ import annotations

import os
from functools import lru_cache
from importlib.util import find_spec

import torch

LEAST_CAPABILITY = (8, 0)
"""Of a GPU: Ampere, the first with bfloat16."""


def refusal(device: torch.device) -> str | None:
    """Why no kernel can run there; None where one can."""
    if not _installed():
        return "triton is not installed"
    if interpreted():
        return (
            None if device.type in ("cpu", "cuda") else f"Triton's interpreter does not reach {device.type}"
        )
    if device.type == "cpu":
        return "Triton has no kernels for a processor (only an interpreter for tests, TRITON_INTERPRET=1)"
    if device.type != "cuda":
        return f"the kernel was written for CUDA, not for {device.type}"
    capability = torch.cuda.get_device_capability(device)
    if capability < LEAST_CAPABILITY:
        return f"it needs a GPU of compute capability {LEAST_CAPABILITY}, and this one has {capability}"
    return None


@lru_cache(maxsize=1)
def _installed() -> bool:
    return find_spec("triton") is not None


def interpreted() -> bool:
    """Kernels run in Triton's interpreter, which must be asked for before Triton is imported."""
    return os.environ.get("TRITON_INTERPRET") == "1"
