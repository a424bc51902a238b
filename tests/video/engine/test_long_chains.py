"""A chain of many steps costs each step once, not a power of two of them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from kinograph.nodes.video.concatenate import Concatenate
from kinograph.nodes.video.constant_rate import ConstantRate
from kinograph.nodes.video.crop import Crop
from kinograph.nodes.video.image_function import ImageFunction
from kinograph.nodes.video.loop import Loop
from kinograph.nodes.video.recipe import Recipe
from kinograph.nodes.video.resize import Resize
from kinograph.nodes.video.reverse import Reverse
from kinograph.nodes.video.speed import Speed
from kinograph.nodes.video.trim import Trim

STEPS: dict[str, Callable[[Recipe, Recipe], Recipe]] = {
    "concatenate": lambda video, other: Concatenate((video, other), Fraction(1, 5)),
    "constant rate": lambda video, other: ConstantRate(video, Fraction(10), "blend"),
    "crop": lambda video, other: Crop(video, 0, 0, video.spec.width, video.spec.height),
    "image function": lambda video, other: ImageFunction(video, lambda images: images, "same"),
    "loop": lambda video, other: Loop(video, 1),
    "resize": lambda video, other: Resize(video, 64, 48),
    "reverse": lambda video, other: Reverse(video),
    "speed": lambda video, other: Speed(video, Fraction(1)),
    "trim": lambda video, other: Trim(video, Fraction(0)),
}


@pytest.fixture
def counted_source(numbered, monkeypatch):
    """A video, and how often it was asked for its facts and its frames."""
    asked = {"spec": 0, "frames": 0}
    spec, frames = numbered.spec.fget, numbered.frames

    def counted_spec(self):
        asked["spec"] += self.count == 11
        return spec(self)

    def counted_frames(self, start=Fraction(0)):
        asked["frames"] += self.count == 11
        return frames(self, start)

    monkeypatch.setattr(numbered, "spec", property(counted_spec))
    monkeypatch.setattr(numbered, "frames", counted_frames)
    return numbered(11), asked


@pytest.mark.parametrize("step", STEPS)
def test_ten_steps_ask_their_source_a_few_times(step, counted_source, numbered):
    video, asked = counted_source
    for _ in range(10):
        video = STEPS[step](video, numbered(5))
    next(video.frames())
    assert video.spec.frame_count >= 11
    assert len(video.fingerprint()) < 2000
    assert asked["spec"] < 100
    assert asked["frames"] < 25


def test_a_chain_of_fifty_steps_plays(numbered, numbers):
    video = numbered(8)
    for _ in range(5):
        video = Resize(Crop(Trim(Reverse(Reverse(video))), 0, 0, 64, 48), 64, 48)
        video = ConstantRate(Speed(Speed(Loop(video, 1), Fraction(2)), Fraction(1, 2)), Fraction(10))
        video = Concatenate((video, numbered(1)))
    assert numbers(video.frames()) == [*range(8), 0, 0, 0, 0, 0]
