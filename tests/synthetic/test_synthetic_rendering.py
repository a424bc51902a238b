"""Painting: anti-aliased, independent of what was painted before, and of size and rate."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kinograph.nodes.synthetic import vocabulary as words
from kinograph.nodes.synthetic.clip import Clip
from kinograph.nodes.synthetic.geometry import Similarity
from kinograph.nodes.synthetic.sampling import ClipOptions, sample_clip
from kinograph.nodes.synthetic.shapes import FIELDS, HULLS
from kinograph.nodes.synthetic.spec import BackgroundSpec, CameraSpec, MotionSpec, ObjectSpec
from kinograph.nodes.synthetic.sprites import Egg, EggSprite
from kinograph.nodes.synthetic.stage import Painter, render_frame
from kinograph.nodes.synthetic.truth import boxes_of, masks_of


@pytest.mark.parametrize("size", [32, 97, 256])
def test_a_circle_covers_its_area_within_a_percent(scene_clip, size):
    for x in (0.0, 0.013, 0.1):
        clip = scene_clip(ObjectSpec("circle", "red", size="large", x=x), size=(size, size))
        area = Clip(clip, 0, 1).masks.visible.sum()
        assert area == pytest.approx(math.pi * (words.SIZES["large"] * size) ** 2, rel=0.01)


def test_the_edge_of_a_shape_is_a_blend_of_its_colour_and_the_background(scene_clip):
    clip = scene_clip(ObjectSpec("circle", "black", size="large", x=0.006), size=(64, 64))
    row = render_frame(clip, 0.0)[32, :, 0].astype(int)
    edge = row[(row > row.min() + 12) & (row < row.max() - 12)]
    assert len(edge) == 2


@pytest.mark.parametrize("kind", words.KINDS)
def test_a_frame_painted_alone_equals_the_same_frame_of_a_sequence(kind):
    for seed in range(4):
        clip = sample_clip(seed, ClipOptions(width=64, height=48, kind=kind, seconds=1.0))
        together = Clip(clip).frames
        for index in (0, 5, clip.frame_count - 1):
            assert np.array_equal(render_frame(clip, clip.frame_time(index)), together[index])


def test_a_frame_does_not_depend_on_what_the_painter_painted_before():
    clip = sample_clip(5, ClipOptions(kind="mixed", seconds=2.0))
    painter = Painter(clip)
    forwards = [painter.frame(time) for time in (0.2, 1.9, 0.2)]
    assert np.array_equal(forwards[0], forwards[2])
    assert not np.array_equal(forwards[0], forwards[1])


def test_the_same_seed_gives_the_same_clip_and_another_seed_another():
    assert sample_clip(11) == sample_clip(11)
    assert len({sample_clip(seed) for seed in range(50)}) == 50


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**64 - 1),
    width=st.integers(32, 200),
    height=st.integers(32, 200),
    fps=st.fractions(1, 120, max_denominator=1001),
    kind=st.sampled_from(words.KINDS),
)
def test_any_size_and_rate_can_be_painted(seed, width, height, fps, kind):
    clip = sample_clip(seed, ClipOptions(width, height, fps, seconds=0.5, kind=kind))
    assert clip.frame_count == max(1, round(0.5 * fps))
    picture = render_frame(clip, clip.frame_time(clip.frame_count - 1))
    assert picture.shape == (height, width, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 1


@pytest.mark.parametrize("seed", range(5))
def test_another_frame_rate_leaves_everything_where_it_is_at_equal_times(seed):
    slow = sample_clip(seed, ClipOptions(fps=Fraction(12), seconds=1.0))
    fast = dataclasses.replace(slow, fps=Fraction(48))
    assert np.array_equal(Clip(slow).tracks.boxes, Clip(fast).tracks.boxes[::4], equal_nan=True)
    assert np.array_equal(render_frame(slow, slow.frame_time(7)), render_frame(fast, fast.frame_time(28)))


def test_a_larger_picture_shows_the_same_scene():
    small = sample_clip(3, ClipOptions(width=96, height=64, cameras=("zoom_in",)))
    large = dataclasses.replace(small, width=384, height=256)
    shrunk = render_frame(large, 0.5).reshape(64, 4, 96, 4, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - render_frame(small, 0.5)).mean() < 3


@pytest.mark.parametrize("shape", words.SHAPES)
def test_a_shape_fills_its_box_and_no_more(scene_clip, shape):
    clip = scene_clip(ObjectSpec(shape, "red", size="large", angle=0.4), size=(200, 200))
    stage = Clip(clip, 0, 1).stages[0]
    rows, columns = np.nonzero(masks_of(stage).visible[0] > 0.02)
    seen = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    assert np.abs(np.array(seen) - boxes_of(stage)[0] * 200).max() < 1.6


def test_every_shape_differs_from_every_other():
    x, y = np.meshgrid(np.linspace(-1.2, 1.2, 64), np.linspace(-1.2, 1.2, 64))
    filled = {shape: FIELDS[shape](x, y) < 0 for shape in words.SHAPES}
    for one in words.SHAPES:
        for other in words.SHAPES[: words.SHAPES.index(one)]:
            both, either = filled[one] & filled[other], filled[one] | filled[other]
            assert both.sum() / either.sum() < 0.95, (one, other)
    assert set(HULLS) == set(words.SHAPES)


def test_the_named_colours_are_clearly_apart():
    colors = list(words.COLORS.values())
    pairs = [(a, b) for index, a in enumerate(colors) for b in colors[:index]]
    assert min(math.dist(a, b) for a, b in pairs) > 0.25


@pytest.mark.parametrize("kind", words.BACKGROUNDS)
def test_a_fine_background_does_not_shimmer(scene_clip, kind):
    clip = scene_clip(
        background=BackgroundSpec(kind, "mist"), camera=CameraSpec("pan_right", 0.2 / 96), size=(96, 96)
    )
    change = np.abs(render_frame(clip, 0.0).astype(int) - render_frame(clip, 1.0)).mean()
    assert change < 4


def test_a_travelling_object_comes_back_on_the_other_side(scene_clip):
    clip = scene_clip(ObjectSpec("circle", "red", motion=MotionSpec("right", speed=0.5)), seconds=6.0)
    centers = Clip(clip).tracks.centers[:, 0, 0]
    assert centers.max() > 1.3
    assert (np.diff(centers) < -1).sum() == 1


@pytest.mark.parametrize("angle", [0.0, 0.3, -1.2, 2.5])
def test_the_box_of_a_turned_egg_is_tight(angle):
    place = Similarity.make(40.0, angle, 100.0, 90.0)
    sprite = EggSprite(place, 0, 1.0, egg=Egg(0.2, -0.1, 0.7, 0.9, 1.4))
    x, y = np.meshgrid(np.arange(200) + 0.5, np.arange(200) + 0.5)
    rows, columns = np.nonzero(sprite.cover(*sprite.local(x, y)) > 0.02)
    seen = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    assert np.abs(np.array(seen) - sprite.box()).max() < 1.2
