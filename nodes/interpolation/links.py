"""How each frame of a film hangs together with the one before it: by motion, not at all, or as a repeat."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING

from ..video.recipe import Frame
from ..video.timeline import JITTER
from .changes import Change, with_changes

if TYPE_CHECKING:
    import numpy as np

WINDOW = 4
"""Frames on each side that a change is compared with."""
ABOVE_MEAN, ABOVE_MOST = 3.0, 1.8
"""How many times its neighbours' mean, or their largest, a cut's content score is: in fast camera moves all
scores are high."""
AMONG_STILLS, ALONE = 1.5, 3.0
"""By how much the threshold rises where neighbours do not move, and where there are none: two pictures that
someone wants to see moving may differ much."""

IDENTICAL = 0.1
"""Levels: a change no larger than this is none."""
ALIKE = 2.0
"""Levels: what a codec makes of a repeated drawing, at most …"""
LESS_THAN_NEIGHBOURS = 1 / 4
"""… where its neighbours change by more than 1 / this many times as much. Slow motion is no repetition."""


class Link(Enum):
    """What a frame is to the one before it."""

    MOTION = "motion"
    CUT = "cut"
    REPEAT = "repeat"


@dataclass(frozen=True)
class Rules:
    """How cuts and repeats are found.

    cut_threshold: content score from which a change may be a cut; 0 finds none.
    longest_hold: seconds; repeats within them stand for slow drawing (animation on twos), longer ones for
        stillness. 0 takes every frame as one of its own.
    cuts: times, in seconds, at which scenes begin; then none is looked for.
    """

    cut_threshold: float = 10.0
    longest_hold: Fraction = Fraction(0)
    cuts: tuple[Fraction, ...] | None = None

    @property
    def looks_at_pictures(self) -> bool:
        return bool(self.longest_hold) or (self.cuts is None and self.cut_threshold > 0)


def linked(
    frames: Iterable[Frame], rules: Rules, small: Callable[[Frame], np.ndarray]
) -> Iterator[tuple[Frame, Link | None]]:
    """Each frame with its link to the one before; None with the first. Reads up to `WINDOW` frames ahead.

    Args:
        small: a frame as a small picture, uint8 RGB [H, W, 3].
    """
    if rules.looks_at_pictures:
        found = _from_pictures(with_changes(frames, small), rules)
    else:
        found = ((frame, Link.MOTION) for frame in frames)
    before = None
    for frame, link in found:
        if before is None:
            link = None
        elif rules.cuts is not None and _cut_between(before.time, frame.time, rules.cuts):
            link = Link.CUT
        yield frame, link
        before = frame


def _cut_between(before: Fraction, now: Fraction, cuts: tuple[Fraction, ...]) -> bool:
    """Whether a scene begins at `now`; times of scenes may have been written in milliseconds."""
    tolerance = min(JITTER, (now - before) / 4)
    next_cut = bisect_right(cuts, before + tolerance)
    return next_cut < len(cuts) and cuts[next_cut] <= now + tolerance


def _from_pictures(
    changes: Iterable[tuple[Frame, Change | None]], rules: Rules
) -> Iterator[tuple[Frame, Link]]:
    seen = deque(maxlen=2 * WINDOW + 1)
    for entry in chain([None] * WINDOW, changes, [None] * WINDOW):
        seen.append(entry)
        if len(seen) <= 2 * WINDOW:
            continue
        frame, change = seen[WINDOW]
        around = [other[1] for index, other in enumerate(seen) if other and index != WINDOW]
        yield frame, Link.MOTION if change is None else link_of(change, [c for c in around if c], rules)


def link_of(change: Change, neighbours: list[Change], rules: Rules) -> Link:
    """What a change is, beside those of the frames around it."""
    if rules.longest_hold and _is_repeat(change, neighbours):
        return Link.REPEAT
    if rules.cuts is None and rules.cut_threshold and _is_cut(change, neighbours, rules.cut_threshold):
        return Link.CUT
    return Link.MOTION


def _is_repeat(change: Change, neighbours: list[Change]) -> bool:
    most = max((other.largest for other in neighbours), default=0.0)
    return change.largest <= max(IDENTICAL, min(ALIKE, LESS_THAN_NEIGHBOURS * most))


def _is_cut(change: Change, neighbours: list[Change], threshold: float) -> bool:
    moving = [other.content for other in neighbours if other.largest > ALIKE]
    if not moving:
        return change.content >= threshold * (AMONG_STILLS if neighbours else ALONE)
    outstanding = min(ABOVE_MEAN * sum(moving) / len(moving), ABOVE_MOST * max(moving))
    return change.content >= max(threshold, outstanding)
