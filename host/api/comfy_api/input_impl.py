"""`comfy_api.input_impl`: VIDEO values made from files and from tensors."""

from __future__ import annotations

from .latest.video_from_components import VideoFromComponents
from .latest.video_from_file import VideoFromFile

__all__ = ["VideoFromComponents", "VideoFromFile"]
