"""The node that tells a video model what moves where between two pictures, and what is given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from comfy_api.latest import io

from .. import node_views
from ..sockets import Flow
from .methods import multicoin
from .nodes_conditions import CATEGORY, frames_input, start_and_end


class KinoInbetweenControls(io.ComfyNode):
    """Controls of a film between two pictures, as a motion clip and a content clip."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=multicoin.NODE,
            display_name="In-between Controls",
            category=CATEGORY,
            description="Draws where things move and what lies in front as coloured points in one clip, and "
            "what is given, both ends and target regions, in another. With a Wan VAE wired, the conditioning "
            "carries both to a VACE model; otherwise use the clips with any control model.",
            inputs=[
                io.Conditioning.Input("positive", tooltip="The text that tells what happens."),
                io.Conditioning.Input("negative", tooltip="The text that tells what does not."),
                *start_and_end(),
                frames_input(81),
                *_motion_inputs(),
                *_strengths(),
                *_wired_controls(),
            ],
            outputs=[
                io.Image.Output(display_name="motion_clip", tooltip="Points on black."),
                io.Image.Output(display_name="content_clip", tooltip="What is given, on grey."),
                io.Mask.Output(display_name="content_mask", tooltip="1 where something is to be made."),
                io.Conditioning.Output(
                    display_name="positive", tooltip="With both clips, if a VAE is wired."
                ),
                io.Conditioning.Output(
                    display_name="negative", tooltip="With both clips, if a VAE is wired."
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        positive: list,
        negative: list,
        start: Any,
        end: Any,
        frames: int,
        motion_strength: float,
        content_strength: float,
        region_times: str,
        region: Any = None,
        region_image: Any = None,
        vae: Any = None,
        **motion: Any,
    ) -> io.NodeOutput:
        import torch

        from .content_clip import Content, content_clip, vace_context, with_contexts
        from .frame_conditions import refuse_unless_alike

        first, last = (one[0, ..., :3].cpu() for one in (start, end))
        refuse_unless_alike(first, last)
        moving = torch.zeros(frames, *first.shape)
        if motion_strength:
            moving = torch.from_numpy(_motion(frames, tuple(first.shape[:2]), **motion))
        pictures = None if region_image is None else fitted(region_image[..., :3].cpu(), first.shape)
        regions = None if region is None else fitted(region.cpu()[..., None], first.shape)[..., 0]
        content = content_clip(first, last, frames, pictures, regions, region_times)
        given = (content, content_strength), (Content(moving, torch.ones_like(content.mask)), motion_strength)
        branches = [(clips, strength) for clips, strength in given if strength]
        if vae is not None and branches:
            contexts = [vace_context(vae.encode, clips) for clips, _ in branches]
            strengths = [strength for _, strength in branches]
            positive, negative = (with_contexts(each, contexts, strengths) for each in (positive, negative))
        shown = node_views.views(*node_views.clip(moving), *node_views.clip(content.clip))
        return io.NodeOutput(moving, content.clip, content.mask, positive, negative, ui=shown)


def _motion_inputs() -> list[io.Input]:
    return [
        io.String.Input(
            "paths",
            default="",
            multiline=True,
            tooltip="Ways of points as JSON, in pixels of the start picture, passed through at even times: "
            "a list of lists of points with x and y. They come after wired tracks.",
        ),
        io.String.Input(
            "depths",
            default="",
            tooltip='How far each point is, as in "2, 1": smaller is nearer and in front; "2>0.5" goes from '
            "one to the other. Empty: from the depth picture, else the first point in front.",
        ),
        io.Float.Input("radius", default=6.0, min=0.5, max=200.0, step=0.5, tooltip="Of a point, in pixels."),
        io.Int.Input(
            "flow_points", default=32, min=1, max=4096, tooltip="Points at most that are taken from the flow."
        ),
    ]


def _strengths() -> list[io.Input]:
    def strength(name: str, what: str) -> io.Input:
        tooltip = f"How much a VACE model heeds the {what}; 0 leaves it out."
        return io.Float.Input(name, default=1.0, min=0.0, max=10.0, step=0.05, tooltip=tooltip)

    return [
        strength("motion_strength", "motion clip"),
        strength("content_strength", "content clip"),
        io.String.Input(
            "region_times",
            default="",
            tooltip='When each region is given, as shares of the film, as in "0.25, 0.5"; empty: evenly.',
        ),
    ]


def _wired_controls() -> list[io.Input]:
    return [
        io.Tracks.Input("tracks", optional=True, tooltip="Tracks of points, in the start picture's pixels."),
        Flow.Input("flow", optional=True, tooltip="Flow of a film: its farthest moving points are taken."),
        io.Image.Input("depth", optional=True, tooltip="Depth of the start picture or film; near is bright."),
        io.Mask.Input("region", optional=True, tooltip="Target regions, one or a batch, in order of time."),
        io.Image.Input(
            "region_image", optional=True, tooltip="What the regions show: one picture or a batch."
        ),
        io.Vae.Input("vae", optional=True, tooltip="A Wan 2.1 VAE, for VACE models."),
    ]


def _motion(
    frames: int,
    size: tuple[int, int],
    paths: str,
    depths: str,
    radius: float,
    flow_points: int,
    tracks: Any = None,
    flow: Any = None,
    depth: Any = None,
) -> Any:
    """The motion clip [T,H,W,3] of all that is wired or written."""
    from . import control_points

    points = control_points.Points.none(frames)
    if tracks is not None:
        given = (tracks[name].cpu().numpy() for name in ("track_path", "track_visibility"))
        points = points.beside(control_points.of_tracks(*given, frames))
    if flow is not None:
        vectors = flow["forward"].cpu().numpy()
        places, seen = control_points.strongest(vectors, flow_points)
        stretch = size[1] / vectors.shape[2], size[0] / vectors.shape[1]
        points = points.beside(control_points.of_tracks(places * stretch, seen, frames))
    points = points.beside(control_points.of_paths(paths, frames))
    if depths.strip():
        found = control_points.depths_of_text(depths, points.places.shape[1], frames)
        points = replace(points, depths=found)
    elif depth is not None:
        near = fitted(depth[..., :3].cpu(), (*size, 3)).mean(dim=-1).numpy()
        points = replace(points, depths=control_points.depths_of_picture(points, near))
    return control_points.motion_clip(points, size, radius)


def fitted(pictures: Any, shape: Any) -> Any:
    """Pictures [K,h,w,C] stretched to the height and width of a shape."""
    from comfy.utils import common_upscale

    if pictures.shape[1:3] == tuple(shape[:2]):
        return pictures
    stretched = common_upscale(pictures.movedim(-1, 1), shape[1], shape[0], "bilinear", "disabled")
    return stretched.movedim(1, -1)


NODES = [KinoInbetweenControls]
