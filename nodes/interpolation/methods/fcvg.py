"""FCVG: what matches in both key frames is moved from one to the other, and drawn for every frame.

A frame's condition is the matched segments at (1 − t)·p + t·q. Source: Zhu et al. 2024, "Generative
Inbetweening through Frame-wise Conditions-Driven Video Generation"; matching there is GlueStick's network,
here likeness of what is seen along the lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...methods import offer, param, register

if TYPE_CHECKING:
    import numpy as np

    from ..picture_matches import Features, Matched

NODE = "KinoFrameConditions"
FUSE_NODE = "KinoBidirectionalFuse"
FACTS = {
    "system": "fcvg",
    "paper": "Generative Inbetweening through Frame-wise Conditions-Driven Video Generation (Zhu et al.)",
    "year": 2024,
}
TEST = "tests/interpolation/test_frame_conditions.py"

offer("both_ways", node=FUSE_NODE, test="tests/interpolation/test_bidirectional_fuse.py", **FACTS)


def _agreement(default: float) -> float:
    return param(
        default,
        "Likeness that two of them must have, at most 1. Lower finds more pairs, and more wrong ones.",
        min=-1.0,
        max=1.0,
        step=0.05,
    )


class _Matching:
    """Both pictures are searched, and what is found compared."""

    agreement: float

    def matches(self, start: np.ndarray, end: np.ndarray) -> Matched:
        """Pictures [H,W,C] in 0..1 of one size → what belongs together in them."""
        from ..picture_matches import matched

        diagonal = float(sum(side**2 for side in start.shape[:2])) ** 0.5
        return matched(self.features(start), self.features(end), diagonal, self.agreement)

    def features(self, image: np.ndarray) -> Features:
        raise NotImplementedError


@register("lines", node=NODE, test=TEST, **FACTS)
class Lines(_Matching):
    """Straight edges."""

    shortest: int = param(24, "Least length of a line, in pixels.", min=4, max=4096, step=1)
    most: int = param(300, "Lines at most, the longest ones.", min=1, max=5000, step=1)
    agreement: float = _agreement(0.5)

    def features(self, image: np.ndarray) -> Features:
        from ..picture_matches import lines_of

        return lines_of(image, self.shortest, self.most)


@register("points", node=NODE, test=TEST, **FACTS)
class Points(_Matching):
    """Corners."""

    most: int = param(200, "Points at most, the sharpest corners.", min=1, max=5000, step=1)
    agreement: float = _agreement(0.7)

    def features(self, image: np.ndarray) -> Features:
        from ..picture_matches import corners_of

        return corners_of(image, self.most)
