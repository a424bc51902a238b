"""A VIDEO that is tensors."""

from __future__ import annotations

import io
from fractions import Fraction

from ..util import VideoCodec, VideoComponents, VideoContainer
from .video_input import VideoInput


class VideoFromComponents(VideoInput):
    """Images, frame rate and sound in memory; `bit_depth` is what they are encoded with."""

    def __init__(self, components: VideoComponents, bit_depth: int = 8) -> None:
        self._components = components
        self._bit_depth = bit_depth

    def get_components(self) -> VideoComponents:
        parts = self._components
        return VideoComponents(parts.images, parts.frame_rate, parts.audio, alpha=parts.alpha)

    def get_bit_depth(self) -> int:
        return self._bit_depth

    def get_frame_rate(self) -> Fraction:
        return Fraction(self._components.frame_rate)

    def as_trimmed(
        self, start_time: float | None = None, duration: float | None = None, strict_duration: bool = False
    ) -> VideoFromComponents | None:
        """A part of the video; None if nothing is left, or, when strict, less than asked for."""
        start = start_time or 0.0
        start = max(self.get_duration() + start, 0.0) if start < 0 else start
        left = self.get_duration() - start
        if left <= 0 or (strict_duration and duration and left < duration):
            return None
        end = start + (min(duration, left) if duration else left)
        parts, rate = self._components, self.get_frame_rate()
        first, last = round(start * rate), round(end * rate)
        audio = parts.audio
        if audio is not None:
            hertz = audio["sample_rate"]
            audio = {**audio, "waveform": audio["waveform"][..., round(start * hertz) : round(end * hertz)]}
        alpha = None if parts.alpha is None else parts.alpha[first:last]
        trimmed = VideoComponents(parts.images[first:last], parts.frame_rate, audio, parts.metadata, alpha)
        return VideoFromComponents(trimmed, self._bit_depth)

    def save_to(
        self,
        path: str | io.BytesIO,
        format: VideoContainer = VideoContainer.AUTO,
        codec: VideoCodec = VideoCodec.AUTO,
        metadata: dict | None = None,
        bit_depth: int | None = None,
        crf: int | None = None,
    ) -> None:
        """Encode as H.264 and AAC in an mp4.

        Args:
            path: a file name, or a buffer.
            format, codec: AUTO, MP4 and H264 are there.
            metadata: the file's tags; values that are not text become JSON.
            bit_depth: 8 or 10; None takes the video's own.
            crf: x264's quality, lower is better.

        Raises:
            ValueError: another format or codec, or no frames.
        """
        from .pixels import frame_from_image
        from .video_writing import encode_video

        if VideoContainer(format) not in (VideoContainer.AUTO, VideoContainer.MP4):
            raise ValueError(f"only mp4 files can be written here, not {format}")
        if VideoCodec(codec) not in (VideoCodec.AUTO, VideoCodec.H264):
            raise ValueError(f"only the codec h264 is there, not {codec}")
        depth = bit_depth or self._bit_depth
        rate = self.get_frame_rate()
        audio = self._components.audio
        sound = audio and (int(audio["sample_rate"]), audio["waveform"][0].float().cpu().numpy())
        frames = (
            (float(number / rate), frame_from_image(image, depth > 8))
            for number, image in enumerate(self._components.images)
        )
        encode_video(path, frames, sound, rate=rate, bit_depth=depth, crf=crf, metadata=metadata)
