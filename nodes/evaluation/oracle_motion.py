"""Which motion a thing makes: every motion of the vocabulary fitted to its course, the likeliest taken.

Places are in lengths (the frame's shorter side), x to the right and y down; times in seconds; T frames.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from ..synthetic.vocabulary import DIRECTIONS
from .oracle_shapes import PERIODS, Fit

PLACE_ERROR = 0.006
"""Standard deviation of a measured place, in lengths."""

GROWTH = 0.16
"""Log of the least growth over a clip that counts as coming closer, or of the least shrinking."""

SPIN = 0.9
"""Radians per second from which on a turn is a spin."""


class Course(NamedTuple):
    """Ways that one motion may go: places [G, 2T] are design [G, 2T, K] times K unknowns.

    size: index pair of the unknowns whose length is the motion's speed or reach, within `least` to `most`.
    free: unknowns and searched parameters, which make it easier to fit.
    """

    kind: str
    design: np.ndarray
    size: tuple[int, ...]
    least: float
    most: float
    free: int


def motion_of(fit: Fit, frames: np.ndarray, evidence: np.ndarray, fps: float) -> str:
    """The motion of a fitted thing.

    Args:
        frames: the clip in Oklab, float32 [T, H, W, 3]; it shows how the thing's surface turns.
        evidence: what was fitted, [T, H, W].
    """
    growth = math.log(fit.radius[-1] / fit.radius[0])
    if abs(growth) > GROWTH:
        return "closer" if growth > 0 else "away"
    short = min(frames.shape[1:3])
    kind = _kind_of_course(fit.center / short, fit.support / fit.support.max(), fps)
    if kind != "still":
        return kind
    turning = turn_per_frame(fit, frames, evidence) * fps
    if abs(turning) < SPIN:
        return "still"
    return "spin_cw" if turning > 0 else "spin_ccw"


def _kind_of_course(places: np.ndarray, trust: np.ndarray, fps: float) -> str:
    """The motion whose best course costs least: places [T, 2], trust in each [T]."""
    costs = {}
    values = places.T.reshape(-1)
    weights = np.tile(np.clip(trust, 0.02, 1) ** 2, 2)
    for course in _courses(len(places), fps):
        scaled = course.design * weights[:, None]
        squares = scaled.swapaxes(1, 2) @ course.design + 1e-9 * np.eye(course.design.shape[2])
        unknowns = np.linalg.solve(squares, scaled.swapaxes(1, 2) @ values[:, None])[..., 0]
        misses = np.einsum("gnk,gk->gn", course.design, unknowns) - values
        error = (weights * np.log1p(misses**2 / (2 * PLACE_ERROR**2))).sum(
            axis=1
        )  # single misses count little
        cost = (error + _strangeness(course, unknowns)).min() + 1.5 * course.free
        costs[course.kind] = min(cost, costs.get(course.kind, math.inf))
    return min(costs, key=costs.get)


def _strangeness(course: Course, unknowns: np.ndarray) -> np.ndarray:
    """What it costs to be slower or faster, wider or narrower, than such motions are."""
    if not course.size:
        return np.zeros(len(unknowns))
    first = unknowns[:, course.size[0]]
    size = first if len(course.size) == 1 else np.hypot(first, unknowns[:, course.size[1]])
    usual = np.clip(size, course.least, course.most)
    return 40 * np.log(np.maximum(size, 1e-3) / usual) ** 2


@functools.lru_cache(maxsize=16)
def _courses(frames: int, fps: float) -> tuple[Course, ...]:
    time = np.arange(frames) / fps
    return tuple(_all_courses(time))


def _all_courses(time: np.ndarray) -> Iterator[Course]:
    """The motions as they are drawn: speeds, reaches and periods in the ranges that clips are drawn from."""
    one, none = np.ones_like(time), np.zeros_like(time)
    rest = [(one, none), (none, one)]
    yield Course("still", _design(rest), (), 0, 0, 2)
    for kind, (x, y) in DIRECTIONS.items():
        if not kind.startswith("stop_go"):
            yield Course(kind, _design([*rest, (x * time, y * time)]), (2,), 0.22, 0.5, 3)
    for kind, way in (("stop_go_right", 1), ("stop_go_left", -1)):
        designs = [_design([*rest, (way * steps, none)]) for steps in _step_courses(time)]
        yield Course(kind, np.concatenate(designs), (2,), 0.2, 0.35, 5)
    swings, circles = [], {"circle_cw": [], "circle_ccw": []}
    for period in np.linspace(1.2, 2.2, 11):
        turn = 2 * math.pi * time / period
        if period <= 2.0:
            swings.append(_design([*rest, (np.cos(turn), none), (np.sin(turn), none)]))
        for kind, way in (("circle_cw", 1), ("circle_ccw", -1)):
            round_trip = [(np.cos(turn), way * np.sin(turn)), (np.sin(turn), -way * np.cos(turn))]
            circles[kind].append(_design([*rest, *round_trip]))
    yield Course("swing", np.concatenate(swings), (2, 3), 0.15, 0.28, 5)
    for kind, designs in circles.items():
        yield Course(kind, np.concatenate(designs), (2, 3), 0.12, 0.22, 5)
    bounces = [_design([*rest, (none, -hop), (time, none)]) for hop in _hops(time)]
    yield Course("bounce", np.concatenate(bounces), (2,), 0.9, 1.1, 6)


def _design(columns: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Columns of x and y over time as one design [1, 2T, K]."""
    return np.stack([np.concatenate(column) for column in columns], axis=1)[None]


def _step_courses(time: np.ndarray) -> Iterator[np.ndarray]:
    """Distance at a speed of 1 in eased steps with rests, for each period and phase."""
    for period in np.linspace(0.7, 1.2, 9):
        for phase in np.arange(0, 1, 1 / 24):
            periods = time / period + phase
            part = np.minimum(2 * (periods % 1.0), 1.0)
            yield period * (np.floor(periods) + part * part * (3 - 2 * part))


def _hops(time: np.ndarray) -> Iterator[np.ndarray]:
    """Heights of bounces under gravity, for each height and phase."""
    for height in np.linspace(0.25, 0.5, 9):
        for phase in np.arange(0, 1, 1 / 24):
            part = (time / (1.35 * math.sqrt(height)) + phase) % 1.0
            yield 4 * height * part * (1 - part)


RINGS = np.array([0.25, 0.42, 0.58, 0.72], np.float32)
RIM = np.array([0.5, 0.7, 0.85, 1.0], np.float32)
"""Where a thing's surface and its outline are looked at, in radii."""
ANGLES = 64
HARMONICS = 13


def turn_per_frame(fit: Fit, lab: np.ndarray, evidence: np.ndarray) -> float:
    """Radians per frame that a thing's surface and outline turn clockwise; 0 where rest explains as much.

    Around the centre each ring is a periodic signal; a turn multiplies its k-th harmonic by e^(−ikωt), so
    the right ω brings all frames in phase.
    """
    surface = _on_rings(lab.transpose(0, 3, 1, 2), fit, RINGS)
    own = _on_rings(evidence[:, None], fit, RINGS) > 0.3
    mean = (surface * own).sum(-1, keepdims=True) / np.maximum(own.sum(-1, keepdims=True), 1)
    surface = _harmonics(np.where(own, surface, mean))  # what covers a thing does not turn with it
    speeds = np.linspace(-0.25, 0.25, 201)
    order = np.arange(1, HARMONICS)[:, None, None] * speeds[:, None] * np.arange(len(lab))
    back = np.exp(1j * order)  # [k, ω, t]
    agreement = _agreement(surface, back, 1e-4)
    if PERIODS[fit.shape]:
        outline = _harmonics(_on_rings(evidence[:, None], fit, RIM))
        agreement += _agreement(outline, back, 0.02)
    best = int(agreement.argmax())
    standing = agreement[np.abs(speeds) < 0.02].max()
    return float(speeds[best]) if agreement[best] > standing + 0.02 else 0.0


def _on_rings(pictures: np.ndarray, fit: Fit, radii: np.ndarray) -> np.ndarray:
    """Pictures [T, C, H, W] on rings around the thing: [T, C, R, angles]."""
    turns = np.arange(ANGLES, dtype=np.float32) * np.float32(2 * math.pi / ANGLES)
    rays = np.stack([np.cos(turns), np.sin(turns)], axis=-1)
    places = fit.center[:, None, None] + (fit.radius[:, None] * radii)[..., None, None] * rays
    height, width = pictures.shape[2:]
    grid = torch.from_numpy((places * (2 / width, 2 / height) - 1).astype(np.float32))
    return F.grid_sample(torch.from_numpy(np.ascontiguousarray(pictures)), grid, align_corners=False).numpy()


def _harmonics(rings: np.ndarray) -> np.ndarray:
    """Rings [T, C, R, angles] → their first harmonics, without the mean: complex [T, C·R, k]."""
    waves = np.fft.rfft(rings, axis=-1)[..., 1:HARMONICS] / ANGLES
    return waves.reshape(len(rings), -1, HARMONICS - 1)


def _agreement(rings: np.ndarray, back: np.ndarray, noise: float) -> np.ndarray:
    """How well the frames agree once turned back, for each speed: 0 to 1; `noise` is a variance."""
    summed = np.einsum("trk,kwt->wrk", rings, back)
    power = (np.abs(rings) ** 2).sum() * len(rings)
    floor = noise * rings.shape[1] * len(rings) ** 2
    return (np.abs(summed) ** 2).sum(axis=(1, 2)) / (power + floor)
