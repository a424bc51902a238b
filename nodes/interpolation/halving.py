"""Frames at any time from a network that knows the middle of two frames, by halving the time between them.

A time that is not a middle after some halvings lies between two frames near to it; the motion found for their
middle is taken for steady, and followed to that time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

MOST_HALVINGS = 3
"""Runs of the network that lead to a time at most: factors of 2, 4 and 8 need no steady motion."""


@dataclass(eq=False)
class Moment:
    """A frame at a time, 0 the first frame and 1 the second, and what was found in it so far."""

    time: float
    picture: Tensor
    found: Any = None


Between = Callable[[Moment, Moment, float], Tensor]
"""(before, after, share) → the frame that lies `share` of the way from one to the other."""


@dataclass
class Halving:
    """Frames between two; those made on the way to one serve others too.

    between: makes a frame; asked for a share of 1/2 until a time is near.
    """

    between: Between
    made: dict[float, Moment] = field(default_factory=dict)

    def frame(self, first: Moment, last: Moment, time: float) -> Tensor:
        """The frame at a time between 0 and 1; `first` and `last` are always the same."""
        before, after = first, last
        for _ in range(MOST_HALVINGS - 1):
            middle = self._moment((before.time + after.time) / 2, before, after)
            if time == middle.time:
                return middle.picture
            before, after = (before, middle) if time < middle.time else (middle, after)
        return self._moment(time, before, after).picture

    def _moment(self, time: float, before: Moment, after: Moment) -> Moment:
        if time not in self.made:
            share = (time - before.time) / (after.time - before.time)
            self.made[time] = Moment(time, self.between(before, after, share))
        return self.made[time]
