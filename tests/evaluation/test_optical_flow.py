"""Optical flow against the true motion of procedural clips."""

from __future__ import annotations

import pytest
import torch
from kinograph.nodes.evaluation.optical_flow import optical_flow
from torch.nn import functional as F


@pytest.fixture
def texture() -> torch.Tensor:
    """A picture [1,3,240,320] with fine and coarse detail everywhere."""
    generator = torch.Generator().manual_seed(0)
    layers = [torch.rand(1, 3, 240 // cell, 320 // cell, generator=generator) for cell in (4, 16, 40)]
    return torch.stack([F.interpolate(layer, (240, 320), mode="bicubic") for layer in layers]).mean(dim=0)


@pytest.mark.parametrize(("right", "down"), [(0, 0), (3, 0), (-2, 5), (11, -7)])
def test_a_shifted_picture_moves_by_its_shift(texture, right, down):
    first = texture[..., 40:200, 40:280]
    second = texture[..., 40 - down : 200 - down, 40 - right : 280 - right]
    flow = optical_flow(first, second)[0, :, 20:-20, 20:-20]
    expected = torch.tensor([right, down]).float().view(2, 1, 1)
    assert (flow - expected).norm(dim=0).mean() < 0.1


def test_where_nothing_is_to_be_seen_nothing_moves():
    grey = torch.full((1, 3, 40, 50), 0.5)
    assert optical_flow(grey, grey + 0.1).abs().max() < 1e-3


def test_pictures_of_a_batch_are_independent(texture):
    first = torch.cat([texture, texture.flip(-1)])[..., :64, :80]
    second = first.roll(2, -1)
    both = optical_flow(first, second)
    torch.testing.assert_close(both[1:], optical_flow(first[1:], second[1:]), atol=1e-3, rtol=1e-3)
