"""What one pull of an interpolated film did: cuts and repeats it met, frames it made, time it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from ..video.describe import counted
from ..video.timecode import timecode
from .instants import Instant
from .pairs import Between, Pair

SHOWN = 20
"""Times that are named: a film may have any number."""


@dataclass
class InterpolationRecord:
    """Counts of one pull.

    pairs: by what lies between. cuts: seconds at which scenes begin.
    repeats: frames that only repeat the one before and gave way to motion. repeat_times: of the first ones.
    given: frames shown as they are; of them held: those near a cut, for ones that would lie across it.
    after_the_end: those that repeat the last frame to its end.
    blended: mixes within stillness. made: frames that the network made.
    seconds: in the network. adapted: what had to give way, in sentences.
    complete: whether the pull went from the first frame to the last.
    """

    pairs: Counter[Between] = field(default_factory=Counter)
    cuts: list[Fraction] = field(default_factory=list)
    repeats: int = 0
    repeat_times: list[Fraction] = field(default_factory=list)
    given: int = 0
    held: int = 0
    after_the_end: int = 0
    blended: int = 0
    made: int = 0
    seconds: float = 0.0
    adapted: list[str] = field(default_factory=list)
    complete: bool = False

    def of_pairs(self, pairs: Iterable[Pair]) -> Iterator[Pair]:
        """The pairs, counted as they pass."""
        for pair in pairs:
            if pair.after is not None:
                self.pairs[pair.between] += 1
            if pair.between is Between.CUT:
                self.cuts.append(pair.after.time)
            if pair.repeats:
                self.repeats += pair.repeats
                if len(self.repeat_times) < SHOWN:
                    self.repeat_times.append(pair.before.time)
            yield pair

    def shown(self, instant: Instant) -> None:
        """Count a frame of the result."""
        if instant.is_given:
            self.given += 1
            self.held += bool(instant.share)
            self.after_the_end += instant.pair.after is None and instant.time > instant.pair.before.time
        elif instant.pair.between is Between.STILLNESS:
            self.blended += 1
        else:
            self.made += 1

    def adapt(self, sentence: str) -> None:
        """Note once what had to give way."""
        if sentence not in self.adapted:
            self.adapted.append(sentence)

    def summary(self) -> list[str]:
        """What a user should know even who does not ask."""
        told = []
        if self.cuts:
            told.append(f"{counted(len(self.cuts), 'cut')} not interpolated across, at {_times(self.cuts)}")
        if self.repeats:
            told.append(
                f"{counted(self.repeats, 'frame')} that only repeated the one before gave way to motion"
            )
        return [*told, *self.adapted]

    def lines(self) -> list[str]:
        """Everything, a fact in each line."""
        shown = self.given + self.blended + self.made
        told = [f"{counted(shown, 'frame')}: {self.made} made by the network, {self.given} as they were."]
        if self.held:
            told.append(f"Of the latter, {counted(self.held, 'frame')} at cuts stand in for ones in between.")
        if self.blended:
            told.append(f"{counted(self.blended, 'frame')} within stillness mixed from the two around.")
        told += [f"Pairs with {between.value}: {count}." for between, count in self.pairs.items()]
        if self.after_the_end:
            told.append(f"{counted(self.after_the_end, 'frame')} after the last one given repeat it.")
        if self.cuts:
            told.append(f"Scenes begin at {_times(self.cuts)}: nothing was interpolated across.")
        if self.repeats:
            told.append(
                f"{counted(self.repeats, 'frame')} only repeated the one before and gave way to motion, the "
                f"first after {_times(self.repeat_times)}."
            )
        if self.made:
            each = self.seconds / self.made * 1000
            told.append(f"Seconds in the network: {self.seconds:.2f}, {each:.1f} ms a frame.")
        return [*told, *(f"{sentence[:1].upper()}{sentence[1:]}." for sentence in self.adapted)]


def _times(times: list[Fraction]) -> str:
    more = f" and {len(times) - SHOWN} more" if len(times) > SHOWN else ""
    return ", ".join(timecode(time) for time in times[:SHOWN]) + more
