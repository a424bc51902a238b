"""Drawing the parts of a scene at random: objects that stay in sight, faces, camera moves, backgrounds."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from . import vocabulary as words
from .camera import view_at
from .kinematics import object_pose
from .phonemes import speak
from .spec import BackgroundSpec, CameraSpec, FaceSpec, MotionSpec, ObjectSpec

MIN_CONTRAST = 0.2
"""Least distance in RGB between an object's colour and both colours of its background."""


class Shot(NamedTuple):
    """What placing an object must know: length in seconds, half the frame in lengths, and the camera move."""

    seconds: float
    half_extent: tuple[float, float]
    camera: CameraSpec


def draw_object(
    rng: random.Random,
    looks: dict[str, str],
    motion: str,
    shot: Shot,
    others: list[ObjectSpec],
    pace: float = 1.0,
) -> ObjectSpec:
    """An object of given looks and motion, placed to stay in sight and clear of where others begin."""
    best, best_cost = None, math.inf
    for _ in range(12):
        obj = _placed(rng, looks, motion, shot, pace)
        cost = _cost(obj, others, shot)
        if cost < best_cost:
            best, best_cost = obj, cost
        if cost == 0:
            break
    return best


def _placed(rng: random.Random, looks: dict[str, str], motion: str, shot: Shot, pace: float) -> ObjectSpec:
    moving = _draw_motion(rng, motion, shot.seconds, pace)
    half_extent = shot.half_extent
    nearest, farthest = {"closer": (1.7, 2.2), "away": (1.1, 1.4)}.get(motion, (1.1, 2.2))
    depth = rng.uniform(nearest, farthest)
    x = rng.uniform(-0.85, 0.85) * half_extent[0]
    y = rng.uniform(-0.8, 0.8) * half_extent[1]
    if motion == "bounce":
        y = rng.uniform(0.4, 0.75) * half_extent[1]
    angle = 0.0 if rng.random() < 0.6 else rng.uniform(-0.5, 0.5)
    return ObjectSpec(x=x, y=y, depth=depth, angle=angle, motion=moving, **looks)


def _draw_motion(rng: random.Random, kind: str, seconds: float, pace: float) -> MotionSpec:
    way, phase = rng.choice((-1, 1)), rng.random()
    if kind in ("circle_cw", "circle_ccw"):
        return MotionSpec(kind, 0.0, rng.uniform(0.12, 0.22), rng.uniform(1.2, 2.2) / pace, phase)
    if kind == "bounce":
        height = rng.uniform(0.25, 0.5)
        period = 1.35 * math.sqrt(height) / pace  # as under gravity: twice as high lasts √2 as long
        return MotionSpec(kind, way * rng.uniform(0, 0.15) * pace, height, period, phase)
    if kind in ("closer", "away"):
        amplitude = rng.uniform(1.4, 1.7) if kind == "closer" else rng.uniform(0.45, 0.6)
        return MotionSpec(kind, amplitude=amplitude, period=seconds / pace)
    if kind in ("spin_cw", "spin_ccw"):
        return MotionSpec(kind, rng.uniform(1.5, 3.5) * pace)
    if kind == "swing":
        return MotionSpec(kind, 0.0, rng.uniform(0.15, 0.28), rng.uniform(1.2, 2.0) / pace, phase)
    if kind.startswith("stop_go"):
        return MotionSpec(kind, rng.uniform(0.2, 0.35) * pace, 0.0, rng.uniform(0.7, 1.2) / pace, phase)
    return MotionSpec(kind, rng.uniform(0.22, 0.5) * pace if kind != "still" else 0.0)


def _cost(obj: ObjectSpec, others: list[ObjectSpec], shot: Shot) -> float:
    """How far out of sight the object gets early on, plus how much it starts on top of another."""
    half_x, half_y = shot.half_extent
    cost = 0.0
    for part in (0.0, 0.5, 1.0):
        time = min(part * shot.seconds, 3.0)
        pose = object_pose(obj, time, shot.half_extent)
        view = view_at(shot.camera, time, shot.seconds, 2 * half_x, 2 * half_y)
        x, y = view.to_screen(pose.x - view.truck / obj.depth, pose.y)
        reach = (0.9 if part < 1 else 0.5) * obj.radius
        cost += max(0.0, abs(x - half_x) - half_x + reach) + max(0.0, abs(y - half_y) - half_y + reach)
    start = object_pose(obj, 0.0, shot.half_extent)
    for other in others:
        there = object_pose(other, 0.0, shot.half_extent)
        cost += max(0.0, 0.8 * (obj.radius + other.radius) - math.hypot(start.x - there.x, start.y - there.y))
    return cost


def draw_face(
    rng: random.Random,
    seconds: float,
    half_extent: tuple[float, float],
    looks: Mapping[str, str] = MappingProxyType({}),
) -> FaceSpec:
    """A face that says a sentence of its own for `seconds`; `looks` fixes skin, hair, hair_style or shirt."""
    radius = rng.uniform(0.22, 0.27)
    blinks, time = [], rng.uniform(0.3, 2.0)
    while time < seconds:
        blinks.append(round(time, 3))
        time += rng.uniform(1.5, 4.0)
    drawn = {
        "skin": rng.choice(tuple(words.SKINS)),
        "hair": rng.choice(tuple(words.HAIRS)),
        "hair_style": rng.choices(words.HAIR_STYLES, (5, 5, 1))[0],
        "shirt": rng.choice(tuple(words.COLORS)),
    }
    return FaceSpec(
        speech=speak(rng, seconds, start=min(rng.uniform(0.0, 0.15), seconds / 4)),
        **(drawn | dict(looks)),
        x=rng.uniform(-0.06, 0.06) + rng.choice((-0.25, 0, 0.25)) * (half_extent[0] - 0.5),
        y=half_extent[1] - 2.1 * radius + rng.uniform(-0.02, 0.02),
        radius=radius,
        blinks=tuple(blinks),
        sway=rng.random(),
    )


def draw_camera(rng: random.Random, move: str, seconds: float, reach: float = 1.0) -> CameraSpec:
    """A camera move whose total extent suits a scene of that length; `reach` scales it."""
    extents = {"static": 0.0, "zoom_in": 0.35, "zoom_out": 0.35, "roll": 0.5, "shake": 0.02}
    extent = extents.get(move, 0.3) * rng.uniform(0.7, 1.3)
    grown = 1.0 if move == "shake" else min(1.0, 0.4 + 0.3 * seconds)
    return CameraSpec(move, extent * grown * reach, rng.random())


def draw_background(rng: random.Random, kind: str, before: Sequence[str] = ()) -> BackgroundSpec:
    """A background of that kind, in a palette against which the colours named `before` it stand out."""
    palettes = [name for name in words.PALETTES if not any(blends_in(color, name) for color in before)]
    speed = rng.choice((-1, 1)) * rng.uniform(0.15, 0.4) if kind == "moving_bars" else 0.0
    palette = rng.choice(palettes or tuple(words.PALETTES))
    return BackgroundSpec(kind, palette, rng.randrange(1 << 16), speed)


def blends_in(color: str, palette: str) -> bool:
    """Whether an object of that colour would be hard to see on a background of that palette."""
    return any(math.dist(words.COLORS[color], shade) < MIN_CONTRAST for shade in words.PALETTES[palette])
