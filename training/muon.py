"""Muon (Jordan et al. 2024): momentum steps whose matrices are made orthogonal."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic that drives every singular value towards 1 (Jordan et al. 2024)."""


def orthogonalised(matrix: Tensor, rounds: int = 5) -> Tensor:
    """[M,N] → [M,N] with the same singular vectors and singular values near 1.

    The Newton–Schulz iteration runs on the small Gram matrix, and meets the large side but twice.
    """
    if matrix.shape[0] > matrix.shape[1]:
        return orthogonalised(matrix.T, rounds).T
    a, b, c = COEFFICIENTS
    x = matrix / matrix.norm().clamp_min(1e-7)
    gram = x @ x.T  # [M, M]
    identity = torch.eye(len(x), dtype=x.dtype, device=x.device)
    product = identity
    for _ in range(rounds):
        factor = a * identity + b * gram + c * gram @ gram
        product = factor @ product
        gram = factor @ gram @ factor
    return product @ x


class Muon(Optimizer):
    """Muon for weights of two axes or more; convolutions count as [out, in·kernel].

    Args:
        rate: step length: the change's singular values, for a matrix that is wider than high.
        momentum: of the gradients' moving average, with Nesterov's look ahead.
    """

    def __init__(self, parameters: Iterable[Tensor], rate: float = 0.01, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": rate, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group["lr"], group["momentum"])

    def _update(self, parameter: Tensor, rate: float, momentum: float) -> None:
        state = self.state[parameter]
        if not state:
            state["average"] = torch.zeros_like(parameter)
        average = state["average"].lerp_(parameter.grad, 1 - momentum)
        change = orthogonalised(parameter.grad.lerp(average, momentum).flatten(1))
        height, width = change.shape
        parameter.sub_(change.view_as(parameter), alpha=rate * max(1.0, height / width) ** 0.5)
