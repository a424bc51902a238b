"""A line drawing as a graph: vertices on its lines, and edges where a line goes from one to the next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class LineGraph:
    """A drawing of straight edges.

    vertices: float64 [V,2] in pixels, x to the right and y down; (0, 0) is the middle of the first pixel.
    edges: int64 [E,2], numbers of vertices, the smaller first, each edge once.
    width, height: of the drawing in pixels.
    """

    vertices: np.ndarray
    edges: np.ndarray
    width: int
    height: int

    @classmethod
    def of(cls, vertices: np.ndarray, edges: np.ndarray, width: int, height: int) -> LineGraph:
        """A graph of any edges: those from a vertex to itself and repeated ones are left out."""
        places = np.asarray(vertices, np.float64).reshape(-1, 2)
        pairs = np.sort(np.asarray(edges, np.int64).reshape(-1, 2), axis=1)
        pairs = np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)
        return cls(places, pairs, width, height)

    @property
    def segments(self) -> np.ndarray:
        """The edges as places of their ends, [E,2,2]."""
        return self.vertices[self.edges]

    @property
    def degrees(self) -> np.ndarray:
        """How many edges meet in each vertex, [V]."""
        return np.bincount(self.edges.ravel(), minlength=len(self.vertices))

    @cached_property
    def neighbours(self) -> list[list[int]]:
        """The vertices that each vertex has an edge to."""
        found: list[list[int]] = [[] for _ in self.vertices]
        for a, b in self.edges.tolist():
            found[a].append(b)
            found[b].append(a)
        return found

    def keys(self, edges: np.ndarray) -> np.ndarray:
        """One number for each pair of vertices [N,2] in any order, equal for equal pairs."""
        return edges.min(axis=1) * len(self.vertices) + edges.max(axis=1)

    def without_lone_vertices(self) -> LineGraph:
        """The same lines, with vertices on no edge left out."""
        used, edges = np.unique(self.edges, return_inverse=True)
        return LineGraph.of(self.vertices[used], edges.reshape(-1, 2), self.width, self.height)
