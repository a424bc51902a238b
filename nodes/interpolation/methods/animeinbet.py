"""AnimeInbet: line drawings as graphs, their vertices matched, moved and fused.

A vertex of the first drawing stands at v + t·m at time t, one of the second at v + (1 − t)·m. m is the way to
the partner; without one it follows from vertices alike, by softmax over the transport plan and then over the
drawing's own likeness. Source: Siyao et al. 2023, "Deep Geometrized Cartoon Line Inbetweening".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...methods import WeightsFile, param, register

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..line_graph import LineGraph
    from ..line_inbetween import Correspondence
    from ..line_network import LineNetwork

NODE = "KinoInbetweenLines"
TEST = "tests/interpolation/test_line_inbetween.py"


@register(
    "geometric",
    node=NODE,
    paper="Shape Matching and Object Recognition Using Shape Contexts (Belongie et al.)",
    year=2002,
    test=TEST,
)
class Geometric:
    """Vertices are partners where the lines around them look alike; the rest move with those around them."""

    reach: float = param(
        1.0,
        "How far lines may move: 1 is about a third of the drawing's diagonal.",
        min=0.1,
        max=4.0,
        step=0.1,
    )

    def correspondence(
        self, first: LineGraph, second: LineGraph, check: Callable[[], None]
    ) -> Correspondence:
        from ..line_matching import match_lines

        return match_lines(first, second, self.reach, check)


@register(
    "learned",
    node=NODE,
    system="animeinbet",
    paper="Deep Geometrized Cartoon Line Inbetweening (Siyao et al.)",
    year=2023,
    weights="the authors' (not for commerce), as models/kinograph/interpolation/animeinbet.pt",
    test=TEST,
)
class Learned:
    """The published network matches vertices and tells which ones get hidden."""

    @property
    def weights_file(self) -> WeightsFile:
        return WeightsFile(
            "interpolation/animeinbet.pt",
            "",
            "the authors' page, github.com/lisiyao21/AnimeInbet (epoch_20.pt, not for commerce), by that "
            "name, or choose the method geometric",
        )

    def load_network(self, weights: Path) -> LineNetwork:
        from ..line_network import load_line_network

        return load_line_network(weights)

    def with_network(self, network: LineNetwork) -> LearnedMatcher:
        return LearnedMatcher(network)


@dataclass(frozen=True)
class LearnedMatcher:
    """The method with its network, which is on the device it shall run on."""

    network: LineNetwork

    def correspondence(
        self, first: LineGraph, second: LineGraph, check: Callable[[], None]
    ) -> Correspondence:
        return self.network.correspondence(first, second, check)
