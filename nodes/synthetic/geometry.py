"""Similarity transforms of the plane: turn, scale and move."""

from __future__ import annotations

import math
from typing import Any, NamedTuple


class Similarity(NamedTuple):
    """(x, y) → (a·x − b·y + tx, b·x + a·y + ty). Works on floats and on arrays that broadcast."""

    a: float
    b: float
    tx: float
    ty: float

    @classmethod
    def make(cls, scale: float, angle: float, tx: float, ty: float) -> Similarity:
        """Scale and turn (radians) about the origin, then move."""
        return cls(scale * math.cos(angle), scale * math.sin(angle), tx, ty)

    @property
    def scale(self) -> float:
        return math.hypot(self.a, self.b)

    def __call__(self, x: Any, y: Any) -> tuple[Any, Any]:
        if self.b == 0.0:  # an axis stays an axis: [1,W] and [H,1] inputs keep their cheap shapes
            return self.a * x + self.tx, self.a * y + self.ty
        return self.a * x + (self.tx - self.b * y), self.b * x + (self.a * y + self.ty)

    def after(self, first: Similarity) -> Similarity:
        """The transform that applies `first`, then this one."""
        tx, ty = self(first.tx, first.ty)
        return Similarity(
            self.a * first.a - self.b * first.b, self.b * first.a + self.a * first.b, float(tx), float(ty)
        )

    def inverse(self) -> Similarity:
        square = self.a * self.a + self.b * self.b
        a, b = self.a / square, -self.b / square
        return Similarity(a, b, -(a * self.tx - b * self.ty), -(b * self.tx + a * self.ty))
