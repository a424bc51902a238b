"""Lines of a picture thinned to one pixel, and followed from end to end."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Rows and columns to the neighbours on the right and below."""


def thin(ink: np.ndarray) -> np.ndarray:
    """Wear lines down to one pixel, keeping what hangs together (Guo and Hall 1989).

    Args:
        ink: bool [H,W].

    Returns:
        bool [H,W].
    """
    page, before = np.pad(ink, 1), -1
    while (left := int(page.sum())) != before:
        before = left
        for second in (False, True):
            page[1:-1, 1:-1] &= ~_removable(page, second)
    return page[1:-1, 1:-1]


def _removable(page: np.ndarray, second: bool) -> np.ndarray:
    """Pixels that one of the two half steps takes away, bool [H,W]; `page` has a border of one pixel."""
    high, wide = page.shape[0] - 2, page.shape[1] - 2
    around = ((0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0))  # clockwise from the north
    n, ne, e, se, s, sw, w, nw = (page[y : y + high, x : x + wide] for y, x in around)
    branches = (~n & (ne | e)).astype(np.int8) + (~e & (se | s)) + (~s & (sw | w)) + (~w & (nw | n))
    one_way = (nw | n).astype(np.int8) + (ne | e) + (se | s) + (sw | w)
    other_way = (n | ne).astype(np.int8) + (e | se) + (s | sw) + (w | nw)
    fewest = np.minimum(one_way, other_way)
    edge = ((s | sw | ~nw) & w) if second else ((n | ne | ~se) & e)
    return page[1:-1, 1:-1] & (branches == 1) & (fewest >= 2) & (fewest <= 3) & ~edge


def links(lines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pixels of thin lines and which of them touch.

    A diagonal step counts only where no straight pair of steps leads the same way.

    Args:
        lines: bool [H,W].

    Returns:
        int64 [P,2] places (x, y) row by row, and int64 [L,2] pairs of their numbers.
    """
    page = np.pad(lines, 1)
    number = np.full(page.shape, -1, np.int64)
    rows, columns = np.nonzero(page)
    number[rows, columns] = np.arange(len(rows))
    found = []
    for down, right in STEPS:
        there = number[rows + down, columns + right]
        joined = there >= 0
        if down and right:
            joined &= ~page[rows, columns + right] & ~page[rows + down, columns]
        found.append(np.stack([np.nonzero(joined)[0], there[joined]], axis=1))
    return np.stack([columns - 1, rows - 1], axis=1), np.concatenate(found)


def chains(count: int, pairs: np.ndarray) -> list[list[int]]:
    """Lines as runs of pixels, from one end or crossing to the next; a closed line ends where it began.

    Args:
        count: of pixels.
        pairs: [L,2], which of them touch.
    """
    near: list[list[int]] = [[] for _ in range(count)]
    for a, b in pairs.tolist():
        near[a].append(b)
        near[b].append(a)
    walked: set[tuple[int, int]] = set()
    found = []
    corners = [pixel for pixel in range(count) if len(near[pixel]) != 2]
    for start in [*corners, *range(count)]:
        for first in near[start]:
            if (start, first) not in walked:
                found.append(_walk(start, first, near, walked))
    return found


def _walk(start: int, first: int, near: list[list[int]], walked: set[tuple[int, int]]) -> list[int]:
    """From a pixel through a neighbour on to the next end, crossing or `start`; notes steps both ways."""
    run = [start, first]
    while len(near[run[-1]]) == 2 and run[-1] != start:
        one, other = near[run[-1]]
        run.append(other if one == run[-2] else one)
    for a, b in pairwise(run):
        walked |= {(a, b), (b, a)}
    return run


def simplified(line: np.ndarray, tolerance: float) -> list[int]:
    """Which points of a line [N,2] to keep for straight edges between them (Ramer 1972, Douglas and Peucker).

    Args:
        tolerance: how far, in pixels, the line may be from an edge.
    """
    kept, open_ends = {0, len(line) - 1}, [(0, len(line) - 1)]
    while open_ends:
        first, last = open_ends.pop()
        if last - first < 2:
            continue
        inner, along = line[first + 1 : last] - line[first], line[last] - line[first]
        length = np.hypot(*along)
        if length == 0:  # a closed line
            distance = np.linalg.norm(inner, axis=1)
        else:
            distance = np.abs(inner[:, 0] * along[1] - inner[:, 1] * along[0]) / length
        farthest = int(distance.argmax())
        if distance[farthest] > tolerance:
            middle = first + 1 + farthest
            kept.add(middle)
            open_ends += [(first, middle), (middle, last)]
    return sorted(kept)
