"""Which vertices of two line drawings belong together, told by the lines around them.

Around each vertex the ink is counted in rings and directions (Belongie et al. 2002, "Shape Matching and
Object Recognition Using Shape Contexts"); pairs that look alike and lie where the vertices around them go are
found, several times, nearer each time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from .line_graph import LineGraph
from .line_inbetween import HALF, Correspondence, spread_motion
from .transport import mutual_matches, shares_both_ways

RINGS, DIRECTIONS = 5, 12
INNER, OUTER = 0.03, 0.5
"""Radii of the innermost and the outermost ring, as shares of the drawing's diagonal."""
INK_STEP = 4.0
"""Pixels between the points at which ink is counted."""
MOST_INK = 3000
"""Points at most; denser lines are thinned out evenly."""
LOOKS = 40.0
"""How much a difference in looks, of at most 1, counts beside distance."""
ALIKE = 0.75
"""Likeness below which two vertices at one place have no more in common than with none."""
FAR, NEAR, NARROWER = 0.3, 6.0, 3.0
"""How far off a partner may lie: first, of the drawing's diagonal; last, in pixels; and how fast less."""
SAME_WAY = 0.0
"""Cosine of the largest turn, of an edge and its partner, that matches are followed along."""
SMOOTHINGS = 4
TOGETHER = 256
"""Vertices looked at together."""
LEAST = 0.1
"""Share, of both sides' attention multiplied, that a pair must have."""


def match_lines(
    first: LineGraph, second: LineGraph, reach: float = 1.0, check: Callable[[], None] = lambda: None
) -> Correspondence:
    """Vertices that belong together, and the motions of the others along with them.

    Args:
        reach: scales how far lines may move; 1 allows about a third of the drawing's diagonal.
        check: called now and then, for it takes long; raises when the user cancelled.
    """
    lasting = (np.full(len(first.vertices), HALF), np.full(len(second.vertices), HALF))
    motion, matches = np.zeros_like(first.vertices), np.full(len(first.vertices), -1)
    if not len(first.vertices) or not len(second.vertices):
        return Correspondence(matches, (motion, np.zeros_like(second.vertices)), lasting)
    diagonal = _extent(first, second)
    looks = LOOKS * (_likeness(first, second, diagonal, check) - ALIKE)
    for far in _reaches(reach * diagonal):
        check()
        near = torch.cdist(_tensor(first.vertices + motion), _tensor(second.vertices))
        shares = shares_both_ways(looks - (near / far).square() / 2, 0.0)
        found = mutual_matches(shares, LEAST).numpy()
        matches = grown(first, second, without_jumps(first, second, found))
        motion = _smoothed(first, spread_motion(first, _motion(first, second, matches), matches >= 0))
    motion = spread_motion(first, _motion(first, second, matches), matches >= 0)
    back = np.full(len(second.vertices), -1)
    back[matches[matches >= 0]] = np.nonzero(matches >= 0)[0]
    motion_back = spread_motion(second, _motion(second, first, back), back >= 0)
    return Correspondence(matches, (motion, motion_back), lasting)


def _reaches(diagonal: float) -> list[float]:
    """How far off, in pixels, partners may lie in each round."""
    found = [FAR * diagonal]
    while found[-1] > NEAR:
        found.append(found[-1] / NARROWER)
    return found


def without_jumps(first: LineGraph, second: LineGraph, matches: np.ndarray) -> np.ndarray:
    """The matches [M] but for those that tear a vertex from most of its neighbours.

    A neighbour's partner must be no more than two edges away.
    """
    near = [set(ones).union(*(second.neighbours[one] for one in ones)) for ones in second.neighbours]
    kept = matches.copy()
    for vertex, partner in enumerate(matches):
        partners = [matches[one] for one in first.neighbours[vertex] if matches[one] >= 0]
        together = sum(one in near[partner] for one in partners)
        if 2 * together < len(partners):
            kept[vertex] = -1
    return kept


def grown(first: LineGraph, second: LineGraph, matches: np.ndarray) -> np.ndarray:
    """The matches [M] and more: along lines, from partners on to neighbours that go the same way."""
    matches, taken = matches.copy(), set(matches[matches >= 0].tolist())
    waiting = np.nonzero(matches >= 0)[0].tolist()
    while waiting:
        vertex = waiting.pop(0)
        free = [one for one in second.neighbours[matches[vertex]] if one not in taken]
        for neighbour in first.neighbours[vertex]:
            if matches[neighbour] >= 0 or not free:
                continue
            way = first.vertices[neighbour] - first.vertices[vertex]
            ways = second.vertices[free] - second.vertices[matches[vertex]]
            alike = ways @ way / (np.linalg.norm(ways, axis=1) * np.linalg.norm(way) + 1e-9)
            if alike.max() > SAME_WAY:
                matches[neighbour] = free.pop(int(alike.argmax()))
                taken.add(int(matches[neighbour]))
                waiting.append(neighbour)
    return matches


def _smoothed(graph: LineGraph, motion: np.ndarray) -> np.ndarray:
    """Motions [V,2] evened out along the lines, so that one wrong partner is outvoted."""
    edges = np.concatenate([graph.edges, graph.edges[:, ::-1]])
    count = np.maximum(graph.degrees, 1)[:, None]
    for _ in range(SMOOTHINGS):
        sums = np.zeros_like(motion)
        np.add.at(sums, edges[:, 0], motion[edges[:, 1]])
        motion = np.where(graph.degrees[:, None] > 0, (motion + sums / count) / 2, motion)
    return motion


def _tensor(places: np.ndarray) -> Tensor:
    return torch.from_numpy(places).float()


def _motion(graph: LineGraph, other: LineGraph, matches: np.ndarray) -> np.ndarray:
    """The way of matched vertices to their partners; of others none."""
    found = np.zeros_like(graph.vertices)
    matched = matches >= 0
    found[matched] = other.vertices[matches[matched]] - graph.vertices[matched]
    return found


def _extent(*graphs: LineGraph) -> float:
    """Diagonal in pixels of the larger drawing's lines, at least 1."""
    sizes = [np.ptp(graph.vertices, axis=0) if len(graph.vertices) else (0.0, 0.0) for graph in graphs]
    return max(1.0, *(float(np.hypot(*size)) for size in sizes))


def _likeness(first: LineGraph, second: LineGraph, diagonal: float, check: Callable[[], None]) -> Tensor:
    """How alike the surroundings of each two vertices are, 0 to 1: [M,N]."""
    one, other = (_surroundings(graph, diagonal, check) for graph in (first, second))
    ways = [_tensor(np.minimum(graph.degrees, 3).astype(np.float64)) for graph in (first, second)]
    differ = (ways[0][:, None] != ways[1][None]).float()
    return one.sqrt() @ other.sqrt().T - differ / 10


def _surroundings(graph: LineGraph, diagonal: float, check: Callable[[], None]) -> Tensor:
    """Shares of the ink by ring and direction around each vertex, [V,RINGS·DIRECTIONS]; rows sum to 1."""
    ink, parts = _ink_points(graph), []
    for part in np.split(graph.vertices, range(TOGETHER, len(graph.vertices), TOGETHER)):
        check()
        parts.append(_counted(ink, part, diagonal))
    counted = np.concatenate(parts)
    return _tensor(counted / np.maximum(counted.sum(axis=1, keepdims=True), 1e-9))


def _counted(ink: np.ndarray, centres: np.ndarray, diagonal: float) -> np.ndarray:
    """Ink points [P,2] around centres [V,2] by ring and direction, [V,RINGS·DIRECTIONS].

    Each is shared between neighbouring rings and directions, so that a small change makes a small difference.
    """
    counted = np.zeros(len(centres) * RINGS * DIRECTIONS)
    way = ink[None] - centres[:, None]
    distance = np.maximum(np.hypot(way[..., 0], way[..., 1]), 1e-6) / diagonal
    ring = np.log(distance / INNER) / np.log(OUTER / INNER) * (RINGS - 1)
    turn = np.arctan2(way[..., 1], way[..., 0]) / (2 * np.pi) * DIRECTIONS
    rows = np.arange(len(centres))[:, None] * RINGS
    for ring_at, ring_share in _two_bins(ring):
        inside = (ring_at >= 0) & (ring_at < RINGS)
        for turn_at, turn_share in _two_bins(turn):
            place = (rows + ring_at) * DIRECTIONS + turn_at % DIRECTIONS
            counted += np.bincount(place[inside], (ring_share * turn_share)[inside], len(counted))
    return counted.reshape(-1, RINGS * DIRECTIONS)


def _two_bins(place: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The bins on both sides of each place, with their shares."""
    low = np.floor(place).astype(np.int64)
    share = place - low
    return [(low, 1 - share), (low + 1, share)]


def _ink_points(graph: LineGraph) -> np.ndarray:
    """Points along all lines, evenly, [P,2]."""
    segments = graph.segments
    lengths = np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1)
    step = max(INK_STEP, lengths.sum() / MOST_INK)
    counts = np.maximum(1, np.round(lengths / step).astype(np.int64))
    owner = np.repeat(np.arange(len(segments)), counts)
    place = np.arange(len(owner)) - np.repeat(counts.cumsum() - counts, counts)
    share = ((place + 0.5) / counts[owner])[:, None]
    return segments[owner, 0] * (1 - share) + segments[owner, 1] * share
