"""Optical flow as colours, to look at."""

from __future__ import annotations

import numpy as np


def flow_colors(vectors: np.ndarray, full: float) -> np.ndarray:
    """Colour each vector: hue is its direction, saturation its length; no motion is white.

    Args:
        vectors: [..., 2] in pixels, x to the right and y down.
        full: length in pixels that is fully saturated, above 0.

    Returns:
        float32 [..., 3] in 0..1. Red points to the right, and hues follow clockwise.
    """
    hue = np.arctan2(vectors[..., 1], vectors[..., 0]) / (2 * np.pi)
    strength = np.clip(np.hypot(vectors[..., 0], vectors[..., 1]) / full, 0, 1)[..., None]
    sectors = (hue[..., None] + np.array([0.0, 2 / 3, 1 / 3], np.float32)) % 1.0
    pure = np.clip(np.abs(sectors * 6 - 3) - 1, 0, 1)
    return (1 - strength * (1 - pure)).astype(np.float32)
