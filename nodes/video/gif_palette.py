"""One palette for a whole GIF, from a sample of its frames, and frames drawn with it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from .pixels import Converter, has_alpha
from .recipe import Frame, Recipe

if TYPE_CHECKING:
    import av

SAMPLES = 48
"""Frames looked at for the palette."""


def paletted(recipe: Recipe, pixel_format: str) -> Iterator[Frame]:
    """The recipe's frames in 256 colours of their own ("pal8"), by FFmpeg's palettegen and paletteuse.

    Args:
        pixel_format: "rgb24", or "rgba" to keep a transparent colour.
    """
    from av import BlockingIOError as NothingYet
    from av.filter import Graph

    palette = clip_palette(recipe, pixel_format)
    to_rgb = Converter(pixel_format=pixel_format)
    graph, source = None, None
    for image, time in recipe.frames():
        plain = to_rgb(image)
        if graph is None:
            graph = Graph()
            source = _buffer(graph, plain)
            colours = _buffer(graph, palette)
            draw, sink = graph.add("paletteuse", "dither=sierra2_4a"), graph.add("buffersink")
            source.link_to(draw, 0, 0)
            colours.link_to(draw, 0, 1)
            draw.link_to(sink)
            graph.configure()
            palette.pts, palette.time_base = 0, Fraction(1, 1000)
            colours.push(palette)
            colours.push(None)
        plain.pts, plain.time_base = round(time * 1000), Fraction(1, 1000)
        source.push(plain)
        try:
            yield Frame(sink.pull(), time)
        except NothingYet as error:
            raise RuntimeError("paletteuse held a frame back") from error


def clip_palette(recipe: Recipe, pixel_format: str) -> av.VideoFrame:
    """The 256 colours (16x16 pixels) that suit up to SAMPLES frames spread over the clip."""
    from av.filter import Graph

    spec = recipe.spec
    graph = Graph()
    source = None
    for image in _sampled(recipe, min(SAMPLES, spec.frame_count)):
        plain = Converter(pixel_format=pixel_format)(image)
        if source is None:
            source = _buffer(graph, plain)
            made = graph.add("palettegen", f"reserve_transparent={int(has_alpha(pixel_format))}")
            graph.link_nodes(source, made, graph.add("buffersink")).configure()
        graph.vpush(plain)
    graph.vpush(None)
    return graph.vpull()


def _sampled(recipe: Recipe, count: int) -> Iterator[av.VideoFrame]:
    """`count` frames evenly spread; a short clip is read once, a long one by seeking."""
    spec = recipe.spec
    if spec.frame_count <= 8 * count:
        step = max(1, spec.frame_count // count)
        yield from (frame.image for index, frame in enumerate(recipe.frames()) if index % step == 0)
        return
    for index in range(count):
        frames = recipe.frames(spec.duration * index / count)
        yield next(frames).image
        frames.close()


def _buffer(graph: av.filter.Graph, frame: av.VideoFrame) -> av.filter.FilterContext:
    return graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
    )
