"""Between FFmpeg's pictures and tensors: formats, colour tags and the RGB round trip."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av
    import numpy as np
    import torch

BT709, UNSPECIFIED, SMPTE170M = 1, 2, 6
"""Colour matrices (AVColorSpace). An unspecified one is BT.709 from HD_LINES lines on, else SMPTE 170M."""

RGB_MATRIX = 0
LIMITED_RANGE, FULL_RANGE = 1, 2
HD_LINES = 720

SMPTE170M_SWS = 5
_SWS_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""swscale's number for each AVColorSpace that it can convert."""

COLOUR_TAGS = ("colorspace", "color_range", "color_primaries", "color_trc")

ALGORITHMS = ("bilinear", "bicubic", "lanczos", "area", "nearest", "fast bilinear")
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


def is_plain(pixel_format: str) -> bool:
    """Whether every sample fills one byte or one little-endian pair of bytes, so that numpy can mix it."""
    from av import VideoFormat

    fmt = VideoFormat(pixel_format)
    depths = {component.bits for component in fmt.components}
    if fmt.has_palette or fmt.is_bit_stream or pixel_format.endswith("be") or max(depths) > 16:
        return False
    planar = len(depths) == 1 and len({component.plane for component in fmt.components}) > 1
    return depths == {8} or planar or pixel_format.startswith(("gray", "rgb48", "rgba64", "p0", "p2", "p4"))


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


class Recolour:
    """Bring one pull's frames to the colour matrix and range of a reference frame, where they differ."""

    def __init__(self, reference: av.VideoFrame) -> None:
        from av.video.reformatter import VideoReformatter

        self.reference = reference
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> av.VideoFrame:
        """One frame in, one out, tagged like the reference."""
        kept = (matrix_of(self.reference), self.reference.color_range == FULL_RANGE)
        if frame.format.is_rgb or (matrix_of(frame), frame.color_range == FULL_RANGE) == kept:
            return frame
        made = self._reformatter.reformat(
            frame,
            src_colorspace=_SWS_MATRICES.get(matrix_of(frame), SMPTE170M_SWS),
            dst_colorspace=_SWS_MATRICES.get(kept[0], SMPTE170M_SWS),
            src_color_range=FULL_RANGE if frame.color_range == FULL_RANGE else LIMITED_RANGE,
            dst_color_range=FULL_RANGE if kept[1] else LIMITED_RANGE,
            **_one_thread(),
        )
        return copy_colour(self.reference, made)


def copy_colour(given: av.VideoFrame, made: av.VideoFrame) -> av.VideoFrame:
    """Tag `made` with the colour matrix, range, primaries and transfer of `given`; returns `made`."""
    for tag in COLOUR_TAGS:
        if hasattr(given, tag):  # PyAV before 17 shows no primaries and transfer of a frame
            setattr(made, tag, getattr(given, tag))
    return made


def keep_matrix(given: av.VideoFrame, made: av.VideoFrame) -> av.VideoFrame:
    """Name the matrix of `made` where its new height would make a viewer guess another; returns `made`."""
    if not made.format.is_rgb and matrix_of(made) != matrix_of(given):
        made.colorspace = matrix_of(given)
    return made


def _one_thread() -> dict[str, int]:
    """Scaling runs beside decoding and encoding, which use the other cores; PyAV before 17 has no choice."""
    import av

    return {"threads": 1} if int(av.__version__.split(".")[0]) >= 17 else {}


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
        made = self._reformatter.reformat(
            frame,
            self.width,
            self.height,
            wanted,
            interpolation=self.interpolation,
            **matrix,
            **_one_thread(),
        )
        if matrix and frame.format.is_rgb:
            made.colorspace = matrix_of(frame)
        return keep_matrix(frame, made)


def frames_of_images(images: torch.Tensor, pixel_format: str = "rgb24") -> Iterator[av.VideoFrame]:
    """Make frames of an IMAGE batch.

    By numpy, frame by frame: torch's threads would keep spinning between these small steps, and slow down
    the codecs by half.

    Args:
        images: [B, H, W, C] float 0..1, clamped and rounded; C is 3 or 4 as the format needs.
        pixel_format: "rgb24", "rgba", "rgb48le" or "rgba64le".
    """
    import numpy as np
    from av import VideoFrame

    peak, kind = (255, np.uint8) if bit_depth(pixel_format) == 8 else (65535, np.uint16)
    for floats in images.detach().float().cpu().numpy():
        scaled = floats * np.float32(peak)
        scaled += np.float32(0.5)
        np.clip(scaled, 0, peak, out=scaled)
        yield VideoFrame.from_ndarray(scaled.astype(kind), format=pixel_format)


def images_of_frames(frames: list[av.VideoFrame]) -> torch.Tensor:
    """RGB frames of one size (see `rgb_format`) as an IMAGE batch [B, H, W, C] float 0..1."""
    import numpy as np
    import torch

    first = frames[0].to_ndarray()
    peak = np.float32(255 if first.dtype == np.uint8 else 65535)
    images = np.empty((len(frames), *first.shape), np.float32)
    for frame, floats in zip(frames, images, strict=True):
        np.divide(frame.to_ndarray(), peak, out=floats)
    return torch.from_numpy(images)


def rgb_format(pixel_format: str) -> str:
    """The RGB format that loses nothing of a format's depth and alpha (a palette may hold alpha)."""
    deep, alpha = bit_depth(pixel_format) > 8, has_alpha(pixel_format) or pixel_format == "pal8"
    return {
        (False, False): "rgb24",
        (False, True): "rgba",
        (True, False): "rgb48le",
        (True, True): "rgba64le",
    }[deep, alpha]


def opaque_format(pixel_format: str) -> str:
    """The format without its alpha plane."""
    if not has_alpha(pixel_format):
        return pixel_format
    if is_rgb(pixel_format):
        return rgb_format(pixel_format).replace("rgba64", "rgb48").replace("rgba", "rgb24")
    return pixel_format.replace("yuva", "yuv")


def samples_of(plane: av.video.plane.VideoPlane, kind: type) -> np.ndarray:
    """A plane's memory as [rows, samples per line], the padding at each line's end included."""
    import numpy as np

    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size).view(kind)


def grown(frame: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
    """The frame with its right and bottom edges repeated out to `width` x `height`."""
    import numpy as np
    from av import VideoFrame

    if (frame.width, frame.height) == (width, height):
        return frame
    made = VideoFrame(width, height, frame.format.name)
    kind = np.uint8 if bit_depth(frame.format.name) == 8 else np.uint16
    for given, plane in zip(frame.planes, made.planes, strict=True):
        source = samples_of(given, kind)[: given.height, : given.width]
        edges = ((0, plane.height - given.height), (0, plane.width - given.width))
        samples_of(plane, kind)[: plane.height, : plane.width] = np.pad(source, edges, mode="edge")
    return copy_colour(frame, made)
