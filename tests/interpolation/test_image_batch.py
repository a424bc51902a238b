"""Images with more in between."""

from __future__ import annotations

import pytest
import torch
from kinograph.nodes.interpolation.nodes_frames import KinoInterpolateFrames

SETTINGS = {
    "factor": 2,
    "count": 0,
    "cut_threshold": 10.0,
    "longest_hold": 4,
    "scale": "auto",
    "memory_limit": 0,
}


def interpolated(model, images, **settings):
    return KinoInterpolateFrames.execute(model, images, **{**SETTINGS, **settings}).args


@pytest.fixture
def ramp() -> torch.Tensor:
    """Five images [5, 6, 8, 3], each 0.02 brighter, with noise that no 8 bits hold."""
    noise = torch.rand(1, 6, 8, 3, generator=torch.Generator().manual_seed(0)) / 3
    return noise + torch.arange(5)[:, None, None, None] * 0.1


@pytest.mark.parametrize("factor", [1, 2, 3, 7])
def test_given_images_stay_bit_by_bit_and_others_lie_between(interp_model, ramp, factor):
    images, count, _ = interpolated(interp_model, ramp, factor=factor)
    assert count == len(images) == 4 * factor + 1
    assert torch.equal(images[::factor], ramp)
    steps = torch.arange(count)[:, None, None, None] / factor
    torch.testing.assert_close(images, ramp[:1] + steps * 0.1)


@pytest.mark.parametrize("count", [1, 2, 4, 5, 12])
def test_any_number_of_images_from_the_first_to_the_last(interp_model, ramp, count):
    images, told, _ = interpolated(interp_model, ramp, count=count)
    assert told == len(images) == count
    assert torch.equal(images[0], ramp[0])
    steps = torch.linspace(0, 4 if count > 1 else 0, count)[:, None, None, None]
    torch.testing.assert_close(images, ramp[:1] + steps * 0.1)


@pytest.mark.parametrize(("settings", "count"), [({}, 1), ({"count": 3}, 3)])
def test_one_image_is_all_there_is(interp_model, ramp, settings, count):
    images, _, _ = interpolated(interp_model, ramp[:1], **settings)
    assert torch.equal(images, ramp[:1].expand(count, -1, -1, -1))


def test_transparency_goes_along(interp_model):
    images = torch.zeros(2, 8, 8, 4)
    images[0], images[1] = torch.tensor([0.8, 0.4, 0.2, 1.0]), torch.tensor([0.8, 0.4, 0.2, 0.5])
    made, _, _ = interpolated(interp_model, images, cut_threshold=0.0)
    torch.testing.assert_close(made[1], torch.tensor([0.8, 0.4, 0.2, 0.75]).expand(8, 8, 4))


def test_cuts_and_repeats_are_told(interp_model, ball_picture):
    steps = [(0, 0), (0, 0), (1, 0), (1, 0), (2, 0), (0, 1), (1, 1)]
    images = torch.stack([torch.from_numpy(ball_picture(12 * step, scene)) for step, scene in steps]) / 255
    made, _, report = interpolated(interp_model, images)
    assert torch.equal(made[9], images[4])
    torch.testing.assert_close(made[2], (images[0] + images[2]) / 2)
    assert "Scenes begin at 0:05.000: nothing was interpolated across." in report
    assert "2 frames only repeated the one before and gave way to motion" in report


def test_images_larger_than_what_is_looked_at(interp_model):
    images = torch.rand(1, 40, 600, 3, generator=torch.Generator().manual_seed(3)) * torch.ones(2, 1, 1, 1)
    images[1] *= 0.9
    made, _, _ = interpolated(interp_model, images)
    torch.testing.assert_close(made[1], images.mean(0))
