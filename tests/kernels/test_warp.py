"""Warping: the sampler against four neighbours by hand, and flows whose result is known."""

from __future__ import annotations

import pytest
import torch
from kinograph.kernels.warp import dispatch, naive, sampled
from torch import Tensor


def every(length: int) -> Tensor:
    return torch.arange(length, dtype=torch.float32)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (5, 1), (12, 17)])
@pytest.mark.parametrize("reach", [0.4, 3.0, 100.0])
def test_the_sampler_equals_four_neighbours_by_hand(height: int, width: int, reach: float) -> None:
    torch.manual_seed(height)
    x, flow = torch.rand(2, 3, height, width), (torch.rand(2, 2, height, width) - 0.5) * reach
    truth = naive.warp(x, flow, every(height), every(width))
    assert torch.allclose(sampled.warp(x, flow, every(height), every(width)), truth, atol=1e-5)


def test_a_whole_pixels_flow_shifts_the_picture_and_repeats_its_border() -> None:
    x = torch.rand(1, 2, 6, 8)
    flow = torch.tensor([3.0, -1.0]).view(1, 2, 1, 1).expand(1, 2, 6, 8)
    rows = (torch.arange(6) - 1).clamp(min=0)
    columns = (torch.arange(8) + 3).clamp(max=7)
    for way in (naive, sampled):
        made = way.warp(x, flow, every(6), every(8))
        assert torch.allclose(made, x[:, :, rows][:, :, :, columns], atol=1e-6)


def test_some_pixels_are_those_of_the_whole() -> None:
    torch.manual_seed(0)
    x, flow = torch.rand(2, 3, 16, 24), torch.randn(2, 2, 16, 24)
    rows, columns = torch.tensor([1, 2, 13, 14]), torch.tensor([5, 6, 20])
    whole = dispatch.warp(x, flow)[:, :, rows][:, :, :, columns]
    some = dispatch.warp(x, flow[:, :, rows][:, :, :, columns], rows.float(), columns.float())
    assert torch.allclose(some, whole, atol=1e-6)


@pytest.mark.parametrize("way", [naive, sampled])
def test_gradients_reach_the_picture_and_the_flow(way) -> None:
    torch.manual_seed(0)
    x = torch.rand(1, 2, 5, 6, dtype=torch.float32, requires_grad=True)
    flow = (torch.rand(1, 2, 5, 6) * 0.5 + 0.2).requires_grad_()
    way.warp(x, flow, every(5), every(6)).square().sum().backward()
    nudged = flow.detach().clone()
    nudged[0, 0, 2, 2] += 1e-2
    with torch.no_grad():
        before = way.warp(x, flow, every(5), every(6)).square().sum()
        slope = (way.warp(x, nudged, every(5), every(6)).square().sum() - before) / 1e-2
    assert x.grad.abs().sum() > 0
    assert flow.grad[0, 0, 2, 2] == pytest.approx(slope.item(), rel=0.05, abs=1e-3)


def test_half_precision_pictures_are_warped_in_float32() -> None:
    x = torch.rand(1, 1, 4, 4).bfloat16()
    assert dispatch.warp(x, torch.zeros(1, 2, 4, 4)).dtype == torch.float32


def test_metal_takes_the_reference_for_its_sampler_knows_no_borders() -> None:
    assert dispatch.path(torch.empty(1, device="meta")) is sampled
    assert dispatch.path(_On("mps")) is naive


class _On:
    """A picture on a device that this machine may lack."""

    def __init__(self, device: str) -> None:
        self.device = torch.device(device)
