"""Strokes cover the pixels that are near enough."""

from __future__ import annotations

import numpy as np
import pytest
from interpolation.line_drawings import polyline
from kinograph.nodes.interpolation.strokes import colours, paint, picture


def distance(segment: np.ndarray, height: int, width: int) -> np.ndarray:
    """Of each pixel's middle from a segment, one pixel at a time."""
    a, b = segment
    found = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            way = np.array([x, y]) - a
            share = np.clip(way @ (b - a) / max((b - a) @ (b - a), 1e-12), 0, 1)
            found[y, x] = np.linalg.norm(way - share * (b - a))
    return found


@pytest.mark.parametrize("ends", [((3, 4), (50, 21)), ((-9, 5), (70, 30)), ((20.3, 11.7), (20.3, 11.7))])
@pytest.mark.parametrize("thickness", [1.0, 2.5, 9.0])
def test_coverage_follows_the_distance(ends, thickness):
    segment = np.array(ends, float)
    away = distance(segment, 32, 60)
    smooth = paint(segment[None], 32, 60, thickness).coverage
    np.testing.assert_allclose(smooth, (thickness / 2 + 0.5 - away).clip(0, 1), atol=0.003)
    sharp = paint(segment[None], 32, 60, thickness, smooth=False)
    assert ((sharp.owner == 0) == (away <= thickness / 2)).all()


def test_later_strokes_lie_on_top():
    crossing = np.concatenate([polyline((0, 10), (20, 10)), polyline((10, 0), (10, 20))])
    assert paint(crossing, 20, 20, 3.0).owner[10, 10] == 1
    assert paint(crossing[::-1], 20, 20, 3.0).owner[10, 10] == 1
    assert paint(crossing, 20, 20, 3.0).owner[10, 2] == 0


def test_nothing_is_black_where_there_is_ink():
    shades = colours(100)
    assert shades.max(axis=1).min() > 0.5
    drawn = picture(paint(polyline((2, 2), (2, 2)), 5, 5, 1.0, smooth=False), shades[:1])
    assert np.argwhere(drawn.any(axis=-1)).tolist() == [[2, 2]]
