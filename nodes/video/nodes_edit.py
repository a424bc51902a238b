"""VIDEO → VIDEO nodes for what is kept of a video: each adds a step to a recipe, nothing is decoded yet."""

from __future__ import annotations

from fractions import Fraction

from comfy_api.latest import io

from ..lazy_video import LazyVideo, as_recipe, seconds_of
from ..node_views import report, views
from ..runtime import node_id, show_text
from ..sockets import Spans as SpansSocket
from .crop import Crop
from .describe import facts_line
from .pixels import ALGORITHMS
from .recipe import Recipe
from .resize import MODES, Resize
from .spans import Spans
from .timecode import timecode
from .trim import Trim

VIDEO_OUT = io.Video.Output(display_name="video", tooltip="The edited video; still nothing is decoded.")


class KinoTrimVideo(io.ComfyNode):
    """A stretch of a video."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoTrimVideo",
            display_name="Trim Video",
            category="Kinograph/video",
            description="Keeps a stretch of a video and its sound, exact to the frame. With spans wired it "
            "keeps one span, and start and end count within it.",
            inputs=[
                io.Video.Input("video", tooltip="The video to cut."),
                io.Float.Input(
                    "start",
                    default=0.0,
                    min=-1e9,
                    max=1e9,
                    step=0.001,
                    tooltip="Where the result begins, in the unit below; negative counts from the end.",
                ),
                io.Float.Input(
                    "end",
                    default=0.0,
                    min=-1e9,
                    max=1e9,
                    step=0.001,
                    tooltip="Where the result ends, in the unit below; the frame there is left out. "
                    "0 keeps everything to the end, negative counts from the end.",
                ),
                io.Combo.Input(
                    "unit",
                    options=["seconds", "frames"],
                    default="seconds",
                    tooltip="Unit of start and end. Frames count from 0, at the video's (average) rate.",
                ),
                io.Int.Input(
                    "span_index",
                    default=0,
                    min=-100_000,
                    max=100_000,
                    tooltip="Which span to keep, counted from 0; negative counts from the last. "
                    "Used only with spans wired.",
                ),
                SpansSocket.Input("spans", optional=True, tooltip="Stretches of time, e.g. of Scene Cuts."),
            ],
            outputs=[VIDEO_OUT],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        video: io.Video.Type,
        start: float,
        end: float,
        unit: str,
        span_index: int,
        spans: Spans | None = None,
    ) -> io.NodeOutput:
        recipe = as_recipe(video)
        if spans is not None:
            span = spans.at(span_index).within(recipe.spec.duration, 1 / recipe.spec.fps)
            recipe = Trim(recipe, span.start, span.end)
        spec = recipe.spec
        second = Fraction(1) if unit == "seconds" else 1 / spec.fps
        since, until = seconds_of(start) * second, seconds_of(end) * second if end else None
        remarks = []
        if since < -spec.duration:
            remarks.append(f"the video lasts {timecode(spec.duration)}: the start asked for lies before it")
        if until is not None and until > spec.duration:
            remarks.append(f"the video ends at {timecode(spec.duration)}, before the end asked for")
        return edited(cls, Trim(recipe, since, until), *remarks)


class KinoCropVideo(io.ComfyNode):
    """A rectangle of the picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoCropVideo",
            display_name="Crop Video",
            category="Kinograph/video",
            description="Keeps a rectangle of every frame.",
            inputs=[
                io.Video.Input("video", tooltip="The video to crop."),
                pixels("x", 0, "Left edge of the rectangle, in pixels from the picture's left edge."),
                pixels("y", 0, "Top edge of the rectangle, in pixels from the picture's top edge."),
                pixels("width", 0, "Width of the rectangle, in pixels; 0 reaches to the right edge."),
                pixels("height", 0, "Height of the rectangle, in pixels; 0 reaches to the bottom edge."),
            ],
            outputs=[VIDEO_OUT],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, video: io.Video.Type, x: int, y: int, width: int, height: int) -> io.NodeOutput:
        recipe = as_recipe(video)
        spec = recipe.spec
        return edited(cls, Crop(recipe, x, y, width or spec.width - x, height or spec.height - y))


class KinoResizeVideo(io.ComfyNode):
    """The picture at another size."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoResizeVideo",
            display_name="Resize Video",
            category="Kinograph/video",
            description="Scales every frame, by FFmpeg's scaler and without leaving the video's own colours.",
            inputs=[
                io.Video.Input("video", tooltip="The video to resize."),
                pixels("width", 640, "Width to reach, in pixels; 0 follows from the height."),
                pixels("height", 0, "Height to reach, in pixels; 0 follows from the width."),
                io.Combo.Input(
                    "mode",
                    options=list(MODES),
                    default="fit",
                    tooltip="fit: as large as fits into width x height. fill: covers it, what stands out "
                    "is cut off. pad: fit with bars. stretch: exactly that size, shape ignored.",
                ),
                io.Int.Input(
                    "multiple_of",
                    default=2,
                    min=1,
                    max=256,
                    tooltip="Round both sides to a multiple of so many pixels. Most codecs need 2, "
                    "video models often 16 or 32.",
                ),
                io.Combo.Input(
                    "algorithm",
                    options=list(ALGORITHMS),
                    default="bicubic",
                    tooltip="How pixels are averaged. lanczos is sharper, area clean for strong reductions, "
                    "nearest keeps pixel art.",
                ),
            ],
            outputs=[VIDEO_OUT],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls, video: io.Video.Type, width: int, height: int, mode: str, multiple_of: int, algorithm: str
    ) -> io.NodeOutput:
        return edited(cls, Resize(as_recipe(video), width, height, mode, multiple_of, algorithm))


def pixels(name: str, default: int, tooltip: str) -> io.Int.Input:
    """A widget for a length in the picture."""
    return io.Int.Input(name, default=default, min=0, max=16384, tooltip=tooltip)


def edited(node: type[io.ComfyNode], recipe: Recipe, *remarks: str) -> io.NodeOutput:
    """The node's output, its size and whatever was adapted shown on the node."""
    told = "\n".join([facts_line(recipe.spec), *recipe.notes, *remarks])
    show_text(told, node_id(node))
    return io.NodeOutput(LazyVideo(recipe), ui=views(report(told)))


NODES = [KinoTrimVideo, KinoCropVideo, KinoResizeVideo]
