"""Where an object is at any time, in closed form, and when something happens to it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from .spec import ObjectSpec
from .vocabulary import DIRECTIONS


class Pose(NamedTuple):
    """Centre, scale and angle of an object; `lap` counts how often it left the world and came back."""

    x: float
    y: float
    scale: float = 1.0
    angle: float = 0.0
    lap: tuple[int, int] = (0, 0)


def object_pose(obj: ObjectSpec, time: float, half_extent: tuple[float, float]) -> Pose:
    """The object's pose `time` seconds into its scene.

    A travelling object that has gone well beyond the frame comes back in on the other side.
    """
    motion = obj.motion
    turn = 2 * math.pi * (time / motion.period + motion.phase)
    if motion.kind in DIRECTIONS:
        step_x, step_y = DIRECTIONS[motion.kind]
        way = travelled(obj, time)
        return _wrapped(obj, obj.x + step_x * way, obj.y + step_y * way, half_extent)
    if motion.kind in ("circle_cw", "circle_ccw"):
        across, down = math.cos(turn), math.sin(turn) if motion.kind == "circle_cw" else -math.sin(turn)
        return Pose(obj.x + motion.amplitude * across, obj.y + motion.amplitude * down, angle=obj.angle)
    if motion.kind == "bounce":
        part = (time / motion.period + motion.phase) % 1.0
        height = motion.amplitude * 4 * part * (1 - part)
        return _wrapped(obj, obj.x + motion.speed * time, obj.y - height, half_extent)
    if motion.kind in ("closer", "away"):
        done = min(time / motion.period, 1.0)  # depth changes evenly, so the size goes as its inverse
        return Pose(obj.x, obj.y, scale=1 / (1 + (1 / motion.amplitude - 1) * done), angle=obj.angle)
    if motion.kind in ("spin_cw", "spin_ccw"):
        sign = 1 if motion.kind == "spin_cw" else -1
        return Pose(obj.x, obj.y, angle=obj.angle + sign * motion.speed * time)
    if motion.kind == "swing":
        return Pose(obj.x + motion.amplitude * math.sin(turn), obj.y, angle=obj.angle)
    return Pose(obj.x, obj.y, angle=obj.angle)


def travelled(obj: ObjectSpec, time: float) -> float:
    """Distance along the direction of travel: even, or in eased steps with a rest after each."""
    motion = obj.motion
    if not motion.kind.startswith("stop_go"):
        return motion.speed * time
    done = _steps_done(time / motion.period + motion.phase) - _steps_done(motion.phase)
    return motion.speed * motion.period * done


def _steps_done(periods: float) -> float:
    part = min(2 * (periods % 1.0), 1.0)
    return math.floor(periods) + part * part * (3 - 2 * part)


def _wrapped(obj: ObjectSpec, x: float, y: float, half_extent: tuple[float, float]) -> Pose:
    margin = 0.5 + 1.5 * obj.radius
    wide, high = half_extent[0] + margin, half_extent[1] + margin
    lap_x, lap_y = math.floor((x + wide) / (2 * wide)), math.floor((y + high) / (2 * high))
    return Pose(x - 2 * wide * lap_x, y - 2 * high * lap_y, angle=obj.angle, lap=(lap_x, lap_y))


def object_events(obj: ObjectSpec, seconds: float) -> Iterator[tuple[float, str]]:
    """When the object bounces, stops, starts again, turns or completes a round: (time, kind), unsorted.

    Times are exact and lie in 0 ≤ time < seconds.
    """
    motion = obj.motion
    happens = {
        "bounce": ((0.0, "bounce"),),
        "stop_go_right": ((0.5, "stop"), (0.0, "start")),
        "stop_go_left": ((0.5, "stop"), (0.0, "start")),
        "swing": ((0.25, "turn"), (0.75, "turn")),
        "circle_cw": ((0.0, "round"),),
        "circle_ccw": ((0.0, "round"),),
    }
    for part, kind in happens.get(motion.kind, ()):
        for count in range(
            math.ceil(motion.phase - part), math.ceil(seconds / motion.period + motion.phase) + 1
        ):
            time = (count + part - motion.phase) * motion.period
            if 0 <= time < seconds:
                yield time, kind
