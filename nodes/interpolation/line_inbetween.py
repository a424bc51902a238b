"""Drawings between two line drawings: matched lines move, and lines that only one has come and go.

The graphs of both are fused: at time t a vertex of the first drawing stands at v + t·m, one of the second at
v + (1 − t)·m, with m the whole way to the other drawing; matched vertices are one. Source: Siyao et al. 2023,
"Deep Geometrized Cartoon Line Inbetweening".
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .line_graph import LineGraph
from .strokes import paint

LANDING = 3.0
"""Pixels within which a moved edge lies on the other drawing's lines, where it has other vertices."""
HALF = 0.5
"""Share of the way for which a line is seen that the other drawing lacks, where nothing more is known."""
MOST_VERTICES = 10_000
"""Of a drawing: memory for matching grows with the square, to some 4 GB for so many."""
STRETCH = 5.0**0.5
"""An edge that grows by more than this is torn between two lines, and not drawn."""


@dataclass(frozen=True, eq=False)
class Correspondence:
    """What belongs together in two drawings of M and N vertices.

    matches: int64 [M], the vertex of the second drawing that each of the first's is, or -1.
    motions: [M,2] and [N,2] in pixels, each vertex's way to the other drawing.
    lasting: [M] and [N], the share of its way for which a vertex is seen if the other drawing lacks it.
    """

    matches: np.ndarray
    motions: tuple[np.ndarray, np.ndarray]
    lasting: tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class EdgeCounts:
    """Of a pair: edges in both drawings, only in the first, only in the second.

    leaving, coming: of the first's and the second's own, those that lie on no line of the other.
    """

    shared: int
    only_first: int
    only_second: int
    leaving: int
    coming: int

    def told(self) -> str:
        return (
            f"{self.shared} edges are in both, {self.only_first} in the first only ({self.leaving} go), "
            f"{self.only_second} in the second only ({self.coming} come)"
        )


class LineInbetween:
    """Two drawings and what belongs together in them; `at(t)` is the drawing at any time between.

    Args:
        pair: the first and the second drawing, of one size.

    Raises:
        ValueError: their sizes differ.
    """

    def __init__(self, pair: tuple[LineGraph, LineGraph], found: Correspondence) -> None:
        first, second = self.pair = pair
        if (first.width, first.height) != (second.width, second.height):
            raise ValueError(
                f"the drawings are {first.width}x{first.height} and {second.width}x{second.height} pixels; "
                "make them of one size before they are vectorised"
            )
        matched = np.nonzero(found.matches >= 0)[0]
        partners = found.matches[matched]
        self._motions = tuple(motion.copy() for motion in found.motions)
        self._motions[0][matched] = second.vertices[partners] - first.vertices[matched]
        self._motions[1][partners] = first.vertices[matched] - second.vertices[partners]
        self._number = len(first.vertices) + np.arange(len(second.vertices))  # of the second's in the fusion
        self._number[partners] = matched
        self._shared, self._own = self._sorted_edges(found.matches)
        self._lands = [self._on_the_others_lines(side) for side in (0, 1)]
        self._lasting = [found.lasting[side][self._own[side]].min(axis=1) for side in (0, 1)]
        lacking = [int((~lands).sum()) for lands in self._lands]
        self.counts = EdgeCounts(len(self._shared), len(self._own[0]), len(self._own[1]), *lacking)

    def _sorted_edges(self, matches: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """Edges of both drawings, as the first's, and each drawing's own."""
        first, second = self.pair
        moved = matches[first.edges]
        both = (moved >= 0).all(axis=1)
        in_second = np.zeros(len(first.edges), bool)
        in_second[both] = np.isin(second.keys(moved[both]), second.keys(second.edges))
        met = np.isin(second.keys(second.edges), second.keys(moved[in_second]))
        return first.edges[in_second], (first.edges[~in_second], second.edges[~met])

    def _on_the_others_lines(self, side: int) -> np.ndarray:
        """Whether ends and middle of each of a drawing's own edges come to lie on the other's lines."""
        graph, other = self.pair[side], self.pair[1 - side]
        near = paint(other.segments, other.height, other.width, 2 * LANDING, smooth=False).owner >= 0
        ends = (graph.vertices + self._motions[side])[self._own[side]]  # [E,2,2]
        return _seen(near, ends[:, 0]) & _seen(near, ends[:, 1]) & _seen(near, ends.mean(axis=1))

    def at(self, t: float) -> LineGraph:
        """The drawing at time t, from the first at 0 to the second at 1; those two as they are.

        A line that both have with other vertices is drawn as in the nearer one; one that the other lacks,
        for as long as it lasts.
        """
        first, second = self.pair
        if t <= 0 or t >= 1:
            return first if t <= 0 else second
        edges = [self._shared]
        for side, (way, nearer) in enumerate(((t, t <= HALF), (1 - t, t > HALF))):
            seen = np.where(self._lands[side], nearer, way < self._lasting[side]) & ~self._torn(side, way)
            edges.append(self._own[side][seen])
        edges[2] = self._number[edges[2]]
        moved = [
            graph.vertices + way * motion
            for graph, motion, way in zip(self.pair, self._motions, (t, 1 - t), strict=True)
        ]
        fused = LineGraph.of(np.concatenate(moved), np.concatenate(edges), first.width, first.height)
        return fused.without_lone_vertices()

    def _torn(self, side: int, way: float) -> np.ndarray:
        """Whether each of a drawing's own edges is stretched beyond measure after that part of its way."""
        before = self.pair[side].vertices[self._own[side]]
        after = before + way * self._motions[side][self._own[side]]
        lengths = [np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1) for ends in (before, after)]
        return lengths[1] > STRETCH * lengths[0]


def key_pairs(keys: tuple[LineGraph, ...]) -> list[tuple[LineGraph, LineGraph]]:
    """Each two neighbours of the key drawings.

    Raises:
        ValueError: there are fewer than two, or one is too large to match.
    """
    if len(keys) < 2:
        raise ValueError(
            f"{len(keys)} key drawing, and drawings between need two; vectorise a batch of two or more, or "
            "wire a second graph to end"
        )
    largest = max(len(graph.vertices) for graph in keys)
    if largest > MOST_VERTICES:
        raise ValueError(
            f"a drawing has {largest} vertices; matching compares each with each, {MOST_VERTICES} at most. "
            "Raise the tolerance, spacing or spur of Vectorise Lines, or vectorise a smaller picture"
        )
    return list(pairwise(keys))


def _seen(near: np.ndarray, places: np.ndarray) -> np.ndarray:
    """`near` [H,W] at places [N,2]; outside the picture nothing is missed."""
    x, y = np.round(places).astype(np.int64).T
    inside = (x >= 0) & (x < near.shape[1]) & (y >= 0) & (y < near.shape[0])
    found = np.ones(len(places), bool)
    found[inside] = near[y[inside], x[inside]]
    return found


def spread_motion(graph: LineGraph, motion: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Motions for all vertices from those that are known: along the lines, and else from the nearest.

    Args:
        motion: [V,2] in pixels, looked at where `known` [V].

    Returns:
        [V,2]; zero where none is known at all.
    """
    found, known = np.where(known[:, None], motion, 0.0), known.copy()
    if not known.any():
        return found
    edges = np.concatenate([graph.edges, graph.edges[:, ::-1]])
    while True:
        reaching = edges[known[edges[:, 0]] & ~known[edges[:, 1]]]
        if not len(reaching):
            break
        sums, counts = np.zeros_like(found), np.zeros(len(found))
        np.add.at(sums, reaching[:, 1], found[reaching[:, 0]])
        np.add.at(counts, reaching[:, 1], 1)
        fresh = counts > 0
        found[fresh] = sums[fresh] / counts[fresh, None]
        known |= fresh
    for vertex in np.nonzero(~known)[0]:
        away = ((graph.vertices[known] - graph.vertices[vertex]) ** 2).sum(axis=1)
        found[vertex] = found[known][away.argmin()]
    return found
