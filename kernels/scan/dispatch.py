"""The one call for the selective scan, and which way it is computed here.

Shapes: B batch, L tokens, G groups, D channels, N numbers of a state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from . import chunked, naive, triton_scan

AUTO = "auto"


class BackendRefused(RuntimeError):
    """The way that was asked for by name cannot compute this here; the message says why."""


@dataclass(frozen=True)
class Backend:
    """One way to compute the scan.

    Attributes:
        compute: as `naive.selective_scan`.
        refusal: (x, a) → why it cannot serve tokens and rates of these shapes there, or None.
        has_gradients: it can be differentiated.
    """

    name: str
    compute: Callable[..., tuple[Tensor, Tensor]]
    refusal: Callable[[Tensor, Tensor], str | None] = lambda x, a: None
    has_gradients: bool = False


@dataclass(frozen=True)
class Choice:
    """The backend taken, and by name why each that comes before it was not."""

    backend: Backend
    refused: dict[str, str] = field(default_factory=dict)


BACKENDS = (
    Backend("triton", triton_scan.selective_scan, triton_scan.refusal),
    Backend("chunked", chunked.selective_scan),
    Backend("naive", naive.selective_scan, has_gradients=True),
)
"""In order of preference; `naive` serves everything."""
NAMES = (AUTO, *(backend.name for backend in BACKENDS))


def choose(x: Tensor, a: Tensor, backend: str = AUTO, *, gradients: bool = False) -> Choice:
    """The first backend that serves tokens x [B,L,G,D] and rates a [G,N,D], or the one asked for by name.

    Args:
        gradients: the result will be differentiated.

    Raises:
        BackendRefused: the one asked for cannot serve them.
    """
    named = BACKENDS if backend == AUTO else (BACKENDS[NAMES.index(backend) - 1],)
    refused: dict[str, str] = {}
    for one in named:
        lacking = "gradients are wanted, and it has none" if gradients and not one.has_gradients else None
        if not (reason := lacking or one.refusal(x, a)):
            return Choice(one, refused)
        refused[one.name] = reason
    raise BackendRefused(f"the scan backend {backend!r} cannot be used here: {refused[backend]}")


def selective_scan(
    x: Tensor,
    delta: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    state: Tensor | None = None,
    backend: str = AUTO,
) -> tuple[Tensor, Tensor]:
    """y and the last state of hₜ = exp(Δₜ A) hₜ₋₁ + Δₜ Bₜ xₜ, yₜ = Σₙ Cₜ hₜ, the way `choose` says.

    Args:
        x: [B,L,G,D]. delta: [B,L,G,D]. a: [G,N,D]. b, c: [B,L,G,N]. state: [B,G,N,D]; zeros when None.

    Returns:
        float32 [B,L,G,D] and [B,G,N,D].
    """
    given = (x, delta, a, b, c) if state is None else (x, delta, a, b, c, state)
    gradients = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in given)
    return choose(x, a, backend, gradients=gradients).backend.compute(x, delta, a, b, c, state)
