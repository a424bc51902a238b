"""Which shape a thing has, and where it is: the renderer's own shapes laid over the evidence.

T frames of H × W pixels; K templates (a shape at an angle) of N points; lengths in pixels, angles in radians.
Evidence is 1 where a pixel is surely the thing's, −1 where it is surely the background's, 0 where neither.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from ..synthetic.shapes import FIELDS

REACH, POINTS = 1.9, 28
"""Half the side of a template in units of its mean radius, and its points per side."""

CELL = 2 * REACH / POINTS
ANGLE_STEP = math.radians(10)

WORTH = 0.04
"""Share of the evidence that a changing size must gain over a constant one."""

PERIODS = {
    "circle": 0,
    "ring": 0,
    "square": 4,
    "cross": 4,
    "triangle": 3,
    "star": 5,
    "pentagon": 5,
    "hexagon": 6,
    "diamond": 2,
    "pill": 2,
    "heart": 1,
    "crescent": 1,
}
"""How often a shape looks the same in one turn; 0: at every angle."""


class Form(NamedTuple):
    """A shape's mean radius (that of the disc of equal area) and centroid, in units of its radius."""

    mean_radius: float
    centroid: tuple[float, float]


class Pose(NamedTuple):
    """Where things are in each frame, all [T] or [T, P]: centroid, mean radius, angle."""

    x: np.ndarray
    y: np.ndarray
    size: np.ndarray
    angle: np.ndarray

    def moved(self, x: np.ndarray, y: np.ndarray, size: np.ndarray, angle: np.ndarray) -> Pose:
        """Each pose by P moves: shifts in mean radii, log of the growth, turn: [T] and [P] → [T, P]."""
        old = [part[:, None] for part in self]
        return Pose(old[0] + x * old[2], old[1] + y * old[2], old[2] * np.exp(size), old[3] + angle)

    def chosen(self, index: np.ndarray) -> Pose:
        """One of P poses in each frame: [T, P] and [T] → [T]."""
        return Pose(*(np.take_along_axis(part, index[:, None], 1)[:, 0] for part in self))


class Fit(NamedTuple):
    """A shape laid over the evidence.

    center [T, 2] (x, y of the shape's own centre), radius [T], angle [T].
    support: evidence that the shape gathers in each frame, in pixels [T].
    """

    shape: str
    center: np.ndarray
    radius: np.ndarray
    angle: np.ndarray
    support: np.ndarray

    @property
    def quality(self) -> float:
        """Evidence per pixel of the shape, at most 1."""
        return float(
            self.support.sum() / (math.pi * (form_of(self.shape).mean_radius * self.radius) ** 2).sum()
        )


@functools.cache
def form_of(shape: str) -> Form:
    axis = np.linspace(-1.3, 1.3, 521)
    u, v = np.meshgrid(axis, axis)
    inside = FIELDS[shape](u, v) < 0
    area = inside.sum() * (axis[1] - axis[0]) ** 2
    return Form(math.sqrt(area / math.pi), (float(u[inside].mean()), float(v[inside].mean())))


@functools.cache
def _points() -> np.ndarray:
    """The points of a template in mean radii from its centroid: float32 [N, 2], x and y."""
    axis = (np.arange(POINTS, dtype=np.float32) + 0.5) * np.float32(CELL) - np.float32(REACH)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def template(shape: str, angle: float) -> np.ndarray:
    """How much of each point's cell the shape covers: float32 [N]."""
    radius, (u, v) = form_of(shape)
    x, y = _points().T * radius
    across, down = math.cos(angle), math.sin(angle)
    distance = FIELDS[shape](across * x + down * y + u, across * y - down * x + v)
    return np.clip(0.5 - distance / (CELL * radius), 0, 1).astype(np.float32)


@functools.cache
def _bank() -> tuple[list[tuple[str, float]], torch.Tensor]:
    """Every shape at every angle that looks different, and the templates [K, N]."""
    names = []
    for shape, period in PERIODS.items():
        turn = 2 * math.pi / period if period else ANGLE_STEP
        count = max(1, round(turn / ANGLE_STEP))
        names += [(shape, turn * index / count) for index in range(count)]
    return names, torch.from_numpy(np.stack([template(*name) for name in names]))


def fit_shape(evidence: np.ndarray, start: Pose, candidates: int = 3) -> list[Fit]:
    """The shapes that gather the most evidence, best first.

    Args:
        evidence: float32 [T, H, W].
        start: rough poses; their angles do not matter.
        candidates: how many shapes are fitted finely.
    """
    field = torch.from_numpy(evidence)[:, None]
    pose = start._replace(angle=np.zeros_like(start.x))
    for shift, growth in ((0.3, 0.3), (0.25, 0.2), (0.15, 0.1), (0.1, 0.06)):
        around = pose.moved(*_neighbourhood(shift, growth))
        gathered = _gathered(field, around)  # [T, P, K]
        pose = around.chosen(gathered.max(dim=2).values.argmax(dim=1).numpy())
    names, _ = _bank()
    totals = {
        shape: gathered[:, :, [name == shape for name, _ in names]].flatten(1).max(dim=1).values.sum().item()
        for shape in PERIODS
    }
    best = sorted(totals, key=totals.get, reverse=True)[:candidates]
    fits = [_refined(field, shape, _start_of(shape, around, gathered)) for shape in best]
    return sorted(fits, key=lambda fit: -fit.support.sum())


def _neighbourhood(shift: float, growth: float) -> tuple[np.ndarray, ...]:
    """Moves in place and size, 27 of them, as `Pose.moved` takes them."""
    moves = itertools.product((-shift, 0, shift), (-shift, 0, shift), (-growth, 0, growth), (0,))
    return tuple(np.array(list(moves), np.float32).T)


def _gathered(field: torch.Tensor, pose: Pose) -> torch.Tensor:
    """Evidence in pixels under every template at every pose [T, P]: → [T, P, K]."""
    _, templates = _bank()
    upright = pose._replace(angle=np.zeros_like(pose.angle))
    values = _sampled(field, upright) @ templates.T
    return values * torch.from_numpy((CELL * pose.size) ** 2).float()[..., None]


def _sampled(field: torch.Tensor, pose: Pose) -> torch.Tensor:
    """The evidence [T, 1, H, W] at the points of a template at poses [T, P]: → [T, P, N]."""
    x, y, size, angle = (torch.from_numpy(part).float()[..., None] for part in pose)
    u, v = torch.from_numpy(_points()).T
    across, down = size * angle.cos(), size * angle.sin()
    height, width = field.shape[2:]
    grid = torch.stack([x + across * u - down * v, y + down * u + across * v], dim=-1)
    grid = grid * torch.tensor([2 / width, 2 / height]) - 1
    return F.grid_sample(field, grid, padding_mode="zeros", align_corners=False)[:, 0]


def _start_of(shape: str, around: Pose, gathered: torch.Tensor) -> Pose:
    """The best pose in each frame that the bank has for one shape."""
    names, _ = _bank()
    rows = [row for row, (name, _) in enumerate(names) if name == shape]
    flat = gathered[:, :, rows].flatten(1).argmax(dim=1).numpy()
    pose = around.chosen(flat // len(rows))
    return pose._replace(angle=np.array([names[rows[row]][1] for row in flat % len(rows)]))


def _refined(field: torch.Tensor, shape: str, pose: Pose) -> Fit:
    """Climb in place, size and angle: every frame for itself, then all with one size or one course of it."""
    mask = torch.from_numpy(template(shape, 0.0))
    pose, support = _climbed(field, mask, pose, free_size=True)
    whole = _wholeness(pose, support, field.shape[2:])
    sizes = _steady_size(pose.size, whole)
    mean = np.full_like(sizes, np.average(pose.size, weights=whole))
    smooth = pose._replace(x=_smooth(pose.x, whole), y=_smooth(pose.y, whole), size=mean)
    changing, *constant = (
        _climbed(field, mask, start, free_size=False)
        for start in (pose._replace(size=sizes), pose._replace(size=mean), smooth)
    )
    steady = max(constant, key=lambda climbed: climbed[1].sum())
    better = changing[1].sum() > steady[1].sum() + WORTH * np.abs(steady[1]).sum()
    pose, support = changing if better else steady
    radius, (u, v) = form_of(shape)
    scale = pose.size / radius
    across, down = np.cos(pose.angle) * scale, np.sin(pose.angle) * scale
    center = np.stack([pose.x - across * u + down * v, pose.y - down * u - across * v], axis=1)
    return Fit(shape, center, scale, pose.angle, support)


def _climbed(field: torch.Tensor, mask: torch.Tensor, pose: Pose, free_size: bool) -> tuple[Pose, np.ndarray]:
    """The pose after steps that grow ever smaller, and the evidence it gathers: [T]."""
    shift, growth, turn = (0.08, 0.06, 0.5 * ANGLE_STEP) if free_size else (0.2, 0.0, 0.5 * ANGLE_STEP)
    for _ in range(6 if free_size else 9):
        ways = np.diag([shift, shift, growth, turn])
        around = pose.moved(*np.concatenate([np.zeros((1, 4)), ways, -ways]).T)
        values = (_sampled(field, around) @ mask).numpy() * (CELL * around.size) ** 2
        pose, support = around.chosen(values.argmax(axis=1)), values.max(axis=1)
        shift, growth, turn = (0.7 * step for step in (shift, growth, turn))
    return pose, support


def _wholeness(pose: Pose, support: np.ndarray, frame: tuple[int, int]) -> np.ndarray:
    """How much a frame's size is to be trusted, [T]: most where the thing is seen whole."""
    inside = 1.0
    for place, length in ((pose.x, frame[1]), (pose.y, frame[0])):
        inside = inside * np.clip((np.minimum(place, length - place) / pose.size + 1) / 2, 0.01, 1)
    return np.maximum(support / (np.pi * pose.size**2), 0.01) ** 2 * inside**4


def _smooth(places: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The parabola through places over time, [T]: where a thing is while it is hidden."""
    time = np.linspace(-1, 1, len(places))
    design = np.stack([np.ones_like(time), time, time**2], axis=1)
    root = np.sqrt(weights / weights.max())
    return design @ np.linalg.lstsq(design * root[:, None], places * root, rcond=None)[0]


def _steady_size(size: np.ndarray, weights: np.ndarray, rounds: int = 8) -> np.ndarray:
    """Sizes whose inverse changes evenly, as that of what comes nearer does: [T]."""
    time = np.linspace(-1, 1, len(size))
    design, inverse = np.stack([np.ones_like(time), time], axis=1), 1 / size
    trust = weights
    for _ in range(rounds):
        root = np.sqrt(trust)
        line = np.linalg.lstsq(design * root[:, None], inverse * root, rcond=None)[0]
        trust = weights / np.maximum(np.abs(inverse / (design @ line) - 1), 0.02)
    return 1 / np.clip(design @ line, inverse.min(), inverse.max())


def covered(fit: Fit, height: int, width: int, margin: float = 0.0) -> np.ndarray:
    """Pixels within `margin` pixels of the fitted shape: bool [T, H, W]."""
    y, x = np.mgrid[:height, :width].astype(np.float32) + np.float32(0.5)
    inside = np.empty((len(fit.radius), height, width), bool)
    for frame, ((cx, cy), radius, angle) in enumerate(zip(fit.center, fit.radius, fit.angle, strict=True)):
        across, down = math.cos(angle) / radius, math.sin(angle) / radius
        u, v = across * (x - cx) + down * (y - cy), across * (y - cy) - down * (x - cx)
        inside[frame] = FIELDS[fit.shape](u, v) < margin / radius
    return inside
