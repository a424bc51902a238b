"""A cut where the content score stands out from its neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ...methods import param, register
from ..content_score import content_scores
from ..recipe import VideoSpec
from ..scene_cuts import NODE, Cut, detection_size

if TYPE_CHECKING:
    import numpy as np

HIGHEST_RATIO = 255.0
"""Given where the neighbours are stills and the ratio has no bound."""


@register(
    "adaptive",
    node=NODE,
    paper="PySceneDetect, AdaptiveDetector",
    year=2021,
    test="tests/video/nodes/test_scene_cuts.py",
)
class Adaptive:
    """Frame i opens a scene when s_i / mean(s_j, 0 < |i - j| <= window) reaches `adaptive_threshold`.

    Fast camera moves raise the scores of all their frames and so pass; a cut raises one. s is the content
    score; where it is below `min_content_value` nothing is a cut. Source: the idea of PySceneDetect's
    AdaptiveDetector.
    """

    adaptive_threshold: float = param(
        3.0,
        "How many times larger than its neighbours' average a frame's change must be (a ratio). "
        "Lower finds more cuts.",
        min=1.0,
        max=255.0,
        step=0.1,
    )
    min_content_value: float = param(
        15.0,
        "Changes below this are never cuts, 0 to 255 (mean change in hue, saturation and brightness).",
        min=0.0,
        max=255.0,
        step=0.5,
    )
    window: int = param(2, "Neighbours looked at on each side, in frames.", min=1, max=60, step=1)

    def picture_size(self, spec: VideoSpec) -> tuple[int, int]:
        return detection_size(spec)

    def cuts(self, pictures: Iterable[np.ndarray]) -> Iterator[Cut]:
        scores = list(content_scores(pictures))
        for index in range(1, len(scores)):
            ratio = self._ratio(scores, index)
            if ratio >= self.adaptive_threshold and scores[index] >= self.min_content_value:
                yield Cut(index, ratio)

    def _ratio(self, scores: list[float], index: int) -> float:
        # scores[0] has no frame before it, so it says nothing about its neighbours
        before = scores[max(1, index - self.window) : index]
        neighbours = before + scores[index + 1 : index + 1 + self.window]
        total = sum(neighbours)
        return min(scores[index] * len(neighbours) / total, HIGHEST_RATIO) if total else HIGHEST_RATIO
