"""Reading an opened video file: times, frames and sound. Seconds count from the file's first moment."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av


_UNTIMED = ("avi",)
"""Formats that tell only a picture's place in decoding order: pictures follow at the frame rate."""


def bit_depth_of(pixel_format: av.VideoFormat | None) -> int:
    """Bits per colour channel, 8 where the file does not tell."""
    return max((component.bits for component in pixel_format.components), default=8) if pixel_format else 8


def _seconds(
    timestamp: int, part: av.Packet | av.frame.Frame, container: av.container.InputContainer
) -> float:
    # Rounded, so that sums of decimal seconds meet the times of frames.
    return round(float(timestamp * part.time_base) - _origin(container), 6)


def _origin(container: av.container.InputContainer) -> float:
    import av

    return (container.start_time or 0) / av.time_base


def _seek(container: av.container.InputContainer, stream: av.stream.Stream, time: float) -> None:
    container.seek(int((time + _origin(container)) / stream.time_base), stream=stream)


def packet_times(container: av.container.InputContainer) -> Iterator[tuple[float, float]]:
    """(start, length) in seconds of every frame, told by the container without decoding."""
    stream = container.streams.video[0]
    step = _frame_step(stream)
    untimed = container.format.name in _UNTIMED
    packets = (packet for packet in container.demux(stream) if packet.size)
    for number, packet in enumerate(packets):
        if untimed or packet.pts is None:
            yield round(number * step, 6), step
        else:
            yield _seconds(packet.pts, packet, container), float((packet.duration or 0) * packet.time_base)


def _frame_step(stream: av.VideoStream) -> float:
    return float(1 / (stream.average_rate or stream.guessed_rate or 25))


def timed_frames(
    container: av.container.InputContainer, start: float
) -> Iterator[tuple[float, av.VideoFrame]]:
    """(seconds, decoded frame) from a key frame at or before `start` on."""
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    step = _frame_step(stream)
    time = -step
    untimed = container.format.name in _UNTIMED
    for packet in _packets_from_key_frame(container, stream, start):
        for frame in packet.decode():
            time = (
                round(time + step, 6)
                if untimed or frame.pts is None
                else _seconds(frame.pts, frame, container)
            )
            yield time, frame


def _packets_from_key_frame(
    container: av.container.InputContainer, stream: av.VideoStream, start: float
) -> Iterator[av.Packet]:
    """Packets from a key frame at or before `start` on; all of them where they carry no times."""
    if start <= 0 or container.format.name in _UNTIMED:
        return container.demux(stream)
    # MPEG-TS and others without an index seek to any packet: go back until there is a key frame.
    for back in (0.0, 1.0, 4.0, 16.0, 64.0):
        _seek(container, stream, start - back)
        key = next((packet for packet in container.demux(stream) if packet.is_keyframe), None)
        if key is not None and _seconds(key.pts, key, container) <= start:
            return itertools.chain([key], container.demux(stream))
    container.seek(0)
    return container.demux(stream)


def read_sound(
    container: av.container.InputContainer, start: float, duration: float
) -> tuple[int, Any] | None:
    """The sound from `start` for `duration` seconds (0: to the end).

    Returns:
        (samples per second, float32 array [C,S]) with silence in front where it begins late; None where
        there is none.
    """
    import av
    import numpy as np

    if not container.streams.audio:
        return None
    stream = container.streams.audio[0]
    # A little early: most audio codecs need the packet before to decode one right.
    if start:
        _seek(container, stream, start - 0.1)
    wanted = round(duration * stream.rate) if duration else float("inf")
    resampler = av.AudioResampler(format="fltp")
    pieces: list[Any] = []
    length = 0
    for decoded in container.decode(stream):
        for frame in resampler.resample(decoded):
            samples = frame.to_ndarray()
            if not pieces:
                late = _seconds(frame.pts, frame, container) - start
                samples = _shifted(samples, round(late * stream.rate))
            if samples.shape[1]:
                pieces.append(samples)
                length += samples.shape[1]
        if length >= wanted:
            break
    if not pieces:
        return None
    waveform = np.concatenate(pieces, axis=1)
    return stream.rate, waveform[:, : round(duration * stream.rate)] if duration else waveform


def _shifted(samples: Any, offset: int) -> Any:
    """Silence before sound that starts late; a cut where it starts early."""
    import numpy as np

    return samples[:, -offset:] if offset < 0 else np.pad(samples, ((0, 0), (offset, 0)))
