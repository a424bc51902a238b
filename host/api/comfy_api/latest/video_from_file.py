"""A VIDEO that is a file."""

from __future__ import annotations

from .video_input import VideoInput


class VideoFromFile(VideoInput):
    pass
