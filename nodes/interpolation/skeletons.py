"""People's joints as OpenPose writes them, matched between two pictures and made into limbs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .picture_matches import Matched

LIMBS = (
    (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
    (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
"""Joints of OpenPose's body of 18 that a limb joins."""
JOINTS = 18
SEEN = 0.05
"""Confidence from which on a joint counts."""
FAR = 100.0
"""Canvases away from which on a joint is a mistake, and would take ages to draw a limb to."""


class PoseError(ValueError):
    """A POSE_KEYPOINT value that has no people in OpenPose's form; the message tells what it has."""


def people_of(poses: Any, size: tuple[int, int]) -> np.ndarray:
    """The joints of the people in the first frame: float64 [P,18,3], x and y in pixels and the confidence.

    Args:
        poses: a list of frames, each with "people" and "canvas_width", "canvas_height".
        size: height and width, in pixels, that the joints are scaled to.

    Raises:
        PoseError: it is no such list.
    """
    try:
        frame = poses[0]
        people = [np.array(one["pose_keypoints_2d"], np.float64).reshape(-1, 3) for one in frame["people"]]
        canvas = float(frame["canvas_width"]), float(frame["canvas_height"])
    except (TypeError, KeyError, IndexError, ValueError) as error:
        raise PoseError(
            f"this pose has no people as OpenPose writes them ({type(error).__name__}: {error}); wire the "
            "POSE_KEYPOINT output of a pose node"
        ) from error
    if other := {len(one) for one in people} - {JOINTS}:
        raise PoseError(
            f"a person of this pose has {min(other)} joints; needed are OpenPose's {JOINTS} (COCO)"
        )
    joints = np.array(people).reshape(-1, JOINTS, 3)
    if not all(math.isfinite(side) and side > 0 for side in canvas) or not np.isfinite(joints).all():
        raise PoseError("this pose has places that are no finite numbers; make it anew from the picture")
    relative = joints[..., :2].max(initial=0.0) <= 1.0  # some nodes write shares of the canvas
    given = (1.0, 1.0) if relative else canvas
    if np.abs(joints[..., :2] / given).max(initial=0.0) > FAR:
        raise PoseError(
            f"this pose has joints more than {FAR:.0f} times its canvas of {canvas[0]:.0f}x{canvas[1]:.0f} "
            "away; make it anew from the picture"
        )
    joints[..., :2] *= np.array([size[1] / given[0], size[0] / given[1]])
    return joints


def limbs_between(start: Any, end: Any, size: tuple[int, int]) -> Matched:
    """Limbs that people have in both of two POSE_KEYPOINT values; none where neither is given.

    Raises:
        PoseError: only one is given, or one holds no people in OpenPose's form.
    """
    if (start is None) != (end is None):
        raise PoseError("a pose for one of both pictures only; wire start_pose and end_pose, or neither")
    if start is None:
        return Matched(np.zeros((0, 2, 2)), np.zeros((0, 2, 2)))
    return matched_limbs(people_of(start, size), people_of(end, size))


def matched_limbs(first: np.ndarray, second: np.ndarray) -> Matched:
    """Limbs that both have of people [P,18,3], each person with the nearest one that is left."""
    free, segments = list(range(len(second))), ([], [])
    for one in first:
        if not free:
            break
        other = min(free, key=lambda index: np.linalg.norm(_middle(second[index]) - _middle(one)))
        free.remove(other)
        for a, b in LIMBS:
            if min(one[[a, b], 2].min(), second[other][[a, b], 2].min()) > SEEN:
                segments[0].append(one[[a, b], :2])
                segments[1].append(second[other][[a, b], :2])
    return Matched(*(np.array(side).reshape(-1, 2, 2) for side in segments))


def _middle(person: np.ndarray) -> np.ndarray:
    seen = person[:, 2] > SEEN
    return person[seen, :2].mean(axis=0) if seen.any() else np.zeros(2)
