"""A cut where the content score passes a fixed threshold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ...methods import param, register
from ..content_score import content_scores
from ..recipe import VideoSpec
from ..scene_cuts import NODE, Cut, detection_size

if TYPE_CHECKING:
    import numpy as np


@register(
    "content",
    node=NODE,
    paper="PySceneDetect, ContentDetector",
    year=2014,
    test="tests/video/nodes/test_scene_cuts.py",
)
class Content:
    """Frame i opens a scene when its content score reaches `threshold`.

    Source: the idea of PySceneDetect's ContentDetector; hue is compared the short way round here.
    """

    threshold: float = param(
        27.0,
        "Change from one frame to the next that makes a cut, 0 to 255 (mean change in hue, saturation and "
        "brightness). Lower finds more cuts.",
        min=0.0,
        max=255.0,
        step=0.5,
    )

    def picture_size(self, spec: VideoSpec) -> tuple[int, int]:
        return detection_size(spec)

    def cuts(self, pictures: Iterable[np.ndarray]) -> Iterator[Cut]:
        for index, score in enumerate(content_scores(pictures)):
            if index and score >= self.threshold:
                yield Cut(index, score)
