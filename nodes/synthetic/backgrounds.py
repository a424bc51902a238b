"""The six backgrounds: colour, depth and motion of whatever stands behind everything.

A background is a painting in world coordinates plus a depth for each of its heights: a wall far away,
and, for two of them, a floor that comes nearer towards the bottom.
"""

from __future__ import annotations

import functools
import math
import random
from typing import NamedTuple

import numpy as np

from . import patterns
from .camera import View
from .spec import BackgroundSpec
from .vocabulary import PALETTES, Color

WALL_DEPTH = 12.0
FLOOR_DEPTH = 4.0
"""Metres to the wall, and to the floor half a length below the frame's centre."""

HORIZON = 0.08
BAND_PIXELS = 1 << 16
"""Large pictures are painted in bands of rows about this big, which stay in the processor's cache."""


class Ground(NamedTuple):
    """Inverse depth by height: `wall` above the horizon, growing by `slope` per length below it."""

    wall: float
    slope: float
    horizon: float

    def inverse_depth(self, v: np.ndarray) -> np.ndarray:
        """1 / metres at world height v."""
        return self.wall + self.slope * np.maximum(v - self.horizon, 0)


def ground_of(background: BackgroundSpec) -> Ground:
    slope = 0.0
    if background.kind in ("checker_floor", "horizon"):
        slope = (1 / FLOOR_DEPTH - 1 / WALL_DEPTH) / (0.5 - HORIZON)
    return Ground(1 / WALL_DEPTH, slope, HORIZON)


def paint_background(
    background: BackgroundSpec, view: View, width: int, height: int, time: float
) -> np.ndarray:
    """The whole background as float32 [3, height, width] in 0..1."""
    picture = np.empty((3, height, width), np.float32)
    rows = max(1, BAND_PIXELS // width)
    x = np.arange(width, dtype=np.float32)[None] + np.float32(0.5)
    for top in range(0, height, rows):
        y = np.arange(top, min(top + rows, height), dtype=np.float32)[:, None] + np.float32(0.5)
        _PAINTERS[background.kind](background, view, x, y, time, picture[:, top : top + rows])
    return np.clip(picture, 0, 1, out=picture)


def world_at(
    background: BackgroundSpec, view: View, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """World coordinates of the background seen at pixels (x, y), parallax undone."""
    u, v = view.to_screen.inverse()(x, y)
    if view.truck:
        u = u + view.truck * ground_of(background).inverse_depth(v)
    return u, v


def drift(background: BackgroundSpec, time: float) -> float:
    """How far the painting has slid to the right, in lengths."""
    return background.speed * time if background.kind == "moving_bars" else 0.0


def _mix(out: np.ndarray, first: Color, second: Color, share: np.ndarray) -> None:
    for channel in range(3):
        out[channel] = first[channel] + np.float32(second[channel] - first[channel]) * share


def _shade(color: Color, factor: float) -> Color:
    return tuple(min(1.0, part * factor) for part in color)


def _plain(background, view, x, y, time, out) -> None:
    out[:] = np.array(PALETTES[background.palette][0], np.float32)[:, None, None]


def _gradient(background, view, x, y, time, out) -> None:
    first, second = PALETTES[background.palette]
    u, v = world_at(background, view, x, y)
    lean = 0.6 * math.sin(background.seed)
    _mix(out, _shade(first, 1.2), _shade(second, 0.85), np.clip(0.5 + 0.6 * v + lean * u, 0, 1))


def _checker_floor(background, view, x, y, time, out) -> None:
    dark, light = sorted(PALETTES[background.palette], key=sum)
    u, v = world_at(background, view, x, y)
    pixel = 1 / view.to_screen.scale
    below = np.maximum(v - HORIZON, 1e-4)
    depth = 0.16 / below
    footprint = 2 * pixel * depth / 0.16 * np.maximum(1, 0.35 * depth / 0.16)
    tiles = patterns.checkers(2 * u * depth / 0.16 + 0.25, 2.2 * depth, footprint)
    haze = np.clip((v - HORIZON) * 7, 0, 1)
    wall = np.clip(0.9 + 0.35 * v, 0, 1.2)
    for channel in range(3):
        bright, dim = 1.06 * light[channel], 0.78 * dark[channel]
        back = dark[channel] * wall
        out[channel] = back + haze * (bright + np.float32(dim - bright) * tiles - back)


def _moving_bars(background, view, x, y, time, out) -> None:
    first, second = PALETTES[background.palette]
    u, v = world_at(background, view, x, y)
    u = u - drift(background, time)
    lean = 0.5 * math.sin(background.seed)
    share = patterns.square_wave(3.5 * (u + lean * v), 3.5 / view.to_screen.scale)
    _mix(out, first, second, 0.5 + 0.5 * share)


@functools.lru_cache(maxsize=64)
def _clouds(seed: int) -> tuple[np.ndarray, ...]:
    """Waves of a 1/f texture: wave numbers per length [n, 2], phases [n] and amplitudes [n]."""
    rng = random.Random(seed)
    octaves = np.array([1.1 * 2 ** (index / 6) for index in range(30)])
    turns = np.array([rng.uniform(0, math.pi) for _ in octaves])
    phases = np.array([rng.uniform(0, 2 * math.pi) for _ in octaves])
    waves = 2 * math.pi * octaves[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    amplitudes = octaves**-0.85
    return waves, phases, amplitudes / np.sqrt(np.sum(amplitudes**2))


def _noise(background, view, x, y, time, out) -> None:
    """A sum of waves is linear in x and y under each sine, so it is one small matrix product."""
    first, second = PALETTES[background.palette]
    waves, phases, amplitudes = _clouds(background.seed)
    back = view.to_screen.inverse()
    origin = np.array([back.tx + view.truck / WALL_DEPTH, back.ty])
    per_x, per_y = waves @ (back.a, back.b), waves @ (-back.b, back.a)
    turns_x = x * per_x[:, None] + (waves @ origin + phases)[:, None]
    turns_y = y * per_y[None]
    left = np.concatenate([np.cos(turns_y) * amplitudes, np.sin(turns_y) * amplitudes], axis=1)
    right = np.concatenate([np.sin(turns_x), np.cos(turns_x)], axis=0)
    share = left.astype(np.float32) @ right.astype(np.float32)
    _mix(out, _shade(first, 1.06), _shade(second, 0.9), np.clip(0.5 + 0.4 * share, 0, 1))


def _horizon(background, view, x, y, time, out) -> None:
    first, second = PALETTES[background.palette]
    u, v = world_at(background, view, x, y)
    pixel = 1 / view.to_screen.scale
    rng = random.Random(background.seed)
    sky = np.clip(0.62 + 0.9 * (v - HORIZON), 0, 1)
    ground = np.clip(1.15 - 0.55 * (v - HORIZON), 0.5, 1.3)
    ridges = [(_ridge(rng, u, height), shade) for height, shade in ((0.16, 0.86), (0.07, 0.7))]
    covers = [(np.clip((v - HORIZON + ridge) / pixel + 0.5, 0, 1), shade) for ridge, shade in ridges]
    land = np.clip((v - HORIZON) / pixel + 0.5, 0, 1)
    for channel in range(3):
        top = first[channel] * 0.92
        color = top + (min(1.0, 1.35 * first[channel]) - top) * sky
        for cover, shade in covers:
            color = color + cover * (second[channel] * shade - color)
        out[channel] = color + land * (second[channel] * ground * (1.0, 1.06, 0.9)[channel] - color)


def _ridge(rng: random.Random, u: np.ndarray, height: float) -> np.ndarray:
    shares = ((1.3, 0.5), (2.9, 0.28), (5.1, 0.14), (9.7, 0.08))
    waves = [(hertz * rng.uniform(0.8, 1.2), rng.uniform(0, 6.28), share) for hertz, share in shares]
    return height * (0.75 + sum(share * np.sin(hertz * u + start) for hertz, start, share in waves))


_PAINTERS = {
    "plain": _plain,
    "gradient": _gradient,
    "checker_floor": _checker_floor,
    "noise": _noise,
    "horizon": _horizon,
    "moving_bars": _moving_bars,
}
