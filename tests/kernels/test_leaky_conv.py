"""A convolution with its activation in one call, and the layout it wants: against PyTorch's plain way."""

from __future__ import annotations

import pytest
import torch
from kinograph.kernels.channels_last import channels_last
from kinograph.kernels.leaky_conv import dispatch, naive, packed

BOUNDS = {torch.float32: 1e-5, torch.bfloat16: 1e-2}


def some(dtype: torch.dtype, groups: int = 1) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    x = torch.randn(2, 8, 10, 14).to(dtype).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(16, 8 // groups, 3, 3).to(dtype).contiguous(memory_format=torch.channels_last)
    return x, weight, torch.randn(16).to(dtype)


@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize(("stride", "groups"), [(1, 1), (2, 1), (1, 2)])
@torch.no_grad()
def test_one_call_equals_two(dtype: torch.dtype, stride: int, groups: int) -> None:
    x, weight, bias = some(dtype, groups)
    if dispatch.path(x, weight) is naive:
        pytest.skip("this processor or PyTorch has no such call")
    truth = naive.leaky_conv2d(x.float(), weight.float(), bias.float(), stride, groups)
    made = packed.leaky_conv2d(x, weight, bias, stride, groups)
    assert made.shape == truth.shape and made.dtype == dtype
    assert (made.float() - truth).norm() <= BOUNDS[dtype] * truth.norm()


@torch.no_grad()
def test_weights_laid_out_for_one_size_serve_another() -> None:
    x, weight, bias = some(torch.float32)
    larger = torch.randn(1, 8, 33, 21).contiguous(memory_format=torch.channels_last)
    dispatch.leaky_conv2d(x, weight, bias)
    truth = naive.leaky_conv2d(larger, weight, bias)
    assert torch.allclose(dispatch.leaky_conv2d(larger, weight, bias), truth, atol=1e-4)


@torch.no_grad()
def test_changed_weights_are_laid_out_again() -> None:
    x, weight, bias = some(torch.float32)
    before = dispatch.leaky_conv2d(x, weight, bias)
    weight.mul_(2)
    after = dispatch.leaky_conv2d(x, weight, bias)
    assert torch.allclose(after, naive.leaky_conv2d(x, weight, bias), atol=1e-4)
    assert not torch.allclose(after, before)


def test_the_plain_way_is_taken_for_gradients_and_other_layouts() -> None:
    x, weight, _ = some(torch.float32)
    assert dispatch.path(x, weight.clone().requires_grad_()) is naive
    assert dispatch.path(x.contiguous(), weight) is naive


@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize("shape", [(1, 5, 3, 4), (3, 12, 8, 10), (2, 1, 4, 4)])
@torch.no_grad()
def test_channels_last_changes_the_layout_and_no_number(dtype: torch.dtype, shape: tuple) -> None:
    x = torch.randn(shape).to(dtype)
    made = channels_last(x)
    assert torch.equal(made, x)
    assert made.is_contiguous(memory_format=torch.channels_last)
    part = x.repeat(1, 2, 1, 1)[:, 1 : 1 + shape[1]]
    assert torch.equal(channels_last(part), part)
