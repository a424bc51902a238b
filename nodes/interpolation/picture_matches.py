"""Straight lines and corners of two pictures, and which belong together, by what is seen around them."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .skeleton import chains, links, simplified, thin
from .transport import mutual_matches
from .vectorise import LUMA

STRONG, WEAK = 0.06, 0.02
"""Slope of the brightness, per pixel, that an edge reaches somewhere, and everywhere."""
STRAIGHT = 1.5
"""Pixels that an edge may be off a straight line."""
ALONG, ACROSS, REACH = 16, 9, 8.0
"""Samples of the strip beside a line, along it and across, and the strip's half width in pixels."""
PATCH = 13
"""Pixels of the side of what is looked at around a corner."""
APART = 9
"""Pixels of the side of the square in which a corner is the sharpest."""
FAINT = 0.0005
"""Of the sharpest corner's sharpness, the least."""
FAR, TURNED, LONGER, STRONGER = 0.5, 0.3, 0.3, 0.15
"""What a distance of the diagonal, a right angle, and e times the length or contrast take from a likeness."""


class Features(NamedTuple):
    """Lines, or points as lines of no length.

    segments: [N,2,2], places (x, y) of the ends in pixels.
    looks: float32 [N,K], what is seen around each, of mean 0 and length 1.
    contrast: float32 [N], how much the brightness varies there.
    """

    segments: np.ndarray
    looks: np.ndarray
    contrast: np.ndarray


class Matched(NamedTuple):
    """Segments [N,2,2] of the first picture and their partners in the second, in pixels."""

    first: np.ndarray
    second: np.ndarray


def brightness_of(image: np.ndarray) -> np.ndarray:
    """A picture [H,W,C] in 0..1 as brightness [H,W]."""
    return image[..., :3] @ LUMA


def _slopes(brightness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How the brightness [H,W] rises to the right and down, per pixel, a little smoothed."""
    page = np.pad(brightness, 2, mode="edge")
    for axis in (0, 1):
        moved = [np.roll(page, step, axis) for step in (-1, 1)]
        page = (moved[0] + 2 * page + moved[1]) / 4
    down, right = np.gradient(page)
    return right[2:-2, 2:-2], down[2:-2, 2:-2]


def lines_of(image: np.ndarray, shortest: float, most: int) -> Features:
    """The longest straight edges of a picture [H,W,C], each with its brighter side on its left.

    Args:
        shortest: least length in pixels.
        most: how many at most.
    """
    brightness = brightness_of(image)
    right, down = _slopes(brightness)
    strength = np.hypot(right, down)
    places, pairs = links(thin(_ridges(strength, right, down)))
    found = []
    for run in chains(len(places), pairs):
        line = places[run]
        if strength[line[:, 1], line[:, 0]].max() < STRONG:
            continue
        for a, b in pairwise(simplified(line.astype(np.float64), STRAIGHT)):
            if np.linalg.norm(line[b] - line[a]) >= shortest:
                x, y = line[a : b + 1].T
                found.append(_with_light_on_left(line[[a, b]], right[y, x].sum(), down[y, x].sum()))
    segments = np.array(found, np.float64).reshape(-1, 2, 2)
    longest = np.argsort(-np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1), kind="stable")[:most]
    return _features(segments[longest], _strips(brightness, segments[longest]))


def _ridges(strength: np.ndarray, right: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Pixels where the slope is steepest across an edge (Canny 1986), bool [H,W]."""
    page = np.pad(strength, 1)
    high, wide = strength.shape
    sector = np.round(np.arctan2(down, right) / (np.pi / 4)).astype(np.int64) % 4
    steps = np.array([(0, 1), (1, 1), (1, 0), (1, -1)])[sector]
    rows, columns = np.mgrid[1 : high + 1, 1 : wide + 1]
    ahead = page[rows + steps[..., 0], columns + steps[..., 1]]
    behind = page[rows - steps[..., 0], columns - steps[..., 1]]
    return (strength > WEAK) & (strength >= ahead) & (strength > behind)


def _with_light_on_left(ends: np.ndarray, right: float, down: float) -> np.ndarray:
    """A segment [2,2] in the direction that has the slope's rise on its left."""
    x, y = ends[1] - ends[0]
    return ends if x * down - y * right < 0 else ends[::-1]


def _strips(brightness: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """The brightness along both sides of lines: [N,ALONG·ACROSS]."""
    along = segments[:, 1] - segments[:, 0]
    lengths = np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) / lengths
    share = ((np.arange(ALONG) + 0.5) / ALONG)[:, None, None]
    aside = np.linspace(-REACH, REACH, ACROSS)[None, :, None]
    places = segments[:, 0, None, None] + along[:, None, None] * share + across[:, None, None] * aside
    return _sampled(brightness, places)


def corners_of(image: np.ndarray, most: int) -> Features:
    """The sharpest corners of a picture [H,W,C] (Harris and Stephens 1988)."""
    brightness = brightness_of(image)
    right, down = _slopes(brightness)
    products = torch.from_numpy(np.stack([right * right, down * down, right * down])).float()[None]
    xx, yy, xy = torch.nn.functional.avg_pool2d(products, 5, 1, 2, count_include_pad=False)[0]
    sharp = xx * yy - xy**2 - 0.05 * (xx + yy) ** 2
    highest = torch.nn.functional.max_pool2d(sharp[None, None], APART, 1, APART // 2)[0, 0]
    rows, columns = torch.nonzero((sharp == highest) & (sharp > FAINT * sharp.max()), as_tuple=True)
    order = sharp[rows, columns].argsort(descending=True, stable=True)[:most]
    points = torch.stack([columns[order], rows[order]], dim=1).double().numpy()
    reach = np.arange(PATCH) - PATCH // 2
    window = np.stack(np.meshgrid(reach, reach), axis=-1)
    return _features(
        np.repeat(points[:, None], 2, axis=1), _sampled(brightness, points[:, None, None] + window)
    )


def _sampled(brightness: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Brightness at places [N,…,2], between pixels by shares; beyond the rim that of the rim: [N,K]."""
    high, wide = brightness.shape
    x, y = places[..., 0].clip(0, wide - 1), places[..., 1].clip(0, high - 1)
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    to_right, to_bottom = np.minimum(left + 1, wide - 1), np.minimum(top + 1, high - 1)
    upper = brightness[top, left] * (1 - x + left) + brightness[top, to_right] * (x - left)
    lower = brightness[to_bottom, left] * (1 - x + left) + brightness[to_bottom, to_right] * (x - left)
    return (upper * (1 - y + top) + lower * (y - top)).reshape(len(places), math.prod(places.shape[1:-1]))


def _features(segments: np.ndarray, seen: np.ndarray) -> Features:
    """Segments [N,2,2] with the brightness [N,K] that is seen around them."""
    level = (seen - seen.mean(axis=1, keepdims=True)).astype(np.float32)
    contrast = np.maximum(np.linalg.norm(level, axis=1), 1e-6)
    return Features(segments, level / contrast[:, None], contrast)


def matched(first: Features, second: Features, diagonal: float, least: float) -> Matched:
    """Those that prefer each other, by looks less what distance, turn, length and contrast take away.

    Args:
        diagonal: of the pictures, in pixels.
        least: likeness, of at most 1, that a pair must have.
    """
    scores = torch.from_numpy(first.looks @ second.looks.T) - _unlikeness(first, second, diagonal)
    partner = mutual_matches(scores, least).numpy()
    found = partner >= 0
    return Matched(first.segments[found], second.segments[partner[found]])


def _unlikeness(first: Features, second: Features, diagonal: float) -> Tensor:
    """What each pair's distance, turn, length and contrast take from its likeness, [M,N]."""
    one, other = (torch.from_numpy(features.segments).float() for features in (first, second))
    apart = torch.cdist(one.mean(dim=1), other.mean(dim=1)) / diagonal
    ways = [(segments[:, 1] - segments[:, 0]) for segments in (one, other)]
    lengths = [way.norm(dim=1).clamp(min=1.0) for way in ways]
    heading = [torch.atan2(way[:, 1], way[:, 0]) for way in ways]
    turn = (heading[0][:, None] - heading[1][None]).cos().clamp(-1, 1).acos() / (torch.pi / 2)
    longer, stronger = (
        (one.log()[:, None] - other.log()[None]).abs()
        for one, other in (lengths, [torch.from_numpy(each.contrast) for each in (first, second)])
    )
    return FAR * apart + TURNED * turn + LONGER * longer + STRONGER * stronger
