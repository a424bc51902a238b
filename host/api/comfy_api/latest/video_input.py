"""The VIDEO socket's value."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from fractions import Fraction
from typing import IO, Any

from ....media_files import reading_options
from ..util import VideoCodec, VideoComponents, VideoContainer


class VideoInput(ABC):
    """A video. The methods that are not abstract decode everything unless a subclass knows better."""

    @abstractmethod
    def get_components(self) -> VideoComponents:
        """All frames and the sound as tensors."""

    @abstractmethod
    def save_to(
        self,
        path: str | IO[bytes],
        format: VideoContainer = VideoContainer.AUTO,
        codec: VideoCodec = VideoCodec.AUTO,
        metadata: dict | None = None,
        **options: Any,
    ) -> None:
        """Write a video file; `metadata` goes into the container's tags."""

    def as_trimmed(
        self, start_time: float | None = None, duration: float | None = None, strict_duration: bool = False
    ) -> VideoInput | None:
        """The video from `start_time` for `duration` seconds (0: to the end), or None if it is too short."""
        raise NotImplementedError(f"{type(self).__name__} cannot be trimmed")

    def get_stream_source(self) -> str | io.BytesIO:
        """A file, by path or in memory, that PyAV can open; it is not trimmed."""
        buffer = io.BytesIO()
        self.save_to(buffer)
        buffer.seek(0)
        return buffer

    def get_active_trim_window(self) -> tuple[float, float]:
        """(start, duration) in seconds of what is shown of the stream source; duration 0: to the end."""
        return 0.0, 0.0

    def get_dimensions(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        images = self.get_components().images
        return images.shape[2], images.shape[1]

    def get_bit_depth(self) -> int:
        """Bits per colour channel."""
        return 8

    def get_duration(self) -> float:
        """Seconds."""
        components = self.get_components()
        return float(components.images.shape[0] / components.frame_rate)

    def get_frame_count(self) -> int:
        return int(self.get_components().images.shape[0])

    def get_frame_rate(self) -> Fraction:
        """Frames per second."""
        return self.get_components().frame_rate

    def get_container_format(self) -> str:
        """FFmpeg's name for the file format, e.g. "mov,mp4,m4a,3gp,3g2,mj2"."""
        import av

        with av.open(self.get_stream_source(), options=reading_options()) as container:
            return container.format.name
