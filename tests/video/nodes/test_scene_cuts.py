"""Cuts are found where they are, on painted and on real pictures."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from kinograph.nodes.video.content_score import content_scores
from kinograph.nodes.video.methods.adaptive import Adaptive
from kinograph.nodes.video.methods.content import Content
from kinograph.nodes.video.scene_cuts import detection_size, find_scenes
from kinograph.nodes.video.source import FileSource

BIKES_CUTS = [30, 76, 137, 187, 242]
SCENES = [(200, 30, 30), (10, 90, 10), (120, 120, 240)]


def _starts(recipe, method, min_length=Fraction(0)) -> list[int]:
    return [int(scene.start * recipe.spec.fps) for scene in find_scenes(recipe, method, min_length).scenes]


@pytest.mark.parametrize("method", [Adaptive(), Content()])
def test_painted_cuts_are_found_at_their_frames(painted, method):
    recipe = painted(tuple(SCENES[0:1] * 7 + SCENES[1:2] * 12 + SCENES[2:3] * 6))
    found = find_scenes(recipe, method, Fraction(0))
    assert [(scene.start, scene.end) for scene in found.scenes] == [
        (0, Fraction(7, 10)),
        (Fraction(7, 10), Fraction(19, 10)),
        (Fraction(19, 10), Fraction(25, 10)),
    ]
    assert found.dropped == []


def test_a_slow_fade_has_no_cut(painted):
    recipe = painted(tuple((3 * step, 3 * step, 3 * step) for step in range(80)))
    assert _starts(recipe, Adaptive()) == [0]
    assert _starts(recipe, Content()) == [0]


def test_adaptive_ignores_fast_motion_that_content_takes_for_cuts(painted):
    flicker = tuple(SCENES[step % 3] for step in range(30))
    assert _starts(painted(flicker), Adaptive()) == [0]
    assert len(_starts(painted(flicker), Content())) == 30


def test_short_scenes_are_joined_to_the_one_before_and_told(painted):
    recipe = painted(tuple(SCENES[0:1] * 10 + SCENES[1:2] * 3 + SCENES[2:3] * 10))
    found = find_scenes(recipe, Content(), min_length=Fraction(1, 2))
    assert [scene.start for scene in found.scenes] == [0, 1]
    assert found.dropped == [Fraction(13, 10)]


def test_thresholds_are_obeyed(painted):
    recipe = painted(tuple([(100, 100, 100)] * 5 + [(140, 140, 140)] * 5))
    change = 40 / 3
    assert _starts(recipe, Content(threshold=change - 0.5)) == [0, 5]
    assert _starts(recipe, Content(threshold=change + 0.5)) == [0]
    assert _starts(recipe, Adaptive(min_content_value=change - 0.5)) == [0, 5]
    assert _starts(recipe, Adaptive(min_content_value=change + 0.5)) == [0]


def test_hue_is_compared_the_short_way_round():
    crimson, scarlet = (np.full((4, 4, 3), colour, np.uint8) for colour in ((255, 0, 9), (255, 9, 0)))
    score = list(content_scores([crimson, scarlet]))[1]
    assert 0 < score < 2


@pytest.mark.parametrize("method", [Adaptive(), Content()])
def test_real_cuts(bikes, method):
    assert _starts(FileSource.of(bikes), method, Fraction("0.6")) == [0, *BIKES_CUTS]


def test_the_peer_package_finds_the_same_cuts(bikes):
    scenedetect = pytest.importorskip("scenedetect", reason="needs the package scenedetect to compare with")
    peer = scenedetect.detect(str(bikes), scenedetect.AdaptiveDetector())
    assert _starts(FileSource.of(bikes), Adaptive(), Fraction("0.6")) == [
        start.frame_num for start, _ in peer
    ]


def test_every_frame_is_ticked_and_pictures_are_small(painted):
    ticks = []
    find_scenes(painted(tuple(SCENES * 4), width=64), Content(), Fraction(0), ticks.append)
    assert sum(ticks) == 12
    assert detection_size(painted((), width=1920, height=1080).spec) == (256, 144)
    assert detection_size(painted((), width=64, height=36).spec) == (64, 36)
