"""`comfy_api.util`: plain data types of the API."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from io import BytesIO
from typing import Any

from .latest.tensors import Tensor


class _Choice(str, Enum):
    @classmethod
    def as_input(cls) -> list[str]:
        """The values as a combo's options."""
        return [member.value for member in cls]


class VideoCodec(_Choice):
    """How a video's picture is encoded."""

    AUTO = "auto"
    H264 = "h264"


class VideoContainer(_Choice):
    """The file format of a video."""

    AUTO = "auto"
    MP4 = "mp4"

    @classmethod
    def get_extension(cls, value: VideoContainer | str) -> str:
        """The file name's extension, without the dot."""
        return "mp4" if cls(value) in (cls.AUTO, cls.MP4) else ""


@dataclass
class VideoComponents:
    """A decoded video: images [T,H,W,3] in 0..1, frames per second, sound, tags, alpha [T,H,W,1]."""

    images: Any
    frame_rate: Fraction
    audio: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    alpha: Any = None


class VOXEL:
    """A grid of occupancies, `data` [B,X,Y,Z]."""

    def __init__(self, data: Tensor) -> None:
        self.data = data


class MESH:
    """Triangles: `vertices` [B,V,3] and `faces` [B,F,3]."""

    def __init__(self, vertices: Tensor, faces: Tensor) -> None:
        self.vertices = vertices
        self.faces = faces


class SVG:
    """Vector drawings, one file in memory each."""

    def __init__(self, data: list[BytesIO]) -> None:
        self.data = data

    def combine(self, other: SVG) -> SVG:
        return SVG(self.data + other.data)

    @staticmethod
    def combine_all(svgs: list[SVG]) -> SVG:
        return SVG([drawing for svg in svgs for drawing in svg.data])


__all__ = ["MESH", "SVG", "VOXEL", "VideoCodec", "VideoComponents", "VideoContainer"]
