"""The shapes as signed distances in local coordinates: negative inside, in units of the shape's radius.

Near an edge the value is the distance to it, which is what anti-aliasing needs; corners are sharp.
u points to the right and v down, before the object's own turn.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

Field = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _rays(count: int, first: float = -math.pi / 2) -> list[tuple[float, float]]:
    turns = (first + 2 * math.pi * index / count for index in range(count))
    return [(math.cos(turn), math.sin(turn)) for turn in turns]


def _regular(sides: int, radius: float) -> Field:
    """A regular polygon with a corner on top: the farthest of its half-planes."""
    inner = radius * math.cos(math.pi / sides)
    normals = _rays(sides, -math.pi / 2 + math.pi / sides)

    def field(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        farthest = normals[0][0] * u + normals[0][1] * v
        for x, y in normals[1:]:
            farthest = np.maximum(farthest, x * u + y * v)
        return farthest - inner

    return field


def _star(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A pentagram: the points outside at most one of its five lines, so the second largest distance."""
    first = second = np.float32(-np.inf)
    for x, y in _rays(5):
        distance = x * u + y * v
        second = np.maximum(second, np.minimum(first, distance))
        first = np.maximum(first, distance)
    return second - 1.12 * math.cos(math.radians(72))


def _circle(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.hypot(u, v) - 1


def _square(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.maximum(np.abs(u), np.abs(v)) - 0.86


def _ring(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.abs(np.hypot(u, v) - 0.74) - 0.26


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    across, down = np.abs(u), np.abs(v)
    return np.minimum(np.maximum(across - 1, down - 0.36), np.maximum(across - 0.36, down - 1))


_HEART = 0.6
"""Half the side of the heart's square; two circles of this radius sit on its upper sides."""


def _heart(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    side, down = np.abs(u), v - 0.09
    square = (side + np.abs(down)) * math.sqrt(0.5) - _HEART
    lobe = np.hypot(side - _HEART * math.sqrt(0.5), down + _HEART * math.sqrt(0.5)) - _HEART
    return np.minimum(square, lobe)


def _diamond(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return (np.abs(u) / 0.72 + np.abs(v) / 1.12 - 1) / math.hypot(1 / 0.72, 1 / 1.12)


def _crescent(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.maximum(np.hypot(u, v) - 1, 0.8 - np.hypot(u - 0.45, v))


def _pill(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.hypot(np.maximum(np.abs(u) - 0.55, 0), v) - 0.5


FIELDS: dict[str, Field] = {
    "circle": _circle,
    "square": _square,
    "triangle": _regular(3, 1.2),
    "star": _star,
    "pentagon": _regular(5, 1.08),
    "hexagon": _regular(6, 1.04),
    "ring": _ring,
    "cross": _cross,
    "heart": _heart,
    "diamond": _diamond,
    "crescent": _crescent,
    "pill": _pill,
}


def _corners(sides: int, radius: float) -> list[tuple[float, float, float]]:
    return [(radius * x, radius * y, 0.0) for x, y in _rays(sides)]


def _crescent_rim() -> list[tuple[float, float, float]]:
    tip = math.acos((1 + 0.45**2 - 0.8**2) / (2 * 0.45))
    turns = np.linspace(tip, 2 * math.pi - tip, 65)
    return [(math.cos(turn), math.sin(turn), 0.0) for turn in turns]


HULLS: dict[str, list[tuple[float, float, float]]] = {
    "circle": [(0, 0, 1)],
    "square": [(x, y, 0) for x in (-0.86, 0.86) for y in (-0.86, 0.86)],
    "triangle": _corners(3, 1.2),
    "star": _corners(5, 1.12),
    "pentagon": _corners(5, 1.08),
    "hexagon": _corners(6, 1.04),
    "ring": [(0, 0, 1)],
    "cross": [(sx * x, sy * y, 0) for x, y in ((1, 0.36), (0.36, 1)) for sx in (-1, 1) for sy in (-1, 1)],
    "heart": [(x * _HEART * math.sqrt(0.5), 0.09 - _HEART * math.sqrt(0.5), _HEART) for x in (-1, 1)]
    + [(0, 0.09 + _HEART * math.sqrt(2), 0)],
    "diamond": [(0.72, 0, 0), (-0.72, 0, 0), (0, 1.12, 0), (0, -1.12, 0)],
    "crescent": _crescent_rim(),
    "pill": [(-0.55, 0, 0.5), (0.55, 0, 0.5)],
}
"""Discs (u, v, radius) whose convex hull is the shape's: exact bounding boxes follow from them."""
