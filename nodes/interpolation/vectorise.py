"""A raster line drawing made into a graph of its lines."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .line_graph import LineGraph
from .skeleton import chains, links, simplified, thin

DARK, LIGHT = "dark", "light"
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
CLUSTER = 1.6
"""Crossings nearer to each other than this, in pixels, are one: thinning splits where thick lines cross."""
SMOOTHINGS = 2
"""Times that each pixel of a line moves to between its neighbours."""


def ink_of(image: np.ndarray, threshold: float, ink: str) -> np.ndarray:
    """Where a picture [H,W,C] in 0..1 has lines, bool [H,W].

    Args:
        image: of three channels, or four with alpha, behind which the paper shows.
        threshold: the brightness that parts lines from paper.
        ink: `DARK` lines on light paper, or `LIGHT` ones on dark.
    """
    brightness = image[..., :3] @ LUMA
    paper = 1.0 if ink == DARK else 0.0
    if image.shape[-1] == 4:
        brightness = brightness * image[..., 3] + paper * (1 - image[..., 3])
    return brightness < threshold if ink == DARK else brightness > threshold


class Vectorised(NamedTuple):
    """A drawing's lines, and how many dots it has: marks without length, which no graph can hold."""

    graph: LineGraph
    dots: int


def vectorised(
    ink: np.ndarray, tolerance: float = 0.5, spacing: float = 12.0, spur: float = 4.0
) -> Vectorised:
    """The lines of a drawing as a graph.

    Lines are thinned, followed between their ends and crossings, and made of straight edges.

    Args:
        ink: bool [H,W], true on the lines.
        tolerance: how far, in pixels, an edge may be from its line.
        spacing: longest edge in pixels.
        spur: side lines shorter than this, in pixels, are left out: thinning leaves such at rough rims.
    """
    height, width = ink.shape
    places, pairs = links(thin(ink))
    runs = _without_spurs(chains(len(places), pairs), spur)
    vertices, edges, number = [], [], {}

    def vertex(key: object, place: np.ndarray) -> int:
        if key not in number:
            number[key] = len(vertices)
            vertices.append(place)
        return number[key]

    for run in runs:
        line = _smoothed(places[run].astype(np.float64))
        kept = simplified(line, tolerance)
        for a, b in pairwise(kept):
            parts = max(1, int(np.ceil(np.linalg.norm(line[b] - line[a]) / spacing)))
            ends = [vertex(run[a], line[a])]
            for part in range(1, parts):
                ends.append(vertex((run[a], run[b], part), line[a] + (line[b] - line[a]) * part / parts))
            ends.append(vertex(run[b], line[b]))
            edges += pairwise(ends)
    graph = LineGraph.of(np.array(vertices), np.array(edges), width, height)
    return Vectorised(_with_whole_crossings(graph), len(places) - len(np.unique(pairs)))


def _smoothed(line: np.ndarray) -> np.ndarray:
    """A line of pixels [N,2] without their staircase; its ends stay."""
    for _ in range(SMOOTHINGS):
        line = line.copy()
        line[1:-1] = (line[:-2] + 2 * line[1:-1] + line[2:]) / 4
    return line


def _without_spurs(runs: list[list[int]], spur: float) -> list[list[int]]:
    """The lines but for short ones that hang on another by one end."""
    meeting: dict[int, int] = {}
    for run in runs:
        for end in (run[0], run[-1]):
            meeting[end] = meeting.get(end, 0) + 1

    def hangs(run: list[int]) -> bool:
        return sorted(min(meeting[end], 2) for end in (run[0], run[-1])) == [1, 2]

    return [run for run in runs if len(run) - 1 >= spur or not hangs(run)]


def _with_whole_crossings(graph: LineGraph) -> LineGraph:
    """The graph with crossings that lie next to each other joined into one, in their middle."""
    crossing = graph.degrees >= 3
    ends = graph.edges[crossing[graph.edges].all(axis=1)]
    lengths = np.linalg.norm(graph.vertices[ends[:, 0]] - graph.vertices[ends[:, 1]], axis=1)
    root = np.arange(len(graph.vertices))
    for a, b in ends[lengths < CLUSTER]:
        root[root == root[b]] = root[a]
    members, group = np.unique(root, return_inverse=True)
    sums = np.zeros((len(members), 2))
    np.add.at(sums, group, graph.vertices)
    middles = sums / np.bincount(group, minlength=len(members))[:, None]
    return LineGraph.of(middles, group[graph.edges], graph.width, graph.height)
