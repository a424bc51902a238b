"""A VIDEO that is a file, shown whole or from one time to another."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ....media_files import reading_options, why_unreadable
from ..util import VideoCodec, VideoComponents, VideoContainer
from .video_input import VideoInput
from .video_reading import bit_depth_of, packet_times, read_sound, timed_frames

if TYPE_CHECKING:
    import av


class VideoFromFile(VideoInput):
    """A video file by path or in memory.

    Times count from the file's first moment. Frames come turned as the file's rotation flag asks. A
    variable frame rate is reported as its average, so that frames and sound together last equally long.

    Args:
        file: a path, or the file's content.
        start_time: seconds; negative counts from the end.
        duration: seconds; 0 means to the end.
    """

    def __init__(self, file: str | io.BytesIO, *, start_time: float = 0, duration: float = 0) -> None:
        self._file = file
        start = max(self._file_duration() + start_time, 0.0) if start_time < 0 else start_time
        self._start = round(float(start), 6)
        self._duration = round(float(duration), 6)

    @contextmanager
    def _opened(self) -> Iterator[av.container.InputContainer]:
        import av

        try:
            container = av.open(self.get_stream_source(), options=reading_options())
        except av.FFmpegError as error:
            raise ValueError(f"{self._name} is not a readable video ({why_unreadable(error)})") from error
        with container:
            if not container.streams.video:
                raise ValueError(f"No video stream found in {self._name}")
            yield container

    @property
    def _name(self) -> str:
        return self._file if isinstance(self._file, str) else "the video in memory"

    @property
    def _end(self) -> float:
        return round(self._start + self._duration, 6) if self._duration else float("inf")

    def get_stream_source(self) -> str | io.BytesIO:
        if isinstance(self._file, io.BytesIO):
            self._file.seek(0)
        return self._file

    def get_active_trim_window(self) -> tuple[float, float]:
        return self._start, self._duration

    def as_trimmed(
        self, start_time: float | None = None, duration: float | None = None, strict_duration: bool = False
    ) -> VideoFromFile | None:
        """A part of what this video shows; None if nothing is left, or, when strict, less than asked for."""
        available = self.get_duration()
        offset = start_time or 0.0
        offset = max(available + offset, 0.0) if offset < 0 else offset
        left = available - offset
        if left <= 0 or (strict_duration and duration and left < duration):
            return None
        shown = min(duration, left) if duration else (left if self._duration else 0)
        return VideoFromFile(self._file, start_time=self._start + offset, duration=shown)

    def get_dimensions(self) -> tuple[int, int]:
        with self._opened() as container:
            frame = next(container.decode(video=0))
            turned = round(frame.rotation / 90) % 2
            return (frame.height, frame.width) if turned else (frame.width, frame.height)

    def get_bit_depth(self) -> int:
        with self._opened() as container:
            return bit_depth_of(container.streams.video[0].format)

    def get_container_format(self) -> str:
        with self._opened() as container:
            return container.format.name

    def get_frame_rate(self) -> Fraction:
        with self._opened() as container:
            stream = container.streams.video[0]
            return Fraction(stream.average_rate or stream.guessed_rate or 1)

    def get_duration(self) -> float:
        left = max(self._file_duration() - self._start, 0.0)
        return min(self._duration, left) if self._duration else left

    def _file_duration(self) -> float:
        import av

        with self._opened() as container:
            if container.duration is not None:
                return container.duration / av.time_base
            return max(time + length for time, length in packet_times(container))

    def get_frame_count(self) -> int:
        """Counted from the container: no picture is decoded."""
        with self._opened() as container:
            stream = container.streams.video[0]
            if stream.frames and not self._start and not self._duration:
                return stream.frames
            return sum(self._start <= time < self._end for time, _ in packet_times(container))

    def frames(self) -> Iterator[tuple[float, av.VideoFrame]]:
        """(seconds since the start of what is shown, decoded frame as stored), one after the other."""
        with self._opened() as container:
            for time, frame in timed_frames(container, self._start):
                if time >= self._end:
                    return
                if time >= self._start:
                    yield time - self._start, frame

    def sound(self) -> tuple[int, Any] | None:
        """(samples per second, float32 array [C,S] from the start of what is shown), None without sound."""
        with self._opened() as container:
            return read_sound(container, self._start, self._duration)

    def get_components(self) -> VideoComponents:
        import torch

        from .pixels import frame_pixels, stacked_images

        pixels = [frame_pixels(frame) for _, frame in self.frames()]
        images, alpha = stacked_images(pixels)
        audio = None
        if (sound := self.sound()) is not None:
            rate, waveform = sound
            audio = {"waveform": torch.from_numpy(waveform).unsqueeze(0), "sample_rate": rate}
        with self._opened() as container:
            tags = dict(container.metadata)
        return VideoComponents(images, self.get_frame_rate(), audio, tags, alpha)

    def save_to(
        self,
        path: str | io.BytesIO,
        format: VideoContainer = VideoContainer.AUTO,
        codec: VideoCodec = VideoCodec.AUTO,
        metadata: dict | None = None,
        bit_depth: int | None = None,
        crf: int | None = None,
    ) -> None:
        """Write the video: streams are copied where format, codec and times allow, else encoded anew.

        Args:
            path: a file name, or a buffer.
            format, codec: AUTO keeps the file's own.
            metadata: tags to add to the file's own; values that are not text become JSON.
            bit_depth: 8 or 10; None keeps the file's own.
            crf: x264's quality, lower is better; it always encodes anew.
        """
        from .video_writing import copy_streams, encode_video

        with self._opened() as container:
            stream = container.streams.video[0]
            tags = {**container.metadata, **(metadata or {})}
            own_depth = bit_depth_of(stream.format)
            same = (
                format in (VideoContainer.AUTO, *container.format.name.split(","))
                and codec in (VideoCodec.AUTO, stream.codec.canonical_name)
                and bit_depth in (None, own_depth)
                and (self._start, self._duration, crf) == (0, 0, None)
            )
            if same:
                copy_streams(container, path, None if format == VideoContainer.AUTO else format.value, tags)
                return
        encode_video(
            path,
            self.frames(),
            self.sound(),
            rate=self.get_frame_rate(),
            bit_depth=bit_depth or own_depth,
            crf=crf,
            metadata=tags,
        )
