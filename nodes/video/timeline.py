"""When the pictures of a stream appear, read from its index or packets without decoding."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av
    import numpy as np

JITTER = Fraction(1, 1000)
"""Containers such as Matroska round times to a millisecond: a steady rate may look this uneven."""

NO_TIME = -(2**63)
"""Stands for a packet's missing timestamp, as in FFmpeg."""

DEFAULT_RATE = Fraction(25)
"""For a still or a stream that tells no rate at all."""


@dataclass(frozen=True)
class Timeline:
    """The times of a stream's pictures.

    first: container time of the first picture, seconds.
    last: seconds from the first picture to the last one's start.
    count: number of pictures.
    fps: the rate; the average where the rate varies.
    duration: seconds from the first picture to the last one's end.
    constant: whether every picture stands at `index / fps`.
    counted: whether the timestamps are unusable, so that a picture's time is its position / fps.
    """

    first: Fraction
    last: Fraction
    count: int
    fps: Fraction
    duration: Fraction
    constant: bool
    counted: bool

    def time_of(self, seconds: Fraction) -> Fraction:
        """Time from the video's start, for a picture at `seconds` of container time."""
        time = seconds - self.first
        return Fraction(round(time * self.fps)) / self.fps if self.constant else time


def read_timeline(
    container: av.container.InputContainer, stream: av.VideoStream, first: Fraction
) -> Timeline:
    """Read a stream's timeline from a container that stands at its beginning.

    Args:
        first: container time of the first picture, as the decoder gives it.
    """
    indexed = _indexed_times(stream)
    if indexed is not None and (rate := _steady_rate(indexed, stream)):
        return _constant(first, len(indexed), rate, counted=_unordered(container, stream))
    ticks, durations = _packet_times(container, stream)
    if _unordered(container, stream) or ticks.min() == NO_TIME:
        return _constant(first, len(ticks), _nominal_rate(stream), counted=True)
    return _from_packets(first, ticks, durations, stream)


def _constant(first: Fraction, count: int, rate: Fraction, *, counted: bool) -> Timeline:
    return Timeline(first, (count - 1) / rate, count, rate, count / rate, constant=True, counted=counted)


def _from_packets(
    first: Fraction, ticks: np.ndarray, durations: np.ndarray, stream: av.VideoStream
) -> Timeline:
    import numpy as np

    final = int(durations[ticks.argmax()]) * stream.time_base
    ticks = np.unique(ticks[ticks >= int(first / stream.time_base)])
    if rate := _steady_rate(ticks, stream):
        return _constant(first, len(ticks), rate, counted=False)
    last = int(ticks[-1]) * stream.time_base - first
    told = _told_end(stream) - first
    duration = told if told > last else last + (final or last / (len(ticks) - 1))
    rate = (len(ticks) / duration).limit_denominator(1001)
    return Timeline(first, last, len(ticks), rate, duration, constant=False, counted=False)


def _told_end(stream: av.VideoStream) -> Fraction:
    """Container time at which the header says that the last picture ends; 0 where it says nothing."""
    if stream.duration:
        return ((stream.start_time or 0) + stream.duration) * stream.time_base
    hours, minutes, seconds = stream.metadata.get("DURATION", "0:0:0").split(":")
    return 3600 * int(hours) + 60 * int(minutes) + Fraction(seconds)


def _indexed_times(stream: av.VideoStream) -> np.ndarray | None:
    """Decoding times in ticks, where the container's header lists every picture (mp4, mov, avi)."""
    import numpy as np

    entries = getattr(stream, "index_entries", ())  # PyAV before 17 shows none: packets tell instead
    if not stream.frames or len(entries) != stream.frames:
        return None
    return np.fromiter((entry.timestamp for entry in entries if not entry.is_discard), np.int64)


def _packet_times(
    container: av.container.InputContainer, stream: av.VideoStream
) -> tuple[np.ndarray, np.ndarray]:
    """Every packet's presentation time and duration in ticks, in the container's order."""
    import numpy as np

    times, durations = array("q"), array("q")
    for packet in container.demux(stream):
        if packet.size and not packet.is_discard:
            times.append(NO_TIME if packet.pts is None else packet.pts)
            durations.append(packet.duration or 0)
    return np.frombuffer(times, np.int64), np.frombuffer(durations, np.int64)


def _unordered(container: av.container.InputContainer, stream: av.VideoStream) -> bool:
    """AVI stores one time per packet, in decoding order: useless once pictures are reordered."""
    return container.format.name == "avi" and stream.codec_context.has_b_frames


def _nominal_rate(stream: av.VideoStream) -> Fraction:
    return Fraction(stream.average_rate or stream.guessed_rate or stream.base_rate or DEFAULT_RATE)


def _steady_rate(ticks: np.ndarray, stream: av.VideoStream) -> Fraction | None:
    """The rate at which pictures stand evenly, up to the container's rounding; None if there is none."""
    import numpy as np

    if len(ticks) < 2:
        return _nominal_rate(stream)
    seconds = (ticks - ticks[0]) * float(stream.time_base)
    measured = Fraction((len(ticks) - 1) / float(seconds[-1])).limit_denominator(1001)
    told = [Fraction(rate) for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate) if rate]
    rounding = max(stream.time_base, JITTER)
    steps = np.arange(len(ticks))
    for rate in [*told, measured]:
        tolerance = float(min(rounding, 1 / (4 * rate)))  # a frame that is missing is no rounding
        if np.abs(seconds - steps / float(rate)).max() <= tolerance:
            return rate
    return None
