"""Values to scan, how far a scan is off, and how much work it takes."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


def scan_inputs(
    batch: int, tokens: int, groups: int, channels: int, states: int, seed: int = 0
) -> tuple[Tensor, ...]:
    """x, Δ, A, B, C and a first state, of the sizes that trained networks have."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(batch, tokens, groups, channels, generator=generator)
    delta = torch.nn.functional.softplus(torch.randn(x.shape, generator=generator) * 2 - 2)
    a = -torch.exp(torch.rand(groups, states, channels, generator=generator) * math.log(16))
    b, c = (torch.randn(batch, tokens, groups, states, generator=generator) for _ in range(2))
    return x, delta, a, b, c, torch.randn(batch, groups, states, channels, generator=generator)


def largest_error(made: tuple[Tensor, Tensor], wanted: tuple[Tensor, Tensor]) -> float:
    """Of y and the last state, relative to the largest number that is wanted."""
    return max(
        float((one - other).abs().max() / other.abs().max()) for one, other in zip(made, wanted, strict=True)
    )


class Work(TorchDispatchMode):
    """Counts the numbers that operations make."""

    numbers = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        self.numbers += sum(x.numel() for x in (made,) if isinstance(x, Tensor))
        return made
