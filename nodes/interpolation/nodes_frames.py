"""Frames in between in a batch of images, and what interpolation did to a film."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

from comfy_api.latest import io

from .. import node_views
from ..lazy_video import LazyVideo, as_recipe
from ..runtime import Progress, node_id, show_text
from ..sockets import Spans as SpansSocket
from ..video.recipe import Recipe, VideoError
from ..video.spans import Span, Spans
from .nodes_films import CATEGORY, cut_input, interpolator, model_input, rules_of, work_inputs


class KinoInterpolateFrames(io.ComfyNode):
    """Images with more in between."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoInterpolateFrames",
            display_name="Interpolate Frames",
            category=CATEGORY,
            description="Adds images that a network makes between those of a batch, from the first to the "
            "last at even distances. Given images stay as they are, nothing is made across cuts.",
            inputs=[
                model_input(),
                io.Image.Input("images", tooltip="Frames in order, with alpha or without."),
                io.Int.Input(
                    "factor",
                    default=2,
                    min=1,
                    max=1000,
                    tooltip="Steps from one image to the next: 2 adds one between every two.",
                ),
                io.Int.Input(
                    "count",
                    default=0,
                    min=0,
                    max=1_000_000,
                    tooltip="Number of images to reach, any number; 0 follows factor.",
                ),
                cut_input(),
                io.Int.Input(
                    "longest_hold",
                    default=4,
                    min=0,
                    max=16,
                    tooltip="Images. A drawing repeated so often at most (animation on twos or threes) moves "
                    "on to the next one all the while; one shown longer stands still. 0 keeps every image.",
                ),
                *work_inputs(),
            ],
            outputs=[
                io.Image.Output(display_name="images", tooltip="The images, given ones and made ones."),
                io.Int.Output(display_name="count", tooltip="How many they are."),
                io.String.Output(display_name="report", tooltip="What was made, and what was not and why."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        interp_model: Any,
        images: Any,
        factor: int,
        count: int,
        cut_threshold: float,
        longest_hold: int,
        scale: str,
        memory_limit: int,
    ) -> io.NodeOutput:
        from ..film_interpolation import interpolated_batch

        wanted = count or (len(images) - 1) * factor + 1
        progress = Progress(wanted, node_id=node_id(cls), stage="making frames in between")
        rules = rules_of(cut_threshold, longest_hold, None)
        how = interpolator(interp_model, scale, memory_limit)
        made, told = interpolated_batch(images, wanted, rules, how, progress.advance)
        report = "\n".join(told)
        show_text(report, node_id(cls))
        return io.NodeOutput(made, wanted, report, ui=node_views.views(node_views.report(report)))


class KinoInterpolationReport(io.ComfyNode):
    """What interpolation did to a film."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoInterpolationReport",
            display_name="Interpolation Report",
            category=CATEGORY,
            description="Tells which pairs of frames were cuts, repeats or stills, how many frames were "
            "made, and how long it took. A film that is not made yet is made here, and kept for the node "
            "that writes it.",
            inputs=[
                io.Video.Input(
                    "video", tooltip="From Interpolate Video or Slow Motion, also edited since then."
                ),
            ],
            outputs=[
                io.Video.Output(display_name="video", tooltip="The same video."),
                io.String.Output(display_name="report", tooltip="The report, a fact in each line."),
                SpansSocket.Output(
                    display_name="scenes",
                    tooltip="The scenes between the cuts, in the time of the film when it was interpolated.",
                ),
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, video: io.Video.Type) -> io.NodeOutput:
        from .interpolated_video import interpolated_within

        recipe = as_recipe(video)
        found = interpolated_within(recipe) if isinstance(video, LazyVideo) else []
        if not found:
            raise VideoError(
                "no frame of this video was interpolated here; wire one from Interpolate Video or Slow "
                "Motion, before it is written to a file"
            )
        for film in found:
            _make(film, cls)
        told = [line for film in found for line in (*film.source.told, *film.source.record.lines())]
        report, scenes = "\n".join(told), _scenes(found[0])
        show_text(report, node_id(cls))
        shown = node_views.views(node_views.timeline(scenes), node_views.report(report))
        return io.NodeOutput(video, report, scenes, ui=shown)


def _make(film: Recipe, node: type[io.ComfyNode]) -> None:
    """Pull a spooled film that was not pulled whole before: its frames are then kept."""
    if film.source.record is not None and film.source.record.complete:
        return
    progress = Progress(film.spec.frame_count, node_id=node_id(node), stage="making frames in between")
    for _ in film.frames():
        progress.advance()


def _scenes(film: Recipe) -> Spans:
    duration = film.spec.duration
    borders = [Fraction(0), *(start for start in film.source.scene_starts if start < duration), duration]
    stretches = pairwise(borders)
    return Spans(
        tuple(Span(start, end, f"scene {number}") for number, (start, end) in enumerate(stretches)), duration
    )


NODES = [KinoInterpolateFrames, KinoInterpolationReport]
