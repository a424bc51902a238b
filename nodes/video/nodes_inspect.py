"""Nodes that look at a video: frames, contact sheets, facts and scene cuts."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from comfy_api.latest import io, ui

from .. import node_views
from ..lazy_video import as_recipe, audio_of, seconds_of
from ..methods import chosen_method, discover, method_input
from ..runtime import Progress, node_id, show_text, someone_watches, with_network
from ..sockets import Spans as SpansSocket
from .contact_sheet import contact_sheet, sheet_layout
from .describe import counted, describe, facts_line
from .frame_batch import check_memory, every_nth, frame_batch, stretch
from .lettering import legible
from .scene_cuts import NODE as SCENE_CUTS
from .scene_cuts import find_scenes
from .spans import Span, SpanError, Spans
from .timecode import timecode

discover(f"{__package__}.methods")

SHEETS_LIMIT_MB = 2048


class KinoFramesFromVideo(io.ComfyNode):
    """A stretch of a video as an IMAGE batch, with its sound."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoFramesFromVideo",
            display_name="Frames from Video",
            category="Kinograph/video",
            description="Decodes a stretch of a video into an image batch. The whole batch is held in memory "
            "as 32-bit floats: 1,000 frames of 640 x 360 take 2.8 GB.",
            inputs=[
                io.Video.Input("video", tooltip="The video to take frames from."),
                io.Float.Input(
                    "start",
                    default=0.0,
                    min=0.0,
                    max=1e9,
                    step=0.001,
                    tooltip="Where the first frame is taken, in the unit below.",
                ),
                io.Combo.Input(
                    "unit",
                    options=["seconds", "frames"],
                    default="seconds",
                    tooltip="Unit of start. Frames count from 0.",
                ),
                io.Int.Input(
                    "count",
                    default=0,
                    min=0,
                    max=1_000_000,
                    tooltip="Number of frames to take; 0 takes all to the end.",
                ),
                io.Int.Input(
                    "stride",
                    default=1,
                    min=1,
                    max=100_000,
                    tooltip="Keep every n-th frame. The frame rate falls accordingly.",
                ),
                io.Int.Input(
                    "memory_limit",
                    default=4096,
                    min=1,
                    max=1_000_000,
                    tooltip="Megabytes the images may take; a larger batch is refused before decoding.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="images", tooltip="The frames, without alpha."),
                io.Mask.Output(
                    display_name="mask", tooltip="1 where the video is transparent; 0 where it has no alpha."
                ),
                io.Audio.Output(
                    display_name="audio", tooltip="The sound of the same stretch; nothing for a silent video."
                ),
                io.Float.Output(display_name="fps", tooltip="Frames per second of the images."),
                io.Int.Output(display_name="count", tooltip="Number of images."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls, video: io.Video.Type, start: float, unit: str, count: int, stride: int, memory_limit: int
    ) -> io.NodeOutput:
        import torch

        recipe = as_recipe(video)
        seconds = seconds_of(start) if unit == "seconds" else round(start) / recipe.spec.fps
        part = stretch(recipe, seconds, count, stride)
        progress = Progress(
            every_nth(part.spec.frame_count, stride), node_id=node_id(cls), stage="decoding frames"
        )
        images, alpha = frame_batch(part, stride, memory_limit, progress.advance)
        mask = torch.zeros(1).expand(images.shape[:3]) if alpha is None else 1 - alpha
        found = len(images)
        short = f" of {count}: the video ends there" if found < count else ""
        height, width = images.shape[1:3]
        told = f"{counted(found, 'frame')}{short} · {width} × {height}"
        show_text(told, node_id(cls))
        shown = node_views.views(node_views.report(told))
        return io.NodeOutput(images, mask, audio_of(part), float(recipe.spec.fps / stride), found, ui=shown)


class KinoContactSheet(io.ComfyNode):
    """Evenly spaced frames of a video in one picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoContactSheet",
            display_name="Contact Sheet",
            category="Kinograph/video",
            description="Draws evenly spaced frames of a video in a grid, each with its time code. "
            "With spans it draws one sheet per span.",
            inputs=[
                io.Video.Input("video", tooltip="The video to look at."),
                io.Int.Input("columns", default=4, min=1, max=20, tooltip="Frames side by side."),
                io.Int.Input("rows", default=4, min=1, max=20, tooltip="Frames below each other."),
                io.Int.Input(
                    "tile_width", default=240, min=64, max=1024, step=8, tooltip="Pixels from side to side."
                ),
                io.String.Input(
                    "title",
                    default="",
                    tooltip="Text above the grid; empty shows the video's size, rate and length.",
                ),
                SpansSocket.Input(
                    "spans", optional=True, tooltip="Draw one sheet for each of these stretches of time."
                ),
            ],
            outputs=[io.Image.Output(display_name="sheets", tooltip="One picture, or one per span.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        video: io.Video.Type,
        columns: int,
        rows: int,
        tile_width: int,
        title: str,
        spans: Spans | None = None,
    ) -> io.NodeOutput:
        import numpy as np
        import torch

        recipe = as_recipe(video)
        duration = recipe.spec.duration
        layout = sheet_layout(recipe, columns, rows, tile_width)
        if spans is None:
            spans = Spans((Span(Fraction(0), duration),), duration)
        shown = [span.within(duration, 1 / recipe.spec.fps) for span in spans]
        if not shown:
            raise SpanError("there is no span to draw; leave spans unwired to draw the whole video")
        width, height = layout.size
        check_memory((len(shown), height, width, 3), SHEETS_LIMIT_MB, "choose smaller tiles or fewer of them")
        progress = Progress(len(shown) * layout.tiles, node_id=node_id(cls), stage="drawing contact sheets")
        sheets, replaced = [], {}
        for span in shown:
            heading, lacking = legible(
                " · ".join(filter(None, (span.label, title or facts_line(recipe.spec))))
            )
            sheets.append(contact_sheet(recipe, layout, span.start, span.end, heading, progress.advance))
            replaced |= lacking
        told = f"{counted(len(sheets), 'sheet')} · {width} × {height}"
        if replaced:
            told += f"\nthe font lacks {' '.join(replaced)}: drawn as {' '.join(replaced.values())}"
        show_text(told, node_id(cls))
        images = torch.from_numpy(np.stack(sheets).astype(np.float32)).div_(255)
        pictures = ui.PreviewImage(images, cls=cls).as_dict() if someone_watches() else {}
        return io.NodeOutput(images, ui=pictures | node_views.views(node_views.report(told)))


class KinoVideoInfo(io.ComfyNode):
    """What a video is, without decoding it."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoVideoInfo",
            display_name="Video Info",
            category="Kinograph/video",
            description="Tells size, rate, length and sound of a video without decoding it.",
            inputs=[io.Video.Input("video", tooltip="The video to describe.")],
            outputs=[
                io.String.Output(display_name="text", tooltip="Everything known, in a few lines."),
                io.Int.Output(display_name="width", tooltip="Pixels, as shown."),
                io.Int.Output(display_name="height", tooltip="Pixels, as shown."),
                io.Float.Output(display_name="fps", tooltip="Frames per second; the average if it varies."),
                io.Int.Output(display_name="frames", tooltip="Number of frames; an estimate if it says so."),
                io.Float.Output(display_name="duration", tooltip="Length of the picture, in seconds."),
                io.Boolean.Output(display_name="has_audio", tooltip="Whether there is sound."),
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, video: io.Video.Type) -> io.NodeOutput:
        recipe = as_recipe(video)
        spec = recipe.spec
        text = describe(recipe)
        show_text(text, node_id(cls))
        return io.NodeOutput(
            text,
            spec.width,
            spec.height,
            float(spec.fps),
            spec.frame_count,
            float(spec.duration),
            spec.audio is not None,
            ui={"text": (text,)},
        )


class KinoSceneCuts(io.ComfyNode):
    """The scenes of a video, as spans."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=SCENE_CUTS,
            display_name="Scene Cuts",
            category="Kinograph/video",
            description="Finds the cuts of a video and gives its scenes as spans. Frames are looked at in a "
            "small size and none is kept, so the length does not matter.",
            inputs=[
                io.Video.Input("video", tooltip="The video to search."),
                io.Float.Input(
                    "min_length",
                    default=0.6,
                    min=0.0,
                    max=3600.0,
                    step=0.1,
                    tooltip="Shortest scene, in seconds. A cut that would end a scene earlier is dropped and "
                    "named in the report. The last scene may be shorter.",
                ),
                method_input(SCENE_CUTS, "adaptive", "How cuts are found."),
            ],
            outputs=[
                SpansSocket.Output(display_name="scenes", tooltip="The scenes, in seconds, without gaps."),
                io.String.Output(display_name="report", tooltip="One line per scene, and what was dropped."),
                io.Int.Output(display_name="count", tooltip="Number of scenes."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, video: io.Video.Type, min_length: float, method: dict[str, Any]) -> io.NodeOutput:
        recipe = as_recipe(video)
        finder = chosen_method(SCENE_CUTS, method)
        progress = Progress(recipe.spec.frame_count, node_id=node_id(cls), stage="looking for cuts")
        with with_network(finder) as ready:
            found = find_scenes(recipe, ready, seconds_of(min_length), progress.advance)
        report = f"{counted(len(found.scenes), 'scene')} in {timecode(found.scenes.duration)}"
        report += f"\n{found.scenes.to_text()}"
        if found.dropped:
            times = ", ".join(timecode(time) for time in found.dropped)
            report += f"\ndropped for scenes shorter than {min_length:g} s: cuts at {times}"
        show_text(report, node_id(cls))
        shown = node_views.views(node_views.timeline(found.scenes), node_views.report(report))
        return io.NodeOutput(found.scenes, report, len(found.scenes), ui=shown)


NODES = [KinoFramesFromVideo, KinoContactSheet, KinoVideoInfo, KinoSceneCuts]
