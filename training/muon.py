"""Muon (Jordan et al. 2024): momentum steps whose matrices are made orthogonal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic that drives every singular value towards 1 (Jordan et al. 2024)."""
ROUNDS = 5


def orthogonalised(matrices: Tensor) -> Tensor:
    """[N,M,K] → [N,M,K]: the same singular vectors, singular values near 1, by Newton–Schulz iteration."""
    if matrices.shape[1] > matrices.shape[2]:
        return orthogonalised(matrices.mT).mT
    x = matrices / matrices.norm(dim=(1, 2), keepdim=True).clamp_min(1e-7)
    wide = x.shape[2] >= 3 * x.shape[1]
    return _by_gram_matrix(x) if wide else _directly(x.bfloat16()).to(x.dtype)


def _directly(x: Tensor) -> Tensor:
    a, b, c = COEFFICIENTS
    for _ in range(ROUNDS):
        gram = x @ x.mT  # [N,M,M]
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x


def _by_gram_matrix(x: Tensor) -> Tensor:
    """The same on the small Gram matrix, which meets the long side but twice."""
    a, b, c = COEFFICIENTS
    gram = x @ x.mT  # [N,M,M]
    product = identity = torch.eye(x.shape[1], dtype=x.dtype, device=x.device).expand_as(gram)
    for _ in range(ROUNDS):
        factor = a * identity + torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
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
            alike: dict[tuple[int, int], list[Tensor]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike[len(parameter), parameter[0].numel()].append(parameter)
            for parameters in alike.values():
                self._update(parameters, group["lr"], group["momentum"])

    def _update(self, parameters: list[Tensor], rate: float, momentum: float) -> None:
        """A step of parameters of the same height and width, in one stack."""
        ahead = []
        for parameter in parameters:
            state = self.state[parameter]
            if not state:
                state["average"] = torch.zeros_like(parameter)
            average = state["average"].lerp_(parameter.grad, 1 - momentum)
            ahead.append(parameter.grad.lerp(average, momentum).flatten(1))
        changes = orthogonalised(torch.stack(ahead))
        height, width = changes.shape[1:]
        for parameter, change in zip(parameters, changes, strict=True):
            parameter.sub_(change.view_as(parameter), alpha=rate * max(1.0, height / width) ** 0.5)
