"""Which way a linear layer is computed here, and why.

On some processors (AMD's) PyTorch's float32 product takes a slow path, and oneDNN's is twice as fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ..fast_cpu import refusal
from .probe import measured, onednn_linear

CLEARLY = 0.85
"""oneDNN must take less than this share of PyTorch's time: so that noise does not decide."""
TOLERANCE = 1e-5
"""Greatest relative error of oneDNN's float32 product."""


@dataclass(frozen=True)
class Choice:
    """A way to compute and the reason for it."""

    path: Literal["plain", "onednn"]
    reason: str


def choose(x: Tensor, weight: Tensor) -> Choice:
    """The faster way for x […,I] and weight [O,I]."""
    if reason := refusal(x, weight):
        return Choice("plain", reason)
    if not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return Choice("plain", "this PyTorch has no product of oneDNN's to call")
    if x.dtype == torch.bfloat16:  # PyTorch's own is oneDNN's too, but writes the bias beforehand
        return Choice("onednn", "bias and GELU are added before the product leaves the processor's cache")
    found = measured()
    if found.relative_error > TOLERANCE:
        return Choice("plain", f"oneDNN's product differs by {found.relative_error:.1e}")
    if found.time_ratio > CLEARLY:
        return Choice("plain", f"oneDNN's product takes {found.time_ratio:.2f} of PyTorch's time")
    return Choice("onednn", f"oneDNN's product takes {found.time_ratio:.2f} of PyTorch's time")


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, gelu: bool = False) -> Tensor:
    """x […,I] times weight [O,I], plus bias [O], then GELU (its tanh form) where asked for → […,O]."""
    if choose(x, weight).path == "onednn":
        return onednn_linear(x, weight, bias, gelu=gelu)
    made = F.linear(x, weight, bias)
    return F.gelu(made, approximate="tanh") if gelu else made
