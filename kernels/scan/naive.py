"""The selective scan of state-space models as it is written down: the readable reference.

Each channel keeps a few numbers, its state h, which decay and take in the input at rates that the input
itself sets (S6; Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces", 2023):

    hₜ = exp(Δₜ A) hₜ₋₁ + Δₜ Bₜ xₜ,    yₜ = Σₙ Cₜ hₜ

Shapes: B batch, L tokens, G groups with their own A, B and C, D channels of a group, N numbers of a state.
"""

from __future__ import annotations

import torch
from torch import Tensor


def selective_scan(
    x: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, state: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """One token after the other, in float32.

    Args:
        x: [B,L,G,D], the tokens in order.
        delta: [B,L,G,D], step sizes, not negative.
        a: [G,N,D], rates of decay, negative.
        b, c: [B,L,G,N], how a token is written to the states and read from them.
        state: [B,G,N,D] of the token before the first; zeros when None.

    Returns:
        y float32 [B,L,G,D], and the state after the last token, float32 [B,G,N,D].
    """
    x, delta, a, b, c = (tensor.float() for tensor in (x, delta, a, b, c))
    if state is None:
        state = x.new_zeros(len(x), *a.shape)
    read = []
    for step, token, write, look in zip(*(tensor.unbind(1) for tensor in (delta, x, b, c)), strict=True):
        decay = torch.exp(step.unsqueeze(-2) * a)  # [B,G,N,D]
        state = decay * state + (step * token).unsqueeze(-2) * write.unsqueeze(-1)
        read.append((look.unsqueeze(-1) * state).sum(-2))  # [B,G,D]
    return torch.stack(read, 1), state
