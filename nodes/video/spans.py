"""Labelled stretches of time in a video: the value on a `KINO_SPANS` socket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from .timecode import timecode


class SpanError(ValueError):
    """Spans that do not fit their video, or an index that names none of them."""


@dataclass(frozen=True, order=True)
class Span:
    """The time from `start` up to, not including, `end`, in seconds.

    score: how strongly its finder believes in it, in the finder's own unit.
    """

    start: Fraction
    end: Fraction
    label: str = ""
    score: float = 0.0

    @property
    def duration(self) -> Fraction:
        return self.end - self.start

    def within(self, duration: Fraction, tolerance: Fraction) -> Span:
        """The same span in a video of this length.

        Args:
            duration: seconds.
            tolerance: seconds that the span may reach beyond it, e.g. of a video whose rate was changed.

        Raises:
            SpanError: it reaches further.
        """
        if self.end > duration + tolerance or self.start >= duration:
            raise SpanError(
                f"span {self.label!r} ends at {timecode(self.end)}, the video at {timecode(duration)}; "
                "wire the video that the spans were found in"
            )
        return replace(self, end=min(self.end, duration))


@dataclass(frozen=True)
class Spans:
    """Spans in the order of their start; they may overlap and leave gaps.

    items: the spans.
    duration: length in seconds of the video they were found in.

    Raises:
        SpanError: a span is empty, runs backwards, or leaves 0..duration.
    """

    items: tuple[Span, ...]
    duration: Fraction

    def __post_init__(self) -> None:
        for span in self.items:
            if not 0 <= span.start < span.end <= self.duration:
                raise SpanError(
                    f"span {span.label!r} runs from {timecode(span.start)} to {timecode(span.end)}; it must "
                    f"start before it ends and lie within 0:00.000 to {timecode(self.duration)}"
                )
        object.__setattr__(self, "items", tuple(sorted(self.items)))

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Span]:
        return iter(self.items)

    def at(self, index: int) -> Span:
        """The span with this number, counted from 0; from the end when negative.

        Raises:
            SpanError: there is no such span.
        """
        if not -len(self) <= index < len(self):
            raise SpanError(
                f"there is no span {index}: {len(self)} were found, so the index must be "
                f"{-len(self)} to {len(self) - 1}"
                if len(self)
                else f"there is no span {index}: none were found"
            )
        return self.items[index]

    def to_text(self) -> str:
        """One line per span: number, start – end, length in seconds, its score if it has one, label."""
        return "\n".join(
            f"{index:>3}  {timecode(span.start)} – {timecode(span.end)}  {float(span.duration):8.3f} s"
            f"{f'  score {span.score:.2f}' if span.score else ''}  {span.label}".rstrip()
            for index, span in enumerate(self.items)
        )
