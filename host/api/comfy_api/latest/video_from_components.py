"""A VIDEO that is tensors."""

from __future__ import annotations

from .video_input import VideoInput


class VideoFromComponents(VideoInput):
    pass
