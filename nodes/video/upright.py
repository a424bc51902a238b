"""Pictures as a viewer sees them: rotation flags applied, pixels square, formats in plain names."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import TYPE_CHECKING

from .pixels import is_plain, rgb_format

if TYPE_CHECKING:
    import av

TURNS = {
    (1, 0, 0, 1): (),
    (0, 1, -1, 0): (("transpose", "clock"),),
    (-1, 0, 0, -1): (("hflip", None), ("vflip", None)),
    (0, -1, 1, 0): (("transpose", "cclock"),),
    (-1, 0, 0, 1): (("hflip", None),),
    (1, 0, 0, -1): (("vflip", None),),
    (0, 1, 1, 0): (("transpose", "cclock_flip"),),
    (0, -1, -1, 0): (("transpose", "clock_flip"),),
}
"""Filters that undo a display matrix, by the signs of its a, b, c, d (x' = ax + cy, y' = bx + dy)."""

Filter = tuple[str, "str | None"]


def upright_filters(frame: av.VideoFrame, pixel_aspect: Fraction) -> tuple[Filter, ...]:
    """FFmpeg filters that show a decoded frame as its file asks; empty if it already is.

    Args:
        frame: the first decoded frame, whose display matrix speaks for all.
        pixel_aspect: width / height of one pixel.
    """
    return _plain_format(frame) + _square_pixels(frame, pixel_aspect) + _turns(frame)


def _turns(frame: av.VideoFrame) -> tuple[Filter, ...]:
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return ()
    a, b, _, c, d, *_ = struct.unpack("9i", bytes(matrix))
    signs = tuple((value > 0) - (value < 0) for value in (a, b, c, d))
    return TURNS.get(signs, ())


def _square_pixels(frame: av.VideoFrame, pixel_aspect: Fraction) -> tuple[Filter, ...]:
    if pixel_aspect == 1:
        return ()
    width = 2 * round(frame.width * pixel_aspect / 2)
    return (("scale", f"{width}:{frame.height}:flags=bicubic"), ("setsar", "1"))


def _plain_format(frame: av.VideoFrame) -> tuple[Filter, ...]:
    """Full-range "yuvj…" becomes its "yuv…" twin, the range kept as a tag; odd layouts become plain RGB."""
    name = frame.format.name
    if name.startswith("yuvj"):
        return (("scale", "in_range=full:out_range=full"), ("format", name.replace("yuvj", "yuv")))
    return () if is_plain(name) else (("format", rgb_format(name)),)


class FilterChain:
    """A linear FFmpeg filter graph for pictures of one size and format, built at the first frame."""

    def __init__(self, filters: tuple[Filter, ...]) -> None:
        self.filters = filters
        self._graph: av.filter.Graph | None = None

    def __call__(self, frame: av.VideoFrame) -> av.VideoFrame:
        """One frame in, one frame out; the same frame where the chain is empty."""
        if not self.filters:
            return frame
        if self._graph is None:
            self._graph = self._built(frame)
        self._graph.vpush(frame)
        return self._graph.vpull()

    def _built(self, frame: av.VideoFrame) -> av.filter.Graph:
        from av.filter import Graph

        graph = Graph()
        source = graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=frame.time_base or Fraction(1, 1000),
        )
        nodes = [graph.add(name, arguments) for name, arguments in self.filters]
        graph.link_nodes(source, *nodes, graph.add("buffersink")).configure()
        return graph
