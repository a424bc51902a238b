"""Layers of a transformer as `torch.nn` has them, computed the fastest way for inference.

The module stands where layer classes are asked for (`operations`), as `torch.nn` or ComfyUI's `comfy.ops` do.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import Conv3d, LayerNorm
from torch.nn import functional as F

from .dispatch import linear

__all__ = ["Conv3d", "LayerNorm", "Linear", "RMSNorm"]


class Linear(nn.Linear):
    """`torch.nn.Linear` the way `dispatch.choose` says."""

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight, self.bias)

    def with_gelu(self, x: Tensor) -> Tensor:
        """GELU (its tanh form) of what the layer makes, hooks included."""
        if self._forward_hooks or self._forward_pre_hooks:
            return F.gelu(self(x), approximate="tanh")
        return linear(x, self.weight, self.bias, gelu=True)


class RMSNorm(nn.RMSNorm):
    """`torch.nn.RMSNorm`, whose result is float32 in any case: what follows computes in it anyway."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.float()
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)  # reads x once, and makes no copy of it
        return x * (norm.square() / x.shape[-1] + self.eps).rsqrt() * self.weight
