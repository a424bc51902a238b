"""Nodes for line drawings: raster to graph, drawings between drawings, and back to raster."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from .. import node_views
from ..methods import chosen_method, method_input
from ..runtime import Progress, node_id, show_text, throw_if_cancelled, with_network
from ..sockets import LineGraphs
from .curves import CURVES
from .methods import animeinbet

CATEGORY = "Kinograph/interpolation"


class KinoVectoriseLines(io.ComfyNode):
    """Line drawings as graphs."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoVectoriseLines",
            display_name="Vectorise Lines",
            category=CATEGORY,
            description="Makes a graph of each line drawing: its lines are thinned, followed and cut into "
            "short straight edges.",
            inputs=[
                io.Image.Input("images", tooltip="Clean line drawings of one size; a batch is in order."),
                io.Combo.Input(
                    "ink", options=["dark", "light"], tooltip="Dark lines on light paper, or light on dark."
                ),
                io.Float.Input(
                    "threshold",
                    default=0.5,
                    min=0.01,
                    max=0.99,
                    step=0.01,
                    tooltip="Brightness, 0 to 1, that parts lines from paper.",
                ),
                io.Float.Input(
                    "tolerance",
                    default=0.5,
                    min=0.1,
                    max=20.0,
                    step=0.1,
                    tooltip="How far an edge may be from its line, in pixels.",
                ),
                io.Float.Input(
                    "spacing",
                    default=12.0,
                    min=2.0,
                    max=500.0,
                    step=1.0,
                    tooltip="Longest edge, in pixels. Shorter edges follow motion better and take longer.",
                ),
                io.Float.Input(
                    "spur",
                    default=4.0,
                    min=0.0,
                    max=100.0,
                    step=1.0,
                    tooltip="Side lines shorter than this, in pixels, are left out.",
                ),
            ],
            outputs=[
                LineGraphs.Output(display_name="lines", tooltip="A graph of each drawing."),
                io.String.Output(display_name="report", tooltip="Vertices and edges of each drawing."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls, images: Any, ink: str, threshold: float, tolerance: float, spacing: float, spur: float
    ) -> io.NodeOutput:
        from .vectorise import ink_of, vectorised

        progress = Progress(len(images), node_id=node_id(cls))
        graphs, told = [], []
        for number, image in enumerate(images.cpu().numpy()):
            graph, dots = vectorised(ink_of(image, threshold, ink), tolerance, spacing, spur)
            graphs.append(graph)
            left_out = f"; {dots} dots, which have no length, are left out" if dots else ""
            told.append(
                f"drawing {number}: {len(graph.vertices)} vertices, {len(graph.edges)} edges{left_out}"
            )
            progress.advance()
        report = "\n".join(told)
        show_text(report, node_id(cls))
        return io.NodeOutput(tuple(graphs), report, ui=node_views.views(node_views.report(report)))


class KinoInbetweenLines(io.ComfyNode):
    """Drawings between drawings."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=animeinbet.NODE,
            display_name="In-between Lines",
            category=CATEGORY,
            description="Draws the frames between key drawings: matched lines move from one to the next, and "
            "lines that only one of them has come and go half way. The key drawings stay as they are.",
            inputs=[
                LineGraphs.Input("lines", tooltip="Key drawings, in order."),
                LineGraphs.Input("end", optional=True, tooltip="Further key drawings, after those."),
                io.Int.Input(
                    "frames",
                    default=5,
                    min=1,
                    max=1000,
                    tooltip="New drawings between each two key drawings.",
                ),
                io.Combo.Input(
                    "curve",
                    options=list(CURVES),
                    tooltip="How motion is spread: evenly, or soft at both ends, at the start or the end.",
                ),
                method_input(animeinbet.NODE, "geometric", "How vertices are matched."),
            ],
            outputs=[
                LineGraphs.Output(display_name="lines", tooltip="All drawings in order, keys included."),
                io.String.Output(display_name="report", tooltip="What was matched between each two keys."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls, lines: tuple, frames: int, curve: str, method: dict[str, Any], end: tuple = ()
    ) -> io.NodeOutput:
        from .line_inbetween import key_pairs

        matcher = chosen_method(animeinbet.NODE, method)
        keys = (*lines, *(end or ()))
        pairs = key_pairs(keys)
        progress = Progress(len(pairs), node_id=node_id(cls), stage="matching lines")
        drawings, told = [keys[0]], []
        with with_network(matcher) as ready:
            for pair in pairs:
                made, text = _between(pair, ready, frames, curve)
                drawings += made
                told.append(text)
                progress.advance()
        report = "\n".join(f"{number} to {number + 1}: {text}" for number, text in enumerate(told))
        show_text(report, node_id(cls))
        return io.NodeOutput(tuple(drawings), report, ui=node_views.views(node_views.report(report)))


def _between(pair: tuple, matcher: Any, frames: int, curve: str) -> tuple[list, str]:
    """The drawings after the first of a pair up to the second, and what was matched."""
    from .curves import progress
    from .line_inbetween import LineInbetween

    found = matcher.correspondence(*pair, throw_if_cancelled)
    between = LineInbetween(pair, found)
    matched = int((found.matches >= 0).sum())
    text = f"{matched} of {len(pair[0].vertices)} vertices matched; {between.counts.told()}"
    return [between.at(t) for t in progress(curve, frames + 2)[1:]], text


class KinoRasteriseLines(io.ComfyNode):
    """Graphs drawn as pictures."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoRasteriseLines",
            display_name="Rasterise Lines",
            category=CATEGORY,
            description="Draws graphs of lines as pictures of any size, in one thickness with smooth edges.",
            inputs=[
                LineGraphs.Input("lines", tooltip="The drawings."),
                io.Float.Input(
                    "thickness",
                    default=2.0,
                    min=0.1,
                    max=100.0,
                    step=0.1,
                    tooltip="Of the lines, in pixels of the result.",
                ),
                io.Float.Input(
                    "scale",
                    default=1.0,
                    min=0.1,
                    max=16.0,
                    step=0.1,
                    tooltip="Size of the result as a factor of the drawing's; lines stay sharp.",
                ),
                io.Combo.Input(
                    "ink", options=["dark", "light"], tooltip="Black lines on white, or white on black."
                ),
            ],
            outputs=[
                io.Image.Output(display_name="images", tooltip="A picture of each drawing."),
                io.Mask.Output(display_name="mask", tooltip="1 on the lines."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, lines: tuple, thickness: float, scale: float, ink: str) -> io.NodeOutput:
        import torch

        from .strokes import rasterised

        progress = Progress(len(lines), node_id=node_id(cls))
        drawn = []
        for graph in lines:
            drawn.append(torch.from_numpy(rasterised(graph, thickness, scale)))
            progress.advance()
        mask = torch.stack(drawn)
        shade = 1 - mask if ink == "dark" else mask
        images = shade[..., None].expand(-1, -1, -1, 3).contiguous()
        return io.NodeOutput(images, mask, ui=node_views.views(*node_views.clip(images)))


NODES = [KinoVectoriseLines, KinoInbetweenLines, KinoRasteriseLines]
