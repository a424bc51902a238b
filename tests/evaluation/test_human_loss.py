"""The human-aware terms, with networks that read what they judge off the picture."""

from __future__ import annotations

import pytest
import torch
from kinograph.nodes.evaluation.human_loss import HumanAwareLoss, dice_loss, focal_loss
from torch import nn
from torch.nn import functional as F


class RedThings(nn.Module):
    """Segments: a logit of how red each pixel is, over a learned threshold."""

    def __init__(self) -> None:
        super().__init__()
        self.threshold = nn.Parameter(torch.tensor(0.7))
        self.drop = nn.Dropout(0.5)
        self.calls = 0

    def forward(self, frames):
        self.calls += 1
        return self.drop(12 * (frames[:, :1] - frames[:, 1:2] - self.threshold))


class Corners(nn.Module):
    """Heatmaps: where red begins, at half the size."""

    def forward(self, frames):
        red = F.avg_pool2d(frames[:, :1] - frames[:, 1:2], 2)
        return F.pad(red.diff(dim=-1).abs(), (0, 1))


@pytest.fixture
def frames() -> torch.Tensor:
    """A red person before grey noise: [2,3,32,32]."""
    grey = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0)).expand(-1, 3, -1, -1).clone()
    grey[:, :, 8:24, 10:18] = torch.tensor([1.0, 0.1, 0.1]).view(3, 1, 1)
    return grey


@pytest.fixture
def loss() -> HumanAwareLoss:
    return HumanAwareLoss(RedThings(), Corners())


def test_equal_frames_cost_exactly_nothing(loss, frames):
    assert [term.item() for term in loss(frames, frames)] == [0, 0]


def test_the_interpolated_frame_gets_a_gradient_and_the_networks_none(loss, frames):
    made = (frames + 0.05 * torch.randn(frames.shape, generator=torch.Generator().manual_seed(1))).clamp(0, 1)
    made.requires_grad_()
    sum(loss(made, frames)).backward()
    assert made.grad.abs().sum() > 0
    assert loss.segmenter.threshold.grad is None


def test_a_trainer_cannot_set_the_networks_training(loss, frames):
    nn.ModuleList([loss]).train()
    assert not loss.segmenter.drop.training
    assert loss(frames, frames).segmentation.item() == 0


def test_an_error_on_a_person_costs_more_than_the_same_behind(loss, frames):
    noise = torch.randn(2, 1, 16, 8, generator=torch.Generator().manual_seed(2)).expand(-1, 3, -1, -1) * 0.2
    noise = noise * torch.tensor([-1.0, 1.0, 1.0]).view(3, 1, 1)
    on, behind = frames.clone(), frames.clone()
    on[:, :, 8:24, 10:18] += noise
    behind[:, :, 8:24, 20:28] += noise
    assert loss(on, frames).segmentation > 2 * loss(behind, frames).segmentation


def test_a_limb_out_of_place_costs_keypoints(loss, frames):
    moved = frames.clone()
    moved[:, :, 8:24] = moved[:, :, 8:24].roll(4, -1)
    assert loss(moved, frames).keypoints > 0


@pytest.mark.parametrize("weights", [{"segmentation": 0.0, "keypoints": 0.0}, None])
def test_terms_of_no_weight_leave_a_loss_as_it_was(frames, weights):
    segmenter = RedThings()
    silent = HumanAwareLoss(segmenter, Corners(), **weights) if weights else HumanAwareLoss(None, None)
    own = (frames - 0.1).square().mean()
    assert own + sum(silent(frames - 0.1, frames)) == own and segmenter.calls == 0


def test_for_segments_of_zeros_and_ones_they_are_the_plain_losses():
    generator = torch.Generator().manual_seed(3)
    logits, wanted = torch.randn(2, 3, 4, 5, generator=generator), torch.rand(2, 3, 4, 5, generator=generator)
    wanted = wanted.round()
    right = torch.where(wanted > 0, logits.sigmoid(), 1 - logits.sigmoid())
    plain = torch.where(wanted > 0, 0.25, 0.75) * (1 - right) ** 2 * -right.log()
    torch.testing.assert_close(focal_loss(logits, wanted), plain.mean())
    other = torch.rand(2, 3, 4, 5, generator=generator).round()
    shared, sizes = (other * wanted).sum(dim=(2, 3)), (other + wanted).sum(dim=(2, 3))
    torch.testing.assert_close(dice_loss(other, wanted), (1 - (2 * shared + 1) / (sizes + 1)).mean())
