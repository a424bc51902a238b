"""What the nodes for lines and controls draw between two pictures, for the help pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from help_examples import Row, clip, frames_of
from kinograph.nodes.interpolation.content_clip import content_clip
from kinograph.nodes.interpolation.control_points import motion_clip, of_paths
from kinograph.nodes.interpolation.curves import progress
from kinograph.nodes.interpolation.frame_conditions import condition_frames
from kinograph.nodes.interpolation.line_inbetween import LineInbetween
from kinograph.nodes.interpolation.line_matching import match_lines
from kinograph.nodes.interpolation.methods.fcvg import Lines, Points
from kinograph.nodes.interpolation.strokes import colours, paint, picture, rasterised
from kinograph.nodes.interpolation.vectorise import vectorised
from PIL import Image

PAGE = (120, 100)
"""Height and width of the drawings."""
CROSSING = '[[{"x": 15, "y": 60}, {"x": 145, "y": 30}], [{"x": 80, "y": 8}, {"x": 80, "y": 82}]]'


def figure(lean: float, hand: float) -> np.ndarray:
    """Lines of someone who leans to a side, in pixels, with a hand lifted so far: [N,2,2]."""
    turn = np.linspace(0, 2 * np.pi, 33)
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    head, hip = np.array([50 + lean, 28]), np.array([50, 78])
    smile = np.stack([np.linspace(-7, 7, 9), 7 + 3 * np.cos(np.linspace(-1.5, 1.5, 9))], axis=1)
    neck = head + np.array([0, 18])
    shoulder = 0.8 * neck + 0.2 * hip
    lines = [
        head + 18 * ring,
        head + np.array([-6, -4]) + 2.5 * ring,
        head + np.array([6, -4]) + 2.5 * ring,
        head + smile,
        np.array([neck, hip]),
        shoulder + np.array([(0, 0), (18, 8 - hand / 2), (30, 2 - hand)]),
        shoulder + np.array([(0, 0), (-16, 10), (-12, 26)]),
        hip + np.array([(-14, 36), (-11, 18), (0, 0), (11, 18), (14, 36)]),
    ]
    return np.concatenate([np.stack([line[:-1], line[1:]], axis=1) for line in lines])


def drawing(lean: float, hand: float) -> np.ndarray:
    return paint(figure(lean, hand), *PAGE, 2.4).coverage > 0.5


def paper(ink: np.ndarray) -> Image.Image:
    return Image.fromarray(((1 - ink) * 255).round().astype(np.uint8)).convert("RGB")


def coloured(image: np.ndarray) -> Image.Image:
    return Image.fromarray((image * 255).round().astype(np.uint8))


def graphs() -> Iterator[Row]:
    ink = drawing(0, 0)
    graph = vectorised(ink).graph
    large = 2 * graph.segments
    edges = picture(paint(large, 2 * PAGE[0], 2 * PAGE[1], 2.0), colours(len(large)))
    yield Row("drawing", [paper(ink.astype(np.float32)).resize((2 * PAGE[1], 2 * PAGE[0]))])
    yield Row(f"{len(graph.vertices)} vertices, {len(graph.edges)} edges", [coloured(edges)])


def drawings_between() -> Iterator[Row]:
    keys = vectorised(drawing(-10, 2)).graph, vectorised(drawing(8, 16)).graph
    between = LineInbetween(keys, match_lines(*keys))
    drawn = [rasterised(between.at(t), 2.4) for t in progress("linear", 5)]
    yield Row("key, three between, key", [paper(ink) for ink in drawn])
    faded = [(1 - t) * drawn[0] + t * drawn[-1] for t in progress("linear", 5)]
    yield Row("for comparison: a cross-fade", [paper(ink) for ink in faded])


def sizes() -> Iterator[Row]:
    graph = vectorised(drawing(0, 20)).graph
    yield Row("thickness 1, 3, 6", [paper(rasterised(graph, thickness)) for thickness in (1, 3, 6)])
    yield Row("scale 2, thickness 3", [paper(rasterised(graph, 3, 2.0))])


def conditions() -> Iterator[Row]:
    film = frames_of(clip("a large red square moving right in front of a checkerboard floor"))
    ends = [np.asarray(frame, np.float32) / 255 for frame in (film[0], film[-1])]
    yield Row("start, end", [film[0], film[-1]])
    for title, method, thickness in (("lines", Lines(shortest=10), 1.5), ("points", Points(), 4.0)):
        drawn = condition_frames(method.matches(*ends), 3, "linear", ends[0].shape[:2], thickness)
        yield Row(title, [coloured(frame) for frame in drawn])


def weights() -> Iterator[Row]:
    """How much each direction counts in each frame."""
    share = np.linspace(1, 0, 13)
    bars = np.repeat(np.repeat(share, 16)[None], 24, axis=0)
    orange, blue = np.array([1.0, 0.66, 0.19]), np.array([0.19, 0.55, 1.0])
    yield Row("forwards", [coloured(bars[..., None] * orange)])
    yield Row("backwards", [coloured((1 - bars)[..., None] * blue)])
    yield Row(
        "first_weight 1, last_weight 0", [coloured(bars[..., None] * orange + (1 - bars)[..., None] * blue)]
    )


def controls() -> Iterator[Row]:
    film = [torch.from_numpy(np.array(frame)).float() / 255 for frame in frames_of(clip())]
    size = tuple(film[0].shape[:2])
    moving = motion_clip(of_paths(CROSSING, 5), size, 7)
    region = torch.zeros(1, *size)
    region[:, 10:70, 55:125] = 1
    given = content_clip(film[0], film[-1], 5, film[len(film) // 2][None], region).clip.numpy()
    yield Row("motion clip: two paths, the first in front", [coloured(moving[at]) for at in (0, 2, 4)])
    yield Row("content clip: both ends and a region", [coloured(given[at]) for at in (0, 2, 4)])


INBETWEEN_EXAMPLES: dict[str, Callable[[], Iterator[Row]]] = {
    "KinoBidirectionalFuse": weights,
    "KinoFrameConditions": conditions,
    "KinoInbetweenControls": controls,
    "KinoInbetweenLines": drawings_between,
    "KinoRasteriseLines": sizes,
    "KinoVectoriseLines": graphs,
}
