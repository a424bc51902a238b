"""Finding the things in a clip one after the other: the largest first, then what it leaves unexplained."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..synthetic.vocabulary import COLORS
from .oracle_colours import all_tones, distance_to, main_tones
from .oracle_foreground import find_backdrop, unlikeness
from .oracle_shapes import Fit, Pose, covered, fit_shape

SPREAD = 0.045
"""Standard deviation in Oklab of a pixel's colour around what was painted: softness, noise, drift."""

PRIOR = 0.1
"""Evidence against a thing where its colour and the background's are alike."""

LEAST_PIXELS = 14
"""A thing seen in fewer pixels per frame is no thing."""

LEAST_QUALITY = 0.3
"""Evidence per pixel that a shape must gather; what no shape gathers so much of is no thing."""

MOST_THINGS = 5


class Thing(NamedTuple):
    """Something that stands before the background.

    color: its word. fits: the shapes it may have, best first. evidence: float32 [T, H, W].
    """

    color: str
    fits: list[Fit]
    evidence: np.ndarray


def find_things(lab: np.ndarray) -> list[Thing]:
    """The things in a clip in Oklab, float32 [T, H, W, 3]."""
    far = unlikeness(lab, find_backdrop(lab))
    noise = float(np.median(far))
    left = far > np.clip(4 * noise, 1.2 * SPREAD, 2 * SPREAD)
    explained = np.zeros_like(left)
    things: list[Thing] = []
    while len(things) < MOST_THINGS:
        part = _largest_part(left := _solid(left))
        if part.sum() < LEAST_PIXELS * len(lab):
            break
        color = _color_of(lab[part])
        evidence = _evidence(lab, far, color)
        evidence[explained] = np.minimum(evidence[explained], 0)
        own = _connected(evidence > 0.2, part)
        if own.sum() < LEAST_PIXELS * len(lab):
            left &= ~part
            continue
        fits = fit_shape(evidence, _start(own))
        if fits[0].quality < LEAST_QUALITY:
            left &= ~part
            continue
        things.append(Thing(color, fits, evidence))
        taken = covered(fits[0], *left.shape[1:], margin=2.5) & (evidence > 0)
        explained |= taken
        left &= ~(taken if (taken & part).sum() > 0.2 * (own & part).sum() else part)
    return things


def _evidence(lab: np.ndarray, far: np.ndarray, color: str) -> np.ndarray:
    """For each pixel whether it is a thing's of that colour or the background's: −1..1.

    What is half of each speaks for neither, and so does what is far from both, as another thing is.
    """
    away = distance_to(all_tones(color), lab)
    lean = (far**2 - away**2) / (far**2 + away**2 + 0.02**2)
    known = np.exp(-0.5 * (np.minimum(far, away) / SPREAD) ** 2)
    return (lean * known - PRIOR * np.exp(-0.5 * (far / SPREAD) ** 2)).astype(np.float32)


def _solid(mask: np.ndarray) -> np.ndarray:
    """A mask [T, H, W] without its thin lines: what has most of its 8 neighbours."""
    rows = np.pad(mask, ((0, 0), (1, 1), (1, 1))).astype(np.int8)
    rows = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    return mask & (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:] >= 6)


def _color_of(lab: np.ndarray, most: int = 1500) -> str:
    """The colour word that explains the most of these pixels [n, 3], some of them with its main tones."""
    few = lab[:: max(1, len(lab) // most)]
    return max(COLORS, key=lambda color: _explained(color, few))


def _explained(color: str, lab: np.ndarray) -> float:
    whole, main = (
        np.exp(-0.5 * (distance_to(tones(color), lab) / SPREAD) ** 2) for tones in (all_tones, main_tones)
    )
    own = whole > 0.3
    share = (main[own] > 0.6).mean() if own.any() else 0.0
    return float((whole.mean() + 0.2 * main.mean()) * min(1.0, share / 0.3))


def _start(part: np.ndarray) -> Pose:
    """Centroid and mean radius of a part [T, H, W] in each frame, carried over to frames without it."""
    frames, height, width = part.shape
    area = part.sum(axis=(1, 2)).astype(np.float64)
    seen = np.flatnonzero(area >= LEAST_PIXELS / 2)
    if not len(seen):
        seen = np.array([int(area.argmax())])
    x = (part.sum(axis=1) @ (np.arange(width) + 0.5))[seen] / area[seen]
    y = (part.sum(axis=2) @ (np.arange(height) + 0.5))[seen] / area[seen]
    size = np.sqrt(area[seen] / np.pi)
    at = np.arange(frames)
    return Pose(*(np.interp(at, seen, values) for values in (x, y, size)), np.zeros(frames))


def _largest_part(mask: np.ndarray) -> np.ndarray:
    """The largest connected part of a mask [T, H, W]; pieces two pixels apart are connected."""
    if not mask.any():
        return mask
    labels = _labelled(_grown(mask))
    return mask & (labels == np.bincount(labels[mask]).argmax())


def _connected(mask: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """What of a mask is connected, through the mask, with most of its pixels in the seed."""
    if not (mask & seed).any():
        return mask & seed
    labels = _labelled(mask)
    return labels == np.bincount(labels[mask & seed]).argmax()


def _grown(mask: np.ndarray) -> np.ndarray:
    wide = mask.copy()
    wide[:, 1:] |= mask[:, :-1]
    wide[:, :-1] |= mask[:, 1:]
    grown = wide.copy()
    grown[:, :, 1:] |= wide[:, :, :-1]
    grown[:, :, :-1] |= wide[:, :, 1:]
    return grown


def _labelled(mask: np.ndarray) -> np.ndarray:
    """Number the connected parts of a mask: each pixel takes the least number that reaches it."""
    numbers = np.full(mask.shape, -1)
    numbers[mask] = np.arange(mask.sum())
    pairs = []
    for axis in range(mask.ndim):
        along = np.moveaxis(numbers, axis, 0)
        both = (along[:-1] >= 0) & (along[1:] >= 0)
        pairs.append(np.stack([along[:-1][both], along[1:][both]]))
    one, other = np.concatenate(pairs, axis=1)
    root = np.arange(mask.sum())
    while (root[one] != root[other]).any():
        least = np.minimum(root[one], root[other])
        np.minimum.at(root, root[one], least)
        np.minimum.at(root, root[other], least)
        while (root[root] != root).any():
            root = root[root]
    numbers[mask] = root
    return numbers
