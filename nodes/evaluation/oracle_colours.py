"""Colours as the eye tells them apart, and what the procedural world's words look like once painted.

Colours are points in Oklab (Ottosson 2020), where equal distances look about equally different. A painted
thing is a cloud of such points: a shape is darker at its rim, a texture has a second colour, and edges mix.
"""

from __future__ import annotations

import functools
import itertools
from typing import NamedTuple

import numpy as np

from ..synthetic.sprites import second_color
from ..synthetic.vocabulary import BACKGROUNDS, COLORS, PALETTES

LIGHTS = np.linspace(0.68, 1.0, 7)
"""How dark a shape's shading makes its colour, from the rim to the middle."""

_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)


def oklab(colors: np.ndarray) -> np.ndarray:
    """sRGB in 0..1 as displayed → Oklab, both float32 [..., 3]."""
    colors = np.clip(np.asarray(colors, np.float32), 0, 1)
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T


def distance_to(points: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Distance of every colour to the nearest of n points: [n, 3] and [..., 3] → [...]."""
    flat = colors.reshape(-1, 3)
    squares = (points**2).sum(1)[:, None] - 2 * (points @ flat.T)  # the long axis last, where numpy is quick
    nearest = squares.min(axis=0) + (flat**2).sum(1)
    return np.sqrt(np.maximum(nearest, 0)).reshape(colors.shape[:-1])


@functools.cache
def main_tones(color: str) -> np.ndarray:
    """The colour itself under the shape's shading: Oklab [n, 3]."""
    return oklab(LIGHTS[:, None] * np.array(COLORS[color]))


@functools.cache
def all_tones(color: str) -> np.ndarray:
    """The colour, the second one of its textures, and what lies between, under the shading: Oklab [n, 3]."""
    ends = np.array(COLORS[color]), np.array(second_color(COLORS[color]))
    mixed = [first + share * (second - first) for first, second in [ends] for share in (0, 1 / 3, 2 / 3, 1)]
    return oklab(np.concatenate([LIGHTS[:, None] * tone for tone in mixed]))


class Ramp(NamedTuple):
    """A run of colours, Oklab [n, 3] from one end to the other.

    even: whether it lies evenly over its part of the picture, as a sky does, and not in patches.
    """

    tones: np.ndarray
    even: bool


STEPS = np.linspace(0, 1, 8)[:, None]


@functools.cache
def background_ramps(kind: str, palette: str) -> tuple[Ramp, ...]:
    """Every colour that a background of that kind and palette may show."""
    first, second = (np.array(color) for color in PALETTES[palette])
    if kind == "checker_floor":
        return _floor(first, second)
    if kind == "horizon":
        return _landscape(first, second)
    ends = {
        "plain": (first, first),
        "gradient": (1.2 * first, 0.85 * second),
        "noise": (1.06 * first, 0.9 * second),
        "moving_bars": (first, second),
    }[kind]
    return (_ramp(*ends, even=kind == "gradient"),)


def _ramp(one: np.ndarray, other: np.ndarray, even: bool = False, edge: float = 0.0) -> Ramp:
    """The run from one colour to the other; of a mere `edge` between them the first share is left out."""
    return Ramp(oklab(one + np.maximum(STEPS, edge) * (other - one)), even)


def _floor(first: np.ndarray, second: np.ndarray) -> tuple[Ramp, ...]:
    """The wall, the tiles, and the haze where they meet."""
    dark, light = sorted((first, second), key=sum)
    bright, dim, haze = 1.06 * light, 0.78 * dark, 0.94 * dark
    return (
        _ramp(0.72 * dark, haze, even=True),
        *(_ramp(*ends) for ends in ((bright, dim), (haze, bright), (haze, dim), (haze, (bright + dim) / 2))),
    )


def _landscape(first: np.ndarray, second: np.ndarray) -> tuple[Ramp, ...]:
    """The sky, two ridges, the ground, and their edges."""
    grass, sky = second * (1.0, 1.06, 0.9), 1.15 * first
    far, near = 0.86 * second, 0.7 * second
    edges = (sky, far), (sky, near), (far, near), (near, 1.1 * grass), (sky, 1.1 * grass)
    return (
        _ramp(0.92 * first, 1.25 * first, even=True),
        _ramp(0.87 * grass, 1.16 * grass, even=True),
        *(_ramp(*ends, edge=0.3) for ends in edges),
        _ramp(far, far),
        _ramp(near, near),
    )


BACKDROPS = tuple(itertools.product(BACKGROUNDS, PALETTES))
"""Every kind of background with every palette."""
