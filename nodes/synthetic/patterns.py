"""Anti-aliased periodic patterns.

`footprint` is the width of a pixel in periods. Edges are ramps one pixel wide, and a pattern too fine
for the pixels fades to its mean instead of shimmering.
"""

from __future__ import annotations

import numpy as np


def square_wave(u: np.ndarray, footprint: float | np.ndarray) -> np.ndarray:
    """A wave of period 1 that is −1 for the first and last quarter of the period and 1 between."""
    distance = 0.25 - np.abs(u - np.floor(u) - 0.5)
    ramp = np.clip(distance * (2 / footprint), -1.0, 1.0)
    return ramp * np.clip(1.5 - footprint, 0.0, 1.0)


def checkers(u: np.ndarray, v: np.ndarray, footprint: float | np.ndarray) -> np.ndarray:
    """Share of the second colour, 0..1, in a checkerboard whose squares are half a period wide."""
    return 0.5 + 0.5 * square_wave(u, footprint) * square_wave(v, footprint)


def stripes(u: np.ndarray, v: np.ndarray, footprint: float) -> np.ndarray:
    """Share of the second colour in diagonal stripes."""
    return 0.5 + 0.5 * square_wave((u + v) * np.float32(0.7071), footprint)


def dots(u: np.ndarray, v: np.ndarray, footprint: float) -> np.ndarray:
    """Share of the second colour in a grid of dots, one to a period."""
    across, down = u - np.floor(u) - 0.5, v - np.floor(v) - 0.5
    return np.clip(0.5 + (0.27 - np.hypot(across, down)) / footprint, 0.0, 1.0)
