"""The node that measures a film of any length against what it should be, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from comfy_api.latest import io

from .. import node_views
from ..lazy_video import as_recipe
from ..methods import offer
from ..model_files import model_file
from ..runtime import Progress, compute_device, load, managed, node_id, show_text
from ..video.pixels import Converter, images_of_frames, rgb_format
from ..video.recipe import Recipe, VideoError

if TYPE_CHECKING:
    import torch

    from .perceptual import PerceptualDistance

NOT_MEASURED = -1.0
PERCEPTUAL_FILE, PERCEPTUAL_NAME = "evaluation/stlpips_alex.safetensors", "stlpips"

offer(
    "human",
    node="KinoVideoMetrics",
    system="sportsslomo",
    paper="SportsSloMo: A New Benchmark and Baselines for Human-centric Video Frame Interpolation "
    "(Chen and Jiang)",
    year=2023,
    weights="none to measure; for its losses a network that kinograph.training.train_people trains",
    test="tests/evaluation/test_human_loss.py",
)


def _clip(name: str, tooltip: str) -> io.Input:
    return io.MultiType.Input(name, types=[io.Video, io.Image], tooltip=tooltip)


class KinoVideoMetrics(io.ComfyNode):
    """PSNR, SSIM, perceptual distance, tOF and flicker of a film against the true one."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoVideoMetrics",
            display_name="Video Metrics",
            category="Kinograph/evaluation",
            description="Measures a video, of any length, against the one it should be: PSNR, SSIM, a "
            "perceptual distance and two measures of steadiness, the mean over frames and each frame's own. "
            "With a mask of people also the error inside and outside of it.",
            inputs=[
                _clip("video", "The video to judge, or its frames."),
                _clip("reference", "What it should be: as many frames of the same size."),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="Where people are (1 inside): one mask per frame, or one for all. The error is "
                    "then told inside and outside of it too.",
                ),
                io.Int.Input(
                    "count",
                    default=0,
                    min=0,
                    max=100_000_000,
                    tooltip="Number of frames to compare from the start; 0 compares all.",
                ),
                io.Int.Input(
                    "given_every",
                    default=0,
                    min=0,
                    max=1_000,
                    tooltip="Every such frame from the first on was given to the method, and is not judged: "
                    "2 for a doubled frame rate. 0 judges all.",
                ),
                io.Boolean.Input(
                    "motion",
                    default=True,
                    tooltip="Measure tOF, by optical flow in both videos. It takes most of the time.",
                ),
                io.Boolean.Input(
                    "perceptual",
                    default=False,
                    tooltip="Measure the perceptual distance. It needs the weights that `kinograph models "
                    "get stlpips` fetches, and a second or two per frame of 640 × 360 on a CPU.",
                ),
            ],
            outputs=_outputs(),
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        video: Any,
        reference: Any,
        count: int,
        given_every: int,
        motion: bool,
        perceptual: bool,
        mask: torch.Tensor | None = None,
    ) -> io.NodeOutput:
        from .film_comparison import FilmComparison

        made, true = (_film(clip, count) for clip in (video, reference))
        _check_sizes(made, true, mask, part=count > 0)
        device = compute_device()
        progress = Progress(made.count, node_id=node_id(cls), stage="comparing frames")
        with _distance(perceptual, made.width * made.height) as distance:
            comparison = FilmComparison(given_every=given_every, motion=motion, perceptual=distance)
            for pair in zip_longest(made.frames, true.frames):
                if any(frame is None for frame in pair):
                    raise VideoError(f"one video ends after {comparison.count} frames, the other goes on")
                people = None if mask is None else mask[comparison.count % len(mask)].to(device)
                comparison.add(*(frame.to(device) for frame in pair), people)
                progress.advance(1)
        if not comparison.frames:
            raise VideoError(
                f"no frame of {comparison.count} is left to judge with given_every {given_every}"
            )
        return _told(cls, comparison)


def _outputs() -> list[io.Output]:
    decibels = "Peak signal-to-noise ratio in dB, mean over frames; a frame without error counts 100."
    return [
        io.Float.Output(display_name="psnr", tooltip=decibels),
        io.Float.Output(display_name="ssim", tooltip="Structural similarity, mean over frames; 1 is equal."),
        io.Float.Output(
            display_name="perceptual",
            tooltip="Perceptual distance, mean over frames: 0 is equal, above 0.6 unlike. -1 if not "
            "measured.",
        ),
        io.Float.Output(
            display_name="tof",
            tooltip="tOF: how far, in pixels, motion between frames is from the reference's. -1 if not "
            "measured.",
        ),
        io.Float.Output(
            display_name="flicker",
            tooltip="How unsteady the error is: 0 stands still, 1.41 is new in every judged frame.",
        ),
        io.Float.Output(
            display_name="psnr_inside", tooltip="PSNR in dB where the mask is; -1 without a mask."
        ),
        io.Float.Output(
            display_name="psnr_outside", tooltip="PSNR in dB where the mask is not; -1 without a mask."
        ),
        io.String.Output(display_name="report", tooltip="All of it in a few lines."),
        io.String.Output(display_name="table", tooltip="Each judged frame's figures as CSV."),
    ]


class _Film(NamedTuple):
    """frames: RGB [3,H,W] in 0..1 each."""

    width: int
    height: int
    count: int
    frames: Iterator[torch.Tensor]


def _film(clip: Any, most: int) -> _Film:
    """The first frames of a video or batch of images; all where `most` is 0."""
    if hasattr(clip, "get_components"):
        recipe = as_recipe(clip)
        spec = recipe.spec
        width, height, count, frames = spec.width, spec.height, spec.frame_count, _decoded(recipe)
    else:
        count, height, width, _ = clip.shape
        frames = (image[..., :3].movedim(-1, 0) for image in clip)
    return _Film(width, height, min(count, most or count), islice(frames, most or None))


def _decoded(recipe: Recipe) -> Iterator[torch.Tensor]:
    to_rgb = Converter(pixel_format=rgb_format(recipe.spec.pixel_format))
    for frame in recipe.frames():
        yield images_of_frames([to_rgb(frame.image)])[0, ..., :3].movedim(-1, 0)


def _check_sizes(made: _Film, true: _Film, mask: torch.Tensor | None, part: bool) -> None:
    """Raise where they cannot be compared; of a part of a film, the mask may be of all of it."""
    if made[:3] != true[:3]:
        sizes = [f"{film.count} frames of {film.width} × {film.height}" for film in (made, true)]
        raise VideoError(
            f"the video has {sizes[0]}, the reference {sizes[1]}; trim and resize one to the other"
        )
    if mask is None:
        return
    masks, height, width = mask.shape
    fits = masks in (1, made.count) or (masks > made.count and part)
    if not fits or (height, width) != (made.height, made.width):
        raise VideoError(
            f"the mask has {masks} frames of {width} × {height}, the video {made.count} of {made.width} × "
            f"{made.height}; wire one mask per frame, or one for all, of the video's size"
        )


@contextmanager
def _distance(wanted: bool, pixels: int) -> Iterator[PerceptualDistance | None]:
    """The perceptual distance's network, loaded while the block runs, with room for frames of that size."""
    if not wanted:
        yield None
        return
    from .perceptual import BYTES_PER_PIXEL, load_perceptual_distance

    patcher = managed(load_perceptual_distance(model_file(PERCEPTUAL_FILE, PERCEPTUAL_NAME)))
    load(patcher, memory_required=BYTES_PER_PIXEL * pixels)
    yield patcher.model


def _told(node: type[io.ComfyNode], comparison: Any) -> io.NodeOutput:
    from .comparison_report import report, table

    text = report(comparison)
    show_text(text, node_id(node))
    names = ("psnr", "ssim", "perceptual", "tof")
    figures = [comparison.mean(name) for name in names]
    figures += [comparison.flicker, comparison.mean("inside"), comparison.mean("outside")]
    told = [NOT_MEASURED if figure is None else figure for figure in figures]
    return io.NodeOutput(*told, text, table(comparison), ui=node_views.views(node_views.report(text)))


NODES = [KinoVideoMetrics]
