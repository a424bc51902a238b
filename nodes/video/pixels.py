"""Between FFmpeg's pictures and tensors: formats, colour tags and the RGB round trip."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av
    import torch

BT709, UNSPECIFIED, SMPTE170M = 1, 2, 6
"""Colour matrices (AVColorSpace). An unspecified one is BT.709 from HD_LINES lines on, else SMPTE 170M."""

RGB_MATRIX = 0
HD_LINES = 720

SMPTE170M_SWS = 5
_SWS_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""swscale's number for each AVColorSpace that it can convert."""

ALGORITHMS = ("bilinear", "bicubic", "lanczos", "area", "spline", "nearest", "fast bilinear")
"""Scaling algorithms of swscale, by the names users see."""

_SWS_NAMES = {"nearest": "POINT", "fast bilinear": "FAST_BILINEAR"}


def has_alpha(pixel_format: str) -> bool:
    """Whether an FFmpeg pixel format has an alpha plane."""
    from av import VideoFormat

    return any(component.is_alpha for component in VideoFormat(pixel_format).components)


def bit_depth(pixel_format: str) -> int:
    """Bits of a format's deepest component."""
    from av import VideoFormat

    return max(component.bits for component in VideoFormat(pixel_format).components)


def is_rgb(pixel_format: str) -> bool:
    """Whether an FFmpeg pixel format holds red, green and blue rather than luma and chroma."""
    from av import VideoFormat

    return VideoFormat(pixel_format).is_rgb


def chroma_steps(pixel_format: str) -> tuple[int, int]:
    """Luma pixels per chroma sample, across and down: (2, 2) for 4:2:0, (1, 1) for 4:4:4 and RGB."""
    from av import VideoFormat

    fmt = VideoFormat(pixel_format)
    return 16 // fmt.chroma_width(16), 16 // fmt.chroma_height(16)


def matrix_of(frame: av.VideoFrame) -> int:
    """The colour matrix (AVColorSpace) that a YUV frame was made with, or should be."""
    if frame.colorspace not in (UNSPECIFIED, RGB_MATRIX):
        return int(frame.colorspace)
    return BT709 if frame.height >= HD_LINES else SMPTE170M


def copy_colour(given: av.VideoFrame, made: av.VideoFrame) -> av.VideoFrame:
    """Tag `made` with the colour matrix, range, primaries and transfer of `given`; returns `made`."""
    for tag in ("colorspace", "color_range", "color_primaries", "color_trc"):
        setattr(made, tag, getattr(given, tag))
    return made


class Converter:
    """Change the size or pixel format of one pull's frames, keeping their colour meaning.

    It holds FFmpeg's scaling context between frames: making one per frame costs more than small frames do.
    """

    def __init__(
        self,
        width: int | None = None,
        height: int | None = None,
        pixel_format: str | None = None,
        algorithm: str = "bicubic",
    ) -> None:
        from av.video.reformatter import Interpolation, VideoReformatter

        self.width, self.height, self.pixel_format = width, height, pixel_format
        self.interpolation = Interpolation[_SWS_NAMES.get(algorithm, algorithm.upper())]
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> av.VideoFrame:
        """One frame in, one out; the same frame where nothing is to do. Threads are the decoder's."""
        wanted = self.pixel_format or frame.format.name
        matrix = {}
        if frame.format.is_rgb != is_rgb(wanted):
            colours = _SWS_MATRICES.get(matrix_of(frame), SMPTE170M_SWS)
            matrix = {"src_colorspace": colours, "dst_colorspace": colours}
        return self._reformatter.reformat(
            frame, self.width, self.height, wanted, interpolation=self.interpolation, threads=1, **matrix
        )


def frame_of_image(image: torch.Tensor, pixel_format: str = "rgb24") -> av.VideoFrame:
    """Make a frame of one image.

    Args:
        image: [H, W, C] float 0..1, clamped; C is 3 or 4 as the format needs.
        pixel_format: "rgb24", "rgba", "rgb48le" or "rgba64le".
    """
    import numpy as np
    from av import VideoFrame

    peak, kind = (255, np.uint8) if bit_depth(pixel_format) == 8 else (65535, np.uint16)
    scaled = image.detach().float().cpu().mul(peak).add_(0.5).clamp_(0, peak)
    return VideoFrame.from_ndarray(scaled.numpy().astype(kind), format=pixel_format)


def image_of_frame(frame: av.VideoFrame, pixel_format: str = "rgb24") -> torch.Tensor:
    """An RGB frame as [H, W, C] float 0..1; `pixel_format` is the frame's own (see `Converter`)."""
    import numpy as np
    import torch

    pixels = frame.to_ndarray(format=pixel_format)
    peak = 255 if pixels.dtype == np.uint8 else 65535
    return torch.from_numpy(pixels.astype(np.float32)).div_(peak)


def rgb_format(pixel_format: str) -> str:
    """The RGB format that loses nothing of a format's depth and alpha."""
    deep, alpha = bit_depth(pixel_format) > 8, has_alpha(pixel_format)
    return {
        (False, False): "rgb24",
        (False, True): "rgba",
        (True, False): "rgb48le",
        (True, True): "rgba64le",
    }[deep, alpha]
