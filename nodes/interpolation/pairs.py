"""Which two frames stand around each moment of a film, and what lies between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from ..video.recipe import Frame
from .links import Link

MOST_HELD = 16
"""Frames of one drawing that are held in memory: a longer hold is stillness."""


class Between(Enum):
    """What lies between the frames of a pair."""

    MOTION = "motion"
    CUT = "cut"
    STILLNESS = "stillness"
    THE_END = "the end"


class Pair(NamedTuple):
    """The frames before and after a stretch of time; `after` is None behind the last frame.

    repeats: how many frames in between only repeat `before`, and give way to motion.
    """

    before: Frame
    after: Frame | None
    between: Between
    repeats: int = 0


def with_holds(
    steps: Iterable[tuple[Frame, Link | None]], longest: Fraction, step: Fraction
) -> Iterator[tuple[Frame, Link | None]]:
    """Frames of a variable rate, which shows nothing while nothing moves, as a steady one would show them.

    Args:
        longest: seconds; a frame that stands longer is shown once more, `step` seconds before the next.
    """
    before = None
    for frame, link in steps:
        if link is Link.MOTION and frame.time - before.time > longest:
            yield Frame(before.image, frame.time - step), Link.REPEAT
        yield frame, link
        before = frame


def pairs(steps: Iterable[tuple[Frame, Link | None]], longest_hold: Fraction) -> Iterator[Pair]:
    """The pairs that cover a film, in order and without gaps.

    A drawing shown for several frames, `longest_hold` seconds at most, moves from its first frame on to the
    next drawing: its repeats are skipped. Before a cut, at the end and in longer holds they are kept.

    Args:
        steps: frames with their links to the one before, as `linked` gives them.
    """
    held: list[Frame] = []
    still = False
    for frame, link in steps:
        if not held:
            held.append(frame)
            continue
        too_long = frame.time - held[0].time > longest_hold
        if link is Link.REPEAT and not still and not too_long and len(held) < MOST_HELD:
            held.append(frame)
            continue
        if link is Link.MOTION and not still and not too_long:
            yield Pair(held[0], frame, Between.MOTION, len(held) - 1)
        else:
            yield from _still(held)
            yield Pair(held[-1], frame, _BETWEEN[link])
        still = link is Link.REPEAT
        held = [frame]
    yield from _still(held)
    if held:
        yield Pair(held[-1], None, Between.THE_END)


_BETWEEN = {Link.MOTION: Between.MOTION, Link.CUT: Between.CUT, Link.REPEAT: Between.STILLNESS}


def _still(frames: list[Frame]) -> Iterator[Pair]:
    for before, after in pairwise(frames):
        yield Pair(before, after, Between.STILLNESS)
