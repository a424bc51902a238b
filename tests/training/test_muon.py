"""The optimiser that makes its steps orthogonal."""

from __future__ import annotations

import pytest
import torch
from kinograph.training.muon import Muon, orthogonalised


@pytest.mark.parametrize("shape", [(16, 16), (8, 40), (40, 8)])
def test_singular_values_come_near_one_and_directions_stay(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1)) + torch.eye(*shape)
    [made] = orthogonalised(matrix[None])
    values = torch.linalg.svdvals(made)
    assert values.min() > 0.5 and values.max() < 1.4
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    turned = u.T @ made @ v.T
    assert (turned - turned.diag().diag()).abs().max() < 0.03  # bfloat16


def test_a_step_is_as_long_as_the_rate_whatever_the_gradient(shape=(6, 30)):
    for size in (1e-4, 1e4):
        weight = torch.nn.Parameter(torch.zeros(shape))
        weight.grad = torch.randn(shape, generator=torch.Generator().manual_seed(2)) * size
        Muon([weight], rate=0.1).step()
        assert 0.05 < torch.linalg.matrix_norm(weight.detach(), 2) < 0.14


def test_it_finds_a_linear_map():
    generator = torch.Generator().manual_seed(3)
    true = torch.randn(8, 12, generator=generator) * 0.3
    weight = torch.nn.Parameter(torch.zeros(8, 12))
    optimizer = Muon([weight], rate=0.1)
    for step in range(200):
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / 200)
        x = torch.randn(12, 64, generator=generator)
        weight.grad = (weight.detach() - true) @ x @ x.T / 64
        optimizer.step()
    assert (weight.detach() - true).abs().max() < 0.02
