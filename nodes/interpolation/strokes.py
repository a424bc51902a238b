"""Painting straight strokes and dots, sharp or with smooth edges, each pixel by the stroke on top."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from .line_graph import LineGraph

PIECE = 16.0
"""Strokes are painted in pieces of at most so many pixels: a stroke is the union of its pieces."""
BATCH = 1 << 20
"""Pixels looked at together."""
LEVELS = 255
"""Shades of a smooth edge."""
GOLDEN = 0.618034
"""Of the colour circle, from each colour to the next: neighbours never look alike."""


class Painted(NamedTuple):
    """coverage: float32 [H,W], 1 inside a stroke. owner: int64 [H,W], the stroke's number, -1 outside all."""

    coverage: np.ndarray
    owner: np.ndarray


def paint(segments: np.ndarray, height: int, width: int, thickness: float, smooth: bool = True) -> Painted:
    """Strokes with round ends; a stroke of no length is a dot.

    Args:
        segments: [N,2,2], the places (x, y) of each stroke's ends in pixels; later ones lie on top.
        thickness: of the strokes in pixels.
        smooth: a pixel on the rim is covered in part; else it is in the stroke where its middle is.
    """
    top = np.full(height * width, -1, np.int64)
    starts, ends, owners = _pieces(np.asarray(segments, np.float64).reshape(-1, 2, 2))
    count = max(int(owners.max(initial=0)) + 1, 1)
    side = int(np.ceil(PIECE + thickness)) + 3
    for first in range(0, len(starts), max(1, BATCH // side**2)):
        some = slice(first, first + max(1, BATCH // side**2))
        pixels, distance = _near(starts[some], ends[some], thickness, side)
        covered = (thickness / 2 + 0.5 - distance).clip(0, 1) if smooth else distance <= thickness / 2
        shade = np.round(covered * LEVELS).astype(np.int64)
        x, y = pixels[..., 0], pixels[..., 1]
        seen = (shade > 0) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
        key = shade * count + owners[some, None]
        np.maximum.at(top, (y * width + x)[seen], key[seen])
    shown = top >= 0
    coverage = np.where(shown, top // count, 0).astype(np.float32) / LEVELS
    owner = np.where(shown, top % count, -1)
    return Painted(coverage.reshape(height, width), owner.reshape(height, width))


def _pieces(segments: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Starts and ends [P,2] of pieces, and the stroke [P] that each is of."""
    lengths = np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1)
    counts = np.maximum(np.ceil(lengths / PIECE).astype(np.int64), 1)
    owners = np.repeat(np.arange(len(segments)), counts)
    place = np.arange(len(owners)) - np.repeat(counts.cumsum() - counts, counts)
    step = (segments[:, 1] - segments[:, 0])[owners] / counts[owners, None]
    starts = segments[owners, 0] + step * place[:, None]
    return starts, starts + step, owners


def _near(starts: np.ndarray, ends: np.ndarray, thickness: float, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The pixels [P,side²,2] around each piece, and how far their middles are from it [P,side²]."""
    corner = np.floor(np.minimum(starts, ends) - thickness / 2 - 1).astype(np.int64)
    window = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(1, -1, 2)
    pixels = corner[:, None] + window
    along, from_start = (ends - starts)[:, None], pixels - starts[:, None]
    squared = np.maximum((along**2).sum(-1), 1e-12)
    share = ((from_start * along).sum(-1) / squared).clip(0, 1)
    return pixels, np.linalg.norm(from_start - share[..., None] * along, axis=-1)


def rasterised(graph: LineGraph, thickness: float, scale: float = 1.0) -> np.ndarray:
    """The ink of a drawing, float32 [H,W] in 0..1; `thickness` in pixels of the result."""
    height, width = (max(1, round(size * scale)) for size in (graph.height, graph.width))
    middle = (graph.segments + 0.5) * scale - 0.5  # pixel (0, 0) is centred half a pixel from the corner
    return paint(middle, height, width, thickness).coverage


def colours(count: int) -> np.ndarray:
    """Colours that are told apart, never black: float32 [count,3] in 0..1."""
    return np.array(
        [colorsys.hls_to_rgb(index * GOLDEN % 1, 0.6, 0.9) for index in range(count)], np.float32
    ).reshape(-1, 3)


def picture(painted: Painted, shades: np.ndarray) -> np.ndarray:
    """Painted strokes on black, each in its colour [N,3]: float32 [H,W,3]."""
    ink = np.concatenate([shades, np.zeros((1, 3), np.float32)])[painted.owner]
    return ink * painted.coverage[..., None]
