"""The frames of an interpolated film, in order: given ones as they are, the others made several at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from ..video.recipe import Frame
from .instants import Instant
from .pairs import Between

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from .mattes import Layers
    from .pair_runner import PairRunner
    from .record import InterpolationRecord

MOST_WAITING = 32
"""Frames that may wait, finished or not, for a batch to fill."""


class Pictures(Protocol):
    """How a film keeps its frames' pictures (`Frame.image`)."""

    def small(self, frame: Frame) -> np.ndarray:
        """A small copy, uint8 RGB [H, W, 3], to look for cuts and repeats in."""

    def tensor(self, frame: Frame) -> Tensor:
        """[1, 3 or 4, H, W] in 0..1; the fourth channel is opacity."""

    def picture(self, made: Tensor, like: Frame) -> Any:
        """A picture of [3 or 4, H, W] in 0..1, kept as a frame's beside it is."""

    def blend(self, before: Frame, after: Frame, share: float) -> Any:
        """A mix of two pictures that hardly differ."""


def in_between(
    instants: Iterable[Instant], pictures: Pictures, runner: PairRunner, record: InterpolationRecord
) -> Iterator[Frame]:
    """A frame for each instant; counts them in the record."""
    ready = _Ready(pictures, runner)
    waiting: list[Instant] = []
    for instant in instants:
        waiting.append(instant)
        if sum(map(_to_make, waiting)) in (0, runner.cutting.batch) or len(waiting) == MOST_WAITING:
            yield from _frames(waiting, ready, record)
            waiting = []
    yield from _frames(waiting, ready, record)


def _to_make(instant: Instant) -> bool:
    return instant.pair.between is Between.MOTION and not instant.is_given


def _frames(waiting: list[Instant], ready: _Ready, record: InterpolationRecord) -> Iterator[Frame]:
    made = iter(ready.made([instant for instant in waiting if _to_make(instant)]))
    record.seconds = ready.runner.seconds
    for instant in waiting:
        record.shown(instant)
        before, after = instant.pair[:2]
        if _to_make(instant):
            image = ready.pictures.picture(next(made), before)
        elif instant.is_given:
            image = instant.pair[instant.nearest].image
        else:
            image = ready.pictures.blend(before, after, float(instant.share))
        yield Frame(image, instant.time)


class _Ready:
    """Frames prepared for the network, as long as the next batch may need them."""

    def __init__(self, pictures: Pictures, runner: PairRunner) -> None:
        self.pictures, self.runner = pictures, runner
        self._kept: list[tuple[Frame, Layers]] = []

    def made(self, instants: list[Instant]) -> list[Tensor]:
        """What the network makes, [3 or 4, H, W] each."""
        if not instants:
            return []
        from .mattes import Mixture, mixed

        mixtures = [
            Mixture(self._layers(one.pair.before), self._layers(one.pair.after), float(one.share))
            for one in instants
        ]
        self._kept = self._kept[-2:]
        return mixed(self.runner, mixtures)

    def _layers(self, frame: Frame) -> Layers:
        from .mattes import layers

        for known, ready in self._kept:
            if known is frame:
                return ready
        self._kept.append((frame, layers(self.runner, self.pictures.tensor(frame))))
        return self._kept[-1][1]
