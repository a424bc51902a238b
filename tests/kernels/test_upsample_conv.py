"""Doubling and convolution: four small convolutions against the readable way."""

from __future__ import annotations

import pytest
import torch
from kinograph.kernels.upsample_conv import naive, phases


@pytest.mark.parametrize(("pictures", "height", "width"), [(1, 1, 1), (2, 3, 5), (3, 8, 8)])
@torch.no_grad()
def test_four_phases_equal_the_doubled_picture(pictures: int, height: int, width: int) -> None:
    torch.manual_seed(height)
    x = torch.randn(pictures, 6, height, width)
    weight, bias = torch.randn(4, 6, 3, 3), torch.randn(4)
    truth = naive.upsample_conv2d(x, weight, bias)
    made = phases.upsample_conv2d(x, weight, bias)
    assert made.shape == truth.shape
    assert (made - truth).abs().max() <= 1e-5 * truth.abs().max()
