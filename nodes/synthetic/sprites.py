"""The things painted over the background: shapes, and the egg-shaped pieces that faces are made of.

A sprite knows its coverage of any pixel, its colour there, and which point of its material lies there.
The last is what makes optical flow exact: a material point is looked up now and found again later.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from . import patterns
from .geometry import Similarity
from .shapes import FIELDS, HULLS
from .vocabulary import Color


@dataclass(frozen=True)
class Sprite(ABC):
    """One painted surface at one instant.

    place: local coordinates → pixels.
    owner: index of the object or face it belongs to, counted within the scene.
    depth: metres.
    lap: changes when the object has left the world and come back; then no point of it can be followed.
    """

    place: Similarity
    owner: int
    depth: float
    lap: tuple[int, int] = (0, 0)

    @abstractmethod
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in pixels, tight around the whole surface."""

    @abstractmethod
    def cover(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Share of the pixel centred at local coordinates (u, v) that the surface covers, 0..1."""

    @abstractmethod
    def paint(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """At local coordinates [h, w]: coverage times opacity [h, w], and colour [3, h, w] or [3, 1, 1]."""

    def local(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels → local coordinates."""
        return self.place.inverse()(x, y)

    @abstractmethod
    def material(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The point of the material seen at pixels (x, y)."""

    @abstractmethod
    def screen(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where material points (u, v) are, in pixels: the inverse of `material`."""

    @property
    def opaque(self) -> bool:
        """Whether the surface hides what lies behind it (a blush on a cheek does not)."""
        return True


_TEXTURES = {
    "striped": (patterns.stripes, 1.9),
    "checkered": (patterns.checkers, 1.35),
    "dotted": (patterns.dots, 1.9),
}
"""How each texture is drawn, and its periods per radius."""


@dataclass(frozen=True)
class ShapeSprite(Sprite):
    """One of the shapes, with its texture and a little shading near the rim."""

    shape: str = "circle"
    texture: str = "solid"
    color: Color = (1.0, 1.0, 1.0)

    def box(self) -> tuple[float, float, float, float]:
        scale = self.place.scale
        discs = [(*self.place(u, v), radius * scale) for u, v, radius in HULLS[self.shape]]
        return (
            min(x - radius for x, _, radius in discs),
            min(y - radius for _, y, radius in discs),
            max(x + radius for x, _, radius in discs),
            max(y + radius for _, y, radius in discs),
        )

    def cover(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return self._filled(FIELDS[self.shape](u, v))

    def _filled(self, distance: np.ndarray) -> np.ndarray:
        return np.clip(0.5 - distance * np.float32(self.place.scale), 0, 1)

    def paint(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        distance = FIELDS[self.shape](u, v)
        rim = np.clip(1 + distance * np.float32(8), 0, 1)
        light = np.minimum(0.98 - np.float32(0.07) * (u + v), 1) - np.float32(0.28) * rim * rim
        color = _planes(self.color)
        if self.texture != "solid":
            color = color + (_planes(second_color(self.color)) - color) * self._texture(u, v)
        return self._filled(distance), color * light

    def _texture(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        draw, waves = _TEXTURES[self.texture]
        return draw(u * waves + 0.25, v * waves + 0.25, waves / self.place.scale)

    def material(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.local(x, y)

    def screen(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.place(u, v)


def _planes(color: Color) -> np.ndarray:
    """A colour as float32 [3, 1, 1]."""
    return np.array(color, np.float32)[:, None, None]


def second_color(color: Color) -> Color:
    """The other colour of a textured object: lighter, or darker where it is light already."""
    luma = 0.3 * color[0] + 0.59 * color[1] + 0.11 * color[2]
    if luma > 0.65:
        return tuple(0.62 * part for part in color)
    return tuple(part + 0.6 * (1 - part) for part in color)


@dataclass(frozen=True)
class Egg:
    """An ellipse whose lower half may be longer than its upper: centre and half-axes in head units."""

    x: float
    y: float
    wide: float
    up: float
    low: float

    def material(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Head coordinates → the unit disk."""
        down = y - self.y
        return (x - self.x) * (1 / self.wide), down * self._per_height(down)

    def head(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The unit disk → head coordinates."""
        return self.x + self.wide * u, self.y + v / self._per_height(v)

    def distance(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distance to the rim in head units, to first order, and the v of `material`."""
        down = y - self.y
        per_height = self._per_height(down)
        u, v = (x - self.x) * (1 / self.wide), down * per_height
        across, along = u * (1 / self.wide), v * per_height
        steep = np.sqrt(across * across + along * along + np.float32(1e-9))
        return (u * u + v * v - 1) / (2 * steep), v

    def _per_height(self, down: np.ndarray) -> np.ndarray | np.float32:
        if self.up == self.low:
            return np.float32(1 / self.up)
        return np.where(down < 0, np.float32(1 / self.up), np.float32(1 / self.low))

    def reach(self, across: float, along: float) -> float:
        """How far the rim reaches from the centre along a vector, times the vector's length."""
        return math.hypot(self.wide * across, (self.up if along < 0 else self.low) * along)


@dataclass(frozen=True)
class EggSprite(Sprite):
    """A piece of a face.

    clip: the piece shows only inside this other egg (an iris inside the eye's opening).
    shade: how much darker the colour is at the bottom than at the top. soft: width of the rim in head units.
    """

    egg: Egg = Egg(0, 0, 1, 1, 1)
    color: Color = (1.0, 1.0, 1.0)
    part: str = ""
    clip: Egg | None = None
    shade: float = 0.0
    soft: float = 0.0
    opacity: float = 1.0

    @property
    def opaque(self) -> bool:
        return self.opacity == 1.0 and self.soft == 0.0

    def box(self) -> tuple[float, float, float, float]:
        reach, a, b = self.egg.reach, self.place.a, self.place.b
        x, y = self.place(self.egg.x, self.egg.y)
        return x - reach(-a, b), y - reach(-b, -a), x + reach(a, -b), y + reach(b, a)

    def cover(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return self._cover(u, v)[0]

    def _cover(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coverage, and how far down the egg each point is, −1..1."""
        distance, along = self.egg.distance(u, v)
        cover = np.clip(0.5 - distance * np.float32(1 / max(self.soft, 1 / self.place.scale)), 0, 1)
        if self.clip:
            inside, _ = self.clip.distance(u, v)
            cover *= np.clip(0.5 - inside * np.float32(self.place.scale), 0, 1)
        return cover, along

    def paint(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        cover, along = self._cover(u, v)
        if self.opacity < 1:
            cover *= np.float32(self.opacity)
        color = _planes(self.color)
        if self.shade:
            light = np.clip(1 - np.float32(self.shade) * (along + 0.3), 0, 1.08)
            color = np.minimum(color * light, 1)
        return cover, color

    def material(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.egg.material(*self.local(x, y))

    def screen(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.place(*self.egg.head(u, v))


def pixels_inside(sprite: Sprite, width: int, height: int) -> tuple[slice, slice] | None:
    """Rows and columns of the frame that the sprite may touch, or None when it is out of sight."""
    left, top, right, bottom = sprite.box()
    rows = slice(max(math.floor(top - 1), 0), min(math.ceil(bottom + 1), height))
    columns = slice(max(math.floor(left - 1), 0), min(math.ceil(right + 1), width))
    return (rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None
