"""A film at its own speed here and more slowly there: which moment is shown when, and what is heard."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from ..video.recipe import Recipe
from ..video.sound import exactly, sample_at
from ..video.speed import stretched_sound

if TYPE_CHECKING:
    import numpy as np


class Mark(NamedTuple):
    """The moment `film` of a film, in seconds, is seen at `shown`."""

    film: Fraction
    shown: Fraction


@dataclass(frozen=True)
class Pace:
    """Marks from the film's beginning to its end; between two of them the speed is even."""

    marks: tuple[Mark, ...]

    @classmethod
    def slowed(
        cls,
        duration: Fraction,
        times: Fraction,
        stretches: Iterable[tuple[Fraction, Fraction]],
        given_step: Fraction,
        made_step: Fraction,
    ) -> Pace:
        """Some stretches take `times` as long, the rest as long as it does.

        Args:
            duration: of the film, seconds.
            stretches: their starts and ends, in order; where they overlap they are one.
            given_step, made_step: seconds between frames. Stretches begin and end on given frames and last
                whole made frames, so that frames behind them are met as they would be without.
        """
        marks = [Mark(Fraction(0), Fraction(0))]
        for start, end in stretches:
            first, last = (round(moment / given_step) * given_step for moment in (start, end))
            first, last = max(first, marks[-1].film), min(last, duration)
            if first >= last:
                continue
            begin = marks[-1].shown + first - marks[-1].film
            length = max(1, round((last - first) * times / made_step)) * made_step
            marks += [Mark(first, begin), Mark(last, begin + length)]
        marks.append(Mark(duration, marks[-1].shown + duration - marks[-1].film))
        kept = [mark for mark, after in pairwise(marks) if mark.film < after.film]
        return cls((*kept, marks[-1]))

    @property
    def duration(self) -> Fraction:
        """Seconds that the film takes to be shown."""
        return self.marks[-1].shown

    @property
    def slowest(self) -> Fraction:
        """How many times as long as in the film the slowest stretch takes."""
        return max((b.shown - a.shown) / (b.film - a.film) for a, b in pairwise(self.marks))

    def moment(self, shown: Fraction) -> Fraction:
        """Of the film, at a time from 0 to `duration`."""
        before, after = self._around(shown, lambda mark: mark.shown)
        return before.film + (shown - before.shown) * (after.film - before.film) / (
            after.shown - before.shown
        )

    def shown(self, moment: Fraction) -> Fraction:
        """The time at which a moment of the film is seen."""
        before, after = self._around(moment, lambda mark: mark.film)
        return before.shown + (moment - before.film) * (after.shown - before.shown) / (
            after.film - before.film
        )

    def _around(self, time: Fraction, key: Callable[[Mark], Fraction]) -> tuple[Mark, Mark]:
        after = bisect_right(self.marks, time, 1, len(self.marks) - 1, key=key)
        return self.marks[after - 1], self.marks[after]

    def sound(self, source: Recipe, start: Fraction) -> Iterator[np.ndarray]:
        """What is heard of a film from the time `start` on, at its own pitch throughout."""
        channels, rate = source.spec.audio.channels, source.spec.audio.sample_rate
        for (film, begin), (film_end, end) in pairwise(self.marks):
            if end <= start:
                continue
            speed, begin = (film_end - film) / (end - begin), max(begin, start)
            moment = self.moment(begin)
            heard = source.audio(moment) if speed == 1 else stretched_sound(source, moment, speed)
            yield from exactly(heard, channels, sample_at(end, rate) - sample_at(begin, rate))
