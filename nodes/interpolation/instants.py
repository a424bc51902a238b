"""When the frames of an interpolated film stand, as exact fractions, and between which two of the given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

from .pairs import Between, Pair

HALF = Fraction(1, 2)


class Instant(NamedTuple):
    """One frame to show: its time, the pair around it, and how far it lies from the first to the second.

    share: 0 is the pair's first frame; below 1 always.
    """

    time: Fraction
    pair: Pair
    share: Fraction

    @property
    def is_given(self) -> bool:
        """Whether one of the pair's frames is shown as it is."""
        return not self.share or self.pair.between in (Between.CUT, Between.THE_END)

    @property
    def nearest(self) -> int:
        """0 or 1: the frame of the pair that is nearer in time; between two equally near ones the first."""
        return int(self.pair.after is not None and self.share > HALF)


def instants(
    pairs: Iterable[Pair], times: Iterable[Fraction], tolerance: Fraction = Fraction(0)
) -> Iterator[Instant]:
    """Where each time lies.

    Args:
        pairs: they cover all times but those before the first frame, which shows then.
        times: seconds, ascending.
        tolerance: seconds; a time so near to a frame's is that frame's.
    """
    pairs = iter(pairs)
    pair = next(pairs)
    for time in times:
        while pair.after is not None and pair.after.time <= time + tolerance:
            pair = next(pairs)
        passed = time - pair.before.time
        if pair.after is None or passed <= tolerance:
            yield Instant(time, pair, Fraction(0))
        else:
            yield Instant(time, pair, passed / (pair.after.time - pair.before.time))
