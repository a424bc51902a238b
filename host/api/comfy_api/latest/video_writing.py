"""Writing video files: streams copied as they are, or frames and sound encoded as H.264 and AAC."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ....whole_file import whole_file
from .audio_saving import layout_of
from .pixels import frame_pixels

if TYPE_CHECKING:
    import av

_TIME_BASE = Fraction(1, 90000)
_AUDIO_CHUNK = 4096


@contextmanager
def _new_file(
    path: str | io.BytesIO, format: str | None, tags: dict[str, Any]
) -> Iterator[av.container.OutputContainer]:
    """An output container; a file gets its name only when it is complete."""
    import av

    options = {"movflags": "use_metadata_tags"}
    place = nullcontext(path) if isinstance(path, io.BytesIO) else whole_file(os.fspath(path))
    with place as target, av.open(target, "w", format=format, options=options) as output:
        for key, value in tags.items():
            output.metadata[key] = value if isinstance(value, str) else json.dumps(value)
        yield output


def copy_streams(
    container: av.container.InputContainer, path: str | io.BytesIO, format: str | None, tags: dict[str, Any]
) -> None:
    """Write all pictures, sounds and subtitles of a file unchanged.

    Args:
        container: the opened source.
        path: a file name, or a buffer.
        format: FFmpeg's name for the new format; None goes by the file name, or keeps the source's.
        tags: metadata of the new file.
    """
    if format is None and isinstance(path, io.BytesIO):
        names = container.format.name.split(",")
        format = "mp4" if "mp4" in names else names[0]
    with _new_file(path, format, tags) as output:
        copied = {
            stream: output.add_stream_from_template(stream, opaque=True)
            for stream in container.streams
            if stream.type in ("video", "audio", "subtitle")
        }
        for packet in container.demux(*copied):
            if packet.dts is not None:
                packet.stream = copied[packet.stream]
                output.mux(packet)


def encode_video(
    path: str | io.BytesIO,
    frames: Iterator[tuple[float, av.VideoFrame]],
    sound: tuple[int, Any] | None,
    *,
    rate: Fraction,
    bit_depth: int = 8,
    crf: int | None = None,
    metadata: dict[str, Any] | None = None,
) -> None:
    """Encode frames, one at a time, and sound into an mp4.

    Args:
        path: a file name, or a buffer.
        frames: (seconds, frame), at least one; rotation flags are applied.
        sound: (samples per second, float32 array [C,S]); cut to the picture's length.
        rate: frames per second, the average if it varies.
        bit_depth: above 8, 10 bits are written.
        crf: x264's quality, lower is better.
        metadata: the file's tags.

    Raises:
        ValueError: there are no frames.
    """
    timed = iter(frames)
    first = next(timed, None)
    if first is None:
        raise ValueError(f"{path} is not written: the video has no frames")
    with _new_file(path, "mp4", metadata or {}) as output:
        picture = _add_picture(output, first[1], rate, bit_depth, crf)
        voice = _Voice(output, *sound) if sound else None
        time = 0.0
        for time, frame in _chained(first, timed):
            output.mux(picture.encode(_upright(frame, picture.pix_fmt, time)))
            if voice:
                voice.write_until(time)
        output.mux(picture.encode(None))
        if voice:
            voice.write_until(time + float(1 / rate))
            voice.finish()


def _chained(first: tuple, rest: Iterator[tuple]) -> Iterator[tuple]:
    yield first
    yield from rest


def _add_picture(
    output: av.container.OutputContainer,
    frame: av.VideoFrame,
    rate: Fraction,
    bit_depth: int,
    crf: int | None,
) -> av.VideoStream:
    turned = round(frame.rotation / 90) % 2
    width, height = (frame.height, frame.width) if turned else (frame.width, frame.height)
    # 4:2:0 halves both sides, so odd sizes keep their full colour resolution instead.
    sampling = "444" if width % 2 or height % 2 else "420"
    options = {} if crf is None else {"crf": str(crf)}
    stream = output.add_stream("libx264", rate=rate.limit_denominator(1 << 16), options=options)
    stream.width, stream.height = width, height
    stream.pix_fmt = f"yuv{sampling}p10le" if bit_depth > 8 else f"yuv{sampling}p"
    stream.codec_context.time_base = _TIME_BASE
    return stream


def _upright(frame: av.VideoFrame, pix_fmt: str, time: float) -> av.VideoFrame:
    import av
    import numpy as np

    if frame.rotation:
        pixels = np.ascontiguousarray(frame_pixels(frame)[..., :3])
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb48le" if pixels.dtype == np.uint16 else "rgb24")
    frame = frame.reformat(format=pix_fmt)
    frame.pts = round(time / _TIME_BASE)
    frame.time_base = _TIME_BASE
    frame.pict_type = 0  # else x264 would keep the source's key frames
    return frame


class _Voice:
    """The sound track under construction."""

    def __init__(self, output: av.container.OutputContainer, rate: int, samples: Any) -> None:
        self.output = output
        self.rate = rate
        self.samples = samples
        self.layout = layout_of(samples.shape[0])
        self.stream = output.add_stream("aac", rate=rate, layout=self.layout)
        self.written = 0

    def write_until(self, time: float) -> None:
        """Encode the sound before that second."""
        import av
        import numpy as np

        end = min(round(time * self.rate), self.samples.shape[1])
        while self.written < end:
            piece = self.samples[:, self.written : min(self.written + _AUDIO_CHUNK, end)]
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), format="fltp", layout=self.layout)
            frame.rate = self.rate
            frame.pts = self.written
            frame.time_base = Fraction(1, self.rate)
            self.output.mux(self.stream.encode(frame))
            self.written += piece.shape[1]

    def finish(self) -> None:
        self.output.mux(self.stream.encode(None))
