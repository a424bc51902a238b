"""Matched lines and points, moved from one picture to the other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from interpolation.line_drawings import polyline
from kinograph.nodes.interpolation.curves import CURVES, progress
from kinograph.nodes.interpolation.frame_conditions import condition_frames, overlaid, paired_ends
from kinograph.nodes.interpolation.methods.fcvg import Lines, Points
from kinograph.nodes.interpolation.nodes_conditions import KinoFrameConditions
from kinograph.nodes.interpolation.picture_matches import Matched, corners_of, lines_of
from kinograph.nodes.interpolation.skeletons import PoseError, limbs_between, matched_limbs, people_of
from kinograph.nodes.interpolation.strokes import colours, paint, picture

SIZE = (90, 120)
LINES = {"method": "lines"}


def room(shift: tuple[int, int] = (0, 0)) -> np.ndarray:
    """A dark box with a light window, on grey that gets lighter downward."""
    image = np.linspace(0.35, 0.6, SIZE[0])[:, None, None].repeat(SIZE[1], 1).repeat(3, 2).astype(np.float32)
    x, y = 20 + shift[0], 15 + shift[1]
    image[y : y + 40, x : x + 50] = (0.1, 0.15, 0.2)
    image[y + 8 : y + 20, x + 30 : x + 44] = (0.9, 0.9, 0.7)
    return image


def frames(found: Matched, count: int = 5, curve: str = "linear") -> np.ndarray:
    return np.stack(list(condition_frames(found, count, curve, SIZE, 2.0)))


def test_lines_lie_on_edges_with_the_light_on_the_left():
    found = lines_of(room(), 20, 100).segments
    sides = {"left": (20, 15, 20, 54), "right": (69, 15, 69, 54), "top": (20, 15, 69, 15)}
    for x0, y0, x1, y1 in sides.values():
        edge = np.array([(x0, y0), (x1, y1)])
        off = [min(np.abs(one - edge).max(), np.abs(one[::-1] - edge).max()) for one in found]
        assert min(off) < 4
    left = found[(np.abs(found[:, :, 0] - 20) < 3).all(axis=1)][0]
    assert left[1, 1] < left[0, 1]  # upward, so that the light ground is on its left


@pytest.mark.parametrize("method", [Lines(shortest=20), Points()])
def test_what_moved_is_matched_and_goes_where_it_went(method):
    found = method.matches(room(), room((30, 20)))
    way = (paired_ends(found).second - found.first).mean(axis=1)
    assert len(way) >= 4
    assert (np.abs(way - (30, 20)).max(axis=1) < 2).mean() > 0.8


@pytest.mark.parametrize("method", [Lines(shortest=10), Points()])
def test_equal_pictures_give_equal_frames(method):
    found = method.matches(room(), room())
    assert np.array_equal(found.first, found.second)
    assert len(found.first) == len(method.features(room()).segments)
    clip = frames(found)
    assert clip.any()
    assert (clip == clip[0]).all()


def test_first_and_last_frame_are_the_segments_as_found():
    found = Lines(shortest=20).matches(room(), room((30, 20)))
    clip, shades = frames(found, 7), colours(len(found.first))
    assert np.array_equal(clip[0], picture(paint(found.first, *SIZE, 2.0), shades))
    assert np.array_equal(clip[-1], picture(paint(paired_ends(found).second, *SIZE, 2.0), shades))


def test_each_line_keeps_its_colour():
    first = np.concatenate([polyline((10, 10), (50, 10)), polyline((10, 80), (50, 80))])
    clip = frames(Matched(first, first + np.array([40, 0])), 3)
    assert {tuple(pixel) for pixel in clip[:, 10, 50]} == {tuple(colours(2)[0])}
    assert {tuple(pixel) for pixel in clip[:, 80, 50]} == {tuple(colours(2)[1])}


def test_ends_are_joined_the_shorter_way():
    first = polyline((10, 10), (50, 10))
    assert np.array_equal(paired_ends(Matched(first, first[:, ::-1])).second, first)


@pytest.mark.parametrize("curve", CURVES)
def test_curves_go_from_start_to_end_without_turning_back(curve):
    way = progress(curve, 9)
    assert way[0] == 0 and way[-1] == 1
    assert (np.diff(way) > 0).all()


def test_curves_are_soft_where_they_say():
    speed = {curve: np.diff(progress(curve, 9)) for curve in CURVES}
    assert speed["ease"][0] < speed["ease"][4] > speed["ease"][-1]
    assert speed["ease_in"][0] < speed["ease_in"][-1]
    assert speed["ease_out"][0] > speed["ease_out"][-1]


def test_a_page_without_corners_has_none():
    assert len(corners_of(np.full((20, 20, 3), 0.5, np.float32), 10).segments) == 0


def person(x: float, y: float, seen: int = 18) -> list[float]:
    """Joints in a column, the last ones unseen."""
    return [value for joint in range(18) for value in (x, y + 2 * joint, 1.0 if joint < seen else 0.0)]


def pose(*people: list[float], canvas: tuple[int, int] = (120, 90)) -> list[dict]:
    joints = [{"pose_keypoints_2d": one} for one in people]
    return [{"people": joints, "canvas_width": canvas[0], "canvas_height": canvas[1]}]


def test_people_are_matched_to_the_nearest_and_limbs_need_both_joints():
    first = people_of(pose(person(20, 10), person(90, 10)), SIZE)
    second = people_of(pose(person(80, 15, seen=14), person(30, 15)), SIZE)
    found = matched_limbs(first, second)
    assert len(found.first) == 17 + 13
    np.testing.assert_array_equal(found.second[:17, 0] - found.first[:17, 0], np.tile([10.0, 5.0], (17, 1)))
    np.testing.assert_array_equal(found.second[17:, 0] - found.first[17:, 0], np.tile([-10.0, 5.0], (13, 1)))


def test_poses_are_scaled_to_the_picture():
    wide = people_of(pose(person(40, 20), canvas=(240, 180)), SIZE)
    np.testing.assert_allclose(wide[0, 0, :2], [20, 10])
    shares = people_of(pose([0.5, 0.5, 1.0] * 18), SIZE)
    np.testing.assert_allclose(shares[0, 0, :2], [60, 45])


@pytest.mark.parametrize(
    "poses",
    [
        None,
        [],
        [{}],
        {"people": []},
        pose([1.0, 2.0]),
        pose([float("nan")] * 54),
        pose(person(1, 1), canvas=(0, 9)),
    ],
)
def test_other_values_are_no_poses(poses):
    with pytest.raises(PoseError, match="pose"):
        people_of(poses, SIZE)


def test_without_poses_there_are_no_limbs_and_one_alone_is_refused():
    assert len(limbs_between(None, None, SIZE).first) == 0
    assert len(limbs_between(pose(), pose(person(1, 1)), SIZE).first) == 0
    with pytest.raises(PoseError, match="only; wire start_pose and end_pose"):
        limbs_between(pose(person(1, 1)), None, SIZE)


@pytest.mark.parametrize(
    ("joints", "message"),
    [
        ([1.0] * 51, "17 joints"),
        ([1.0] * 75, "25 joints"),
        (person(1e9, 5), "100 times its canvas of 120x90"),
    ],
)
def test_people_that_cannot_be_drawn_are_refused(joints, message):
    with pytest.raises(PoseError, match=message):
        people_of(pose(joints), SIZE)


def test_upper_ink_hides_lower_ink():
    below, above = np.ones((1, 2, 3), np.float32), np.zeros((1, 2, 3), np.float32)
    above[0, 0] = (0.2, 0, 0)
    assert overlaid(below, above)[0].tolist() == [[pytest.approx(0.2), 0, 0], [1, 1, 1]]


def batch(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image)[None]


def test_the_node_gives_the_clip_both_ways_and_counts():
    given = batch(room()), batch(room((30, 20)))
    people = pose(person(20, 10)), pose(person(40, 10))
    clip, backward, report = KinoFrameConditions.execute(*given, 6, "ease", 2.0, LINES, *people).args
    assert clip.shape == (6, *SIZE, 3) and clip.dtype == torch.float32
    assert torch.equal(clip.flip(0), backward)
    assert "lines and 17 limbs matched" in report


def test_the_node_refuses_other_sizes_and_empty_pictures():
    with pytest.raises(ValueError, match="120x90 pixels and the end picture 60x90"):
        KinoFrameConditions.execute(batch(room()), batch(room()[:, :60]), 5, "linear", 2.0, LINES)
    grey = torch.full((1, *SIZE, 3), 0.5)
    with pytest.raises(ValueError, match="nothing to draw"):
        KinoFrameConditions.execute(grey, grey, 5, "linear", 2.0, LINES)
