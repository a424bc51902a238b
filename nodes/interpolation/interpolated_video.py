"""A video at any frame rate, with frames in between made by a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from fractions import Fraction
from itertools import takewhile
from typing import TYPE_CHECKING

from ..video.constant_rate import SteadyRate
from ..video.reader_thread import read_ahead
from ..video.recipe import Frame, Recipe
from ..video.spool import Spool
from ..video.timeline import JITTER
from .in_between import in_between
from .instants import instants
from .links import WINDOW, Link, Rules, linked
from .pace import Pace
from .pairs import MOST_HELD, pairs, with_holds
from .record import InterpolationRecord
from .video_pictures import VideoPictures

if TYPE_CHECKING:
    import numpy as np

    from .pair_runner import PairRunner

AHEAD = 2
"""Frames that are decoded and looked at while the network works."""
USUAL = Fraction(5, 2)
"""In average times between frames: one of a variable rate that stands longer was held."""
CONTEXT = MOST_HELD + WINDOW + 2
"""Frames before a moment that may say what lies between the two around it."""

NewRunner = Callable[[Callable[[str], None]], "PairRunner"]
"""Given a callable for what has to give way, makes the runner of one pull."""


@dataclass(frozen=True)
class InterpolatedVideo(SteadyRate):
    """Frames at `index / fps`: the source's own where its times are met, else made from the two around.

    Nothing is made across a cut: there the frame nearer in time is shown again, as the last one is after the
    film's last. Wrap it in a `Spool`, so that each frame is made once.

    rules: how cuts and repeated frames are found.
    new_runner: runs the network.
    key: the network and how it is set, for the fingerprint.
    told: notes known from the start.
    pace: how fast the source is played; None is as fast as it is.
    """

    rules: Rules = field(kw_only=True)
    new_runner: NewRunner = field(kw_only=True, compare=False)
    key: str = field(kw_only=True)
    told: tuple[str, ...] = field(default=(), kw_only=True)
    pace: Pace | None = field(default=None, kw_only=True)
    _records: list[InterpolationRecord] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def record(self) -> InterpolationRecord | None:
        """Of the last pull from the first frame on; None before there was one."""
        return self._records[-1] if self._records else None

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        first, count = max(0, int(start * self.fps)), self.spec.frame_count
        if first >= count:
            return
        record = InterpolationRecord()
        if not first:
            self._records[:] = [record]
        moments = (self._moment(index / self.fps) for index in range(first, count))
        steps = self._steps(self._moment(first / self.fps))
        found = record.of_pairs(pairs(steps, self.rules.longest_hold))
        shown = instants(found, moments, self._tolerance)
        made = in_between(shown, VideoPictures(self.source.spec), self.new_runner(record.adapt), record)
        for index, frame in enumerate(made, first):
            yield Frame(frame.image, index / self.fps)
        record.complete = not first

    def _moment(self, shown: Fraction) -> Fraction:
        """Of the source, at a time of this video."""
        return shown if self.pace is None else self.pace.moment(shown)

    @property
    def scene_starts(self) -> list[Fraction]:
        """Seconds of this video at which the scenes begin that the last whole pull found, the first aside."""
        cuts = self.record.cuts if self.record else []
        return [cut if self.pace is None else self.pace.shown(cut) for cut in cuts]

    @property
    def _length(self) -> Fraction:
        return self.source.spec.duration if self.pace is None else self.pace.duration

    def _sound(self, start: Fraction) -> Iterator[np.ndarray]:
        return self.source.audio(start) if self.pace is None else self.pace.sound(self.source, start)

    @property
    def _tolerance(self) -> Fraction:
        """Times of a variable rate are rounded by their container."""
        if not self.source.spec.variable_rate:
            return Fraction(0)
        slowest = 1 if self.pace is None else self.pace.slowest
        return min(JITTER, 1 / (4 * self.fps * slowest))

    def _steps(self, start: Fraction) -> Iterator[tuple[Frame, Link | None]]:
        """Frames with their links, from the one on screen at `start` or some before it."""
        start = min(start, self._last_instant)
        if self.rules.looks_at_pictures:
            start = self._with_context(start)
        looked_at = VideoPictures(self.source.spec)  # a thread of its own has converters of its own
        steps = read_ahead(linked(self.source.frames(start), self.rules, looked_at.small), AHEAD)
        spec, longest = self.source.spec, self.rules.longest_hold
        if not spec.variable_rate or not longest:
            return steps
        return with_holds(steps, max(longest, USUAL / spec.fps), min(longest, 1 / spec.fps))

    def _with_context(self, start: Fraction) -> Fraction:
        """A time so long before `start` that the same is found from there as from the beginning."""
        spec = self.source.spec
        back = max(self.rules.longest_hold + (WINDOW + 2) / spec.fps, CONTEXT / spec.fps)
        while spec.variable_rate and start > back and self._frames_from(start - back, start) < CONTEXT:
            back *= 2
        return max(Fraction(0), start - back)

    def _frames_from(self, start: Fraction, end: Fraction) -> int:
        return sum(1 for _ in takewhile(lambda frame: frame.time <= end, self.source.frames(start)))

    def fingerprint(self) -> str:
        how = f"{self.fps}, {self.pace}, {self.rules}, {self.key}"
        return f"interpolated({self.source.fingerprint()}, {how})"

    @property
    def notes(self) -> tuple[str, ...]:
        record = self.record
        return (*self.source.notes, *self.told, *(record.summary() if record else ()))


def interpolated_within(recipe: Recipe) -> list[Spool]:
    """The interpolated videos that a recipe is made from, or is, each in its spool; the last one first."""
    own = [recipe] if isinstance(recipe, Spool) and isinstance(recipe.source, InterpolatedVideo) else []
    values = [getattr(recipe, one.name) for one in fields(recipe) if one.init]
    parts = [part for value in values for part in (value if type(value) is tuple else (value,))]
    return own + [found for part in parts if isinstance(part, Recipe) for found in interpolated_within(part)]
