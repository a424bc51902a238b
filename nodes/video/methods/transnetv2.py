"""A cut where TransNet V2, a trained network, sees the end of a shot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...methods import WeightsFile, param, register
from ..recipe import VideoSpec
from ..scene_cuts import NODE, Cut

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from ..transnetv2 import TransNetV2

SIZE = (48, 27)
"""Width and height, in pixels, that the network was trained on; the picture is stretched to it."""


@register(
    "transnetv2",
    node=NODE,
    paper="TransNet V2 (Souček and Lokoč)",
    year=2020,
    weights="kinograph models get transnetv2 (MIT)",
    test="tests/video/nodes/test_transnetv2.py",
)
class TransNetV2Weights:
    """A network scores every frame as the middle of a transition, and the frame after a run of scores above
    `threshold` opens a scene. It sees dissolves and wipes too, which change little from frame to frame.

    Source: Souček and Lokoč, 2020.
    """

    threshold: float = param(
        0.5,
        "Probability above which a frame belongs to a transition, 0 to 1. Lower finds more cuts.",
        min=0.01,
        max=0.99,
        step=0.01,
    )

    @property
    def weights_file(self) -> WeightsFile:
        return WeightsFile("scene_cuts/transnetv2.safetensors", "transnetv2")

    def load_network(self, weights: Path) -> TransNetV2:
        from ..transnetv2 import load_transnetv2

        return load_transnetv2(weights)

    def with_network(self, network: TransNetV2) -> TransNetV2Cuts:
        return TransNetV2Cuts(self.threshold, network)


@dataclass(frozen=True)
class TransNetV2Cuts:
    """The method with its network, which is on the device it shall run on."""

    threshold: float
    network: TransNetV2

    def picture_size(self, spec: VideoSpec) -> tuple[int, int]:
        return SIZE

    def cuts(self, pictures: Iterable[np.ndarray]) -> Iterator[Cut]:
        from ..transnetv2 import cuts_from_scores, transition_scores

        middles = (middle for middle, _ in transition_scores(self.network, pictures))
        for index, score in cuts_from_scores(middles, self.threshold):
            yield Cut(index, score)
