"""What a clip of the procedural world shows, read from its pixels alone, and whether that was asked for.

Plain image processing: what is unlike the background is gathered into things, each gets the colour word that
explains its pixels, the shape that covers them best, and the motion that its course fits. The clip's own
description is never looked at, and nothing is learned.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np

from ..synthetic.parsing import parse_caption
from ..synthetic.spec import ClipSpec, ObjectSpec, SpecError
from ..synthetic.vocabulary import MOTIONS
from .oracle_colours import oklab
from .oracle_motion import motion_of
from .oracle_objects import Thing, find_things

LEAST_SIDE = 8
"""Pixels across and down in which anything can be seen."""


class SeenObject(NamedTuple):
    """A thing in a clip: words of the vocabulary, and where it is.

    centers: float64 [T, 2], x and y as fractions of the frame. radius: of the shape, in lengths, [T].
    fit: how sure its outline is, up to 1: evidence per pixel in it.
    """

    color: str
    shape: str
    motion: str
    centers: np.ndarray
    radius: np.ndarray
    fit: float


class Match(NamedTuple):
    """Which of the things asked for are there, attribute by attribute; `count` says that no other is."""

    color: bool
    shape: bool
    motion: bool
    count: bool

    @property
    def all_three(self) -> bool:
        return self.color and self.shape and self.motion


def read_clip(frames: np.ndarray, fps: float) -> list[SeenObject]:
    """The things that a clip shows, the largest first.

    Args:
        frames: [T, H, W, 3], RGB as displayed: uint8, or float in 0..1. Of one frame, all things are still.
        fps: frames per second, which tells a slow turn from a fast one.

    Raises:
        ValueError: the frames are too small to see anything in, or hold what is no number.
    """
    height, width = frames.shape[1:3]
    if min(height, width) < LEAST_SIDE:
        raise ValueError(f"a clip of {width} × {height} pixels is too small; needed are {LEAST_SIDE} a side")
    if not np.isfinite(frames).all():
        raise ValueError("the clip's pixels are not all numbers (NaN or infinite): its making failed")
    lab = oklab(frames / np.float32(255) if frames.dtype == np.uint8 else frames)
    return [_seen(thing, lab, fps) for thing in find_things(lab)]


def _seen(thing: Thing, lab: np.ndarray, fps: float) -> SeenObject:
    fit = thing.fits[0]
    height, width = lab.shape[1:3]
    return SeenObject(
        thing.color,
        fit.shape,
        motion_of(fit, lab, thing.evidence, fps) if len(lab) > 1 else "still",
        fit.center / (width, height),
        fit.radius / min(width, height),
        fit.quality,
    )


def objects_asked_for(prompt: str) -> tuple[ObjectSpec, ...]:
    """The objects that a prompt names, all scenes together; their places mean nothing.

    Raises:
        SpecError: the prompt is not in the procedural world's words, or names no shape.
    """
    clip: ClipSpec = parse_caption(prompt, seed=0)
    wanted = tuple(obj for scene in clip.scenes for obj in scene.objects)
    if not wanted:
        raise SpecError(f"{prompt!r} names no shape, and nothing else can be looked for; name one or more")
    return wanted


def match(seen: list[SeenObject], wanted: tuple[ObjectSpec, ...]) -> Match:
    """Whether everything asked for is seen, each thing standing for one object at most.

    Of all ways to pair them the one with the most right words counts.
    """
    if len(seen) < len(wanted):
        return Match(color=False, shape=False, motion=False, count=False)
    pairings = itertools.permutations(seen, len(wanted))
    best = max((_hits(pairing, wanted) for pairing in pairings), key=lambda hits: sum(map(sum, hits)))
    color, shape, motion = (all(column) for column in zip(*best, strict=True))
    return Match(color, shape, motion, len(seen) == len(wanted))


def _hits(pairing: tuple[SeenObject, ...], wanted: tuple[ObjectSpec, ...]) -> list[tuple[bool, ...]]:
    """For each object whether its colour, shape and motion are those of the thing paired with it."""
    return [
        (thing.color == obj.color, thing.shape == obj.shape, thing.motion == obj.motion.kind)
        for thing, obj in zip(pairing, wanted, strict=True)
    ]


def report(seen: list[SeenObject]) -> str:
    """The things in words, one line each."""
    if not seen:
        return "nothing is seen before the background"
    return "\n".join(_line(thing) for thing in seen)


def _line(thing: SeenObject) -> str:
    (x, y), (end_x, end_y) = thing.centers[0], thing.centers[-1]
    way = f"from {x:.0%}, {y:.0%}"
    if math.hypot(end_x - x, end_y - y) > 0.01:
        way += f" to {end_x:.0%}, {end_y:.0%}"
    words = f"{thing.color} {thing.shape} {MOTIONS[thing.motion][0]}"
    return f"{words}, {way} of the frame, radius {thing.radius.mean():.2f}, fit {thing.fit:.2f}"
