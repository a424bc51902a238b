"""Nodes that judge videos: what a clip shows, and how close one video comes to another."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from .. import node_views
from ..lazy_video import as_recipe
from ..runtime import Progress, node_id, show_text, someone_watches
from ..synthetic.spec import SpecError
from ..video.frame_batch import frame_batch, stretch
from ..video.recipe import Recipe, VideoError

if TYPE_CHECKING:
    import torch


def _memory_limit() -> io.Input:
    return io.Int.Input(
        "memory_limit",
        default=4096,
        min=1,
        max=1_000_000,
        tooltip="Megabytes that a video's frames may take; more is refused before decoding.",
    )


class KinoClipOracle(io.ComfyNode):
    """What a procedural-world clip shows, and whether it is what a prompt asks for."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoClipOracle",
            display_name="Clip Oracle",
            category="Kinograph/evaluation",
            description="Reads colours, shapes, places and motions from a short clip of shapes before a "
            "background, by image processing alone, and compares them with the prompt that the clip was made "
            "from. It knows the words of Synthetic Clip and nothing else.",
            inputs=[
                io.MultiType.Input(
                    "clip", types=[io.Video, io.Image], tooltip="A video, or its frames; without cuts."
                ),
                io.String.Input(
                    "prompt",
                    default="",
                    multiline=True,
                    tooltip='What the clip should show, e.g. "a red circle moving right". Empty: only read.',
                ),
                io.Float.Input(
                    "fps",
                    default=24.0,
                    min=0.01,
                    max=1000.0,
                    step=0.001,
                    tooltip="Frames per second where clip is frames; a video brings its own.",
                ),
                _memory_limit(),
            ],
            outputs=[
                io.String.Output(display_name="report", tooltip="What is seen, one thing a line."),
                io.Boolean.Output(
                    display_name="match",
                    tooltip="Whether colours, shapes, motions and their number are the prompt's.",
                ),
                io.Boolean.Output(display_name="color", tooltip="Whether all its colours are there."),
                io.Boolean.Output(display_name="shape", tooltip="Whether all its shapes are there."),
                io.Boolean.Output(display_name="motion", tooltip="Whether all its motions are there."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def validate_inputs(cls, prompt: str | None) -> bool | str:
        from .oracle import objects_asked_for

        try:
            if prompt and prompt.strip():
                objects_asked_for(prompt)
        except SpecError as error:
            return str(error)
        return True

    @classmethod
    def execute(cls, clip: Any, prompt: str, fps: float, memory_limit: int) -> io.NodeOutput:
        from .oracle import match, objects_asked_for, read_clip, report

        frames = clip
        if hasattr(clip, "get_components"):
            recipe = as_recipe(clip)
            frames, fps = _frames(recipe, 0, memory_limit, node_id(cls)), float(recipe.spec.fps)
        seen = read_clip(frames[..., :3].cpu().numpy(), fps)
        text = report(seen)
        if not prompt.strip():
            return _told(cls, text, True, True, True, True)
        found = match(seen, objects_asked_for(prompt))
        whole = found.all_three and found.count
        rights = {"color": found.color, "shape": found.shape, "motion": found.motion, "count": found.count}
        wrong = ", ".join(name for name, right in rights.items() if not right)
        text += f"\nnot as asked: {wrong}" if wrong else "\nas asked"
        return _told(cls, text, whole, found.color, found.shape, found.motion)


def _told(node: type[io.ComfyNode], text: str, *rights: bool) -> io.NodeOutput:
    """The oracle's outputs, its report shown on the node."""
    show_text(text, node_id(node))
    return io.NodeOutput(text, *rights, ui=node_views.views(node_views.report(text)))


class KinoCompareVideos(io.ComfyNode):
    """How close one video comes to another, in figures."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoCompareVideos",
            display_name="Compare Videos",
            category="Kinograph/evaluation",
            description="Measures how close a video comes to another of the same size: PSNR, SSIM and "
            "flicker, frame by frame in order.",
            inputs=[
                io.Video.Input("video", tooltip="The video to judge."),
                io.Video.Input("reference", tooltip="What it should be."),
                io.Int.Input(
                    "count",
                    default=0,
                    min=0,
                    max=1_000_000,
                    tooltip="Number of frames to compare from the start; 0 compares all.",
                ),
                _memory_limit(),
            ],
            outputs=[
                io.Float.Output(
                    display_name="psnr",
                    tooltip="Peak signal-to-noise ratio in dB, infinite for equal videos. 40 is hard to "
                    "tell apart.",
                ),
                io.Float.Output(display_name="ssim", tooltip="Structural similarity; 1 is equal."),
                io.Float.Output(
                    display_name="flicker",
                    tooltip="How unsteady the error is: 0 stands still, 1.41 is new in every frame.",
                ),
                io.String.Output(display_name="report", tooltip="The three in one line."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls, video: io.Video.Type, reference: io.Video.Type, count: int, memory_limit: int
    ) -> io.NodeOutput:
        from . import quality

        made, true = (_film(one, count, memory_limit, node_id(cls)) for one in (video, reference))
        if made.shape != true.shape:
            raise VideoError(
                f"the video has {_size(made)}, the reference {_size(true)}; trim and resize one to the other"
            )
        psnr, ssim = quality.psnr(made, true).item(), quality.ssim(made, true).item()
        flicker = 0.0
        if made.shape[2] > 1 and not made.equal(true):
            flicker = quality.flicker(made, true).item()
        text = f"PSNR {psnr:.2f} dB · SSIM {ssim:.4f} · flicker {flicker:.2f}"
        shown = [_side_by_side(video, reference, count, node_id(cls))] if someone_watches() else []
        show_text(text, node_id(cls))
        return io.NodeOutput(psnr, ssim, flicker, text, ui=node_views.views(*shown, node_views.report(text)))


def _side_by_side(video: Any, reference: Any, count: int, node: str | None) -> node_views.View:
    """Both videos on the node, with a slider between them."""
    films = [stretch(as_recipe(one), Fraction(0), count, 1) for one in (reference, video)]
    progress = Progress(sum(film.spec.frame_count for film in films), node_id=node, stage="encoding to show")
    reference, video = films
    return node_views.comparison(("reference", reference), ("video", video), progress.advance)


def _film(video: Any, count: int, memory_limit: int, node: str | None) -> torch.Tensor:
    """The first frames of a video, or all: [1, 3, T, H, W] in 0..1."""
    frames = _frames(as_recipe(video), count, memory_limit, node)
    return frames.permute(3, 0, 1, 2)[None]


def _frames(recipe: Recipe, count: int, memory_limit: int, node: str | None) -> torch.Tensor:
    """The first frames of a video, or all: [T, H, W, 3] in 0..1."""
    part = stretch(recipe, Fraction(0), count, 1)
    progress = Progress(part.spec.frame_count, node_id=node, stage="decoding frames")
    return frame_batch(part, 1, memory_limit, progress.advance)[0]


def _size(film: torch.Tensor) -> str:
    frames, height, width = film.shape[2:]
    return f"{frames} frames of {width} × {height}"


NODES = [KinoClipOracle, KinoCompareVideos]
