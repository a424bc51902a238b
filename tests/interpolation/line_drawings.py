"""Small line drawings, as rasters and as graphs."""

from __future__ import annotations

import numpy as np
from kinograph.nodes.interpolation import vectorise
from kinograph.nodes.interpolation.line_graph import LineGraph
from kinograph.nodes.interpolation.strokes import paint

WIDTH, HEIGHT = 160, 120


def polyline(*points: tuple[float, float]) -> np.ndarray:
    """Segments [N,2,2] through points."""
    line = np.array(points, np.float64)
    return np.stack([line[:-1], line[1:]], axis=1)


def ellipse(x: float, y: float, wide: float, high: float, points: int = 32) -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, points)
    return polyline(*zip(x + wide * np.cos(turn), y + high * np.sin(turn), strict=True))


def figure(hand: float = 0.0) -> np.ndarray:
    """A head on a body with two arms; `hand` lifts one of them, in pixels."""
    return np.concatenate(
        [
            ellipse(80, 30, 18, 20),
            polyline((80, 50), (80, 100)),
            polyline((80, 60), (50, 75), (35, 60)),
            polyline((80, 60), (110, 75 - hand / 2), (125, 60 - hand)),
        ]
    )


def ink(segments: np.ndarray, thickness: float = 3.0) -> np.ndarray:
    return paint(segments, HEIGHT, WIDTH, thickness).coverage > 0.5


def vectorised(drawn: np.ndarray, **settings: float) -> LineGraph:
    """The lines of a raster."""
    return vectorise.vectorised(drawn, **settings).graph


def random_graph(seed: int = 0, count: int = 30) -> LineGraph:
    """Vertices at random, joined in a row with some cross links."""
    drawn = np.random.default_rng(seed)
    vertices = drawn.uniform(20, 100, (count, 2))
    row = np.stack([np.arange(count - 1), np.arange(1, count)], axis=1)
    return LineGraph.of(vertices, np.concatenate([row, drawn.integers(0, count, (8, 2))]), WIDTH, HEIGHT)
