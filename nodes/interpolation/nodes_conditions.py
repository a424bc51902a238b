"""Nodes for films between two pictures: conditions for every frame, and denoising from both ends."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from .. import node_views
from ..methods import chosen_method, method_input
from ..runtime import Progress, node_id, show_text
from ..sockets import Poses
from .curves import CURVES
from .methods import fcvg

CATEGORY = "Kinograph/interpolation"


def start_and_end() -> list[io.Input]:
    """Both pictures."""
    return [
        io.Image.Input("start", tooltip="The first frame."),
        io.Image.Input("end", tooltip="The last frame, of the same size."),
    ]


def frames_input(default: int) -> io.Input:
    """The film's length."""
    return io.Int.Input(
        "frames", default=default, min=3, max=10_000, tooltip="Frames of the film, both ends included."
    )


class KinoFrameConditions(io.ComfyNode):
    """A picture of matched lines or points for each frame."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=fcvg.NODE,
            display_name="Frame Conditions",
            category=CATEGORY,
            description="Finds lines or points that both pictures have, moves them from one to the other "
            "and draws them for every frame: a control clip that leaves one way to go. Joints of people are "
            "moved too, where poses are wired.",
            inputs=[
                *start_and_end(),
                frames_input(25),
                io.Combo.Input(
                    "curve", options=list(CURVES), tooltip="How the motion is spread over the frames."
                ),
                io.Float.Input(
                    "thickness",
                    default=2.0,
                    min=0.5,
                    max=200.0,
                    step=0.5,
                    tooltip="Of lines, or the diameter of points, in pixels.",
                ),
                Poses.Input(
                    "start_pose", optional=True, tooltip="People in the first frame, from a pose node."
                ),
                Poses.Input("end_pose", optional=True, tooltip="People in the last frame."),
                method_input(fcvg.NODE, "lines", "What is matched."),
            ],
            outputs=[
                io.Image.Output(display_name="control", tooltip="The control clip, on black."),
                io.Image.Output(
                    display_name="reversed",
                    tooltip="The same backwards, for the conditioning of Bidirectional Fuse.",
                ),
                io.String.Output(display_name="report", tooltip="How many were found and matched."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        start: Any,
        end: Any,
        frames: int,
        curve: str,
        thickness: float,
        method: dict[str, Any],
        start_pose: Any = None,
        end_pose: Any = None,
    ) -> io.NodeOutput:
        import numpy as np
        import torch

        from .frame_conditions import condition_frames, overlaid, refuse_unless_alike
        from .skeletons import limbs_between

        first, last = (one[0].cpu().numpy() for one in (start, end))
        refuse_unless_alike(first, last)
        size = first.shape[:2]
        finder = chosen_method(fcvg.NODE, method)
        found, limbs = finder.matches(first, last), limbs_between(start_pose, end_pose, size)
        report = f"{len(found.first)} {method['method']} and {len(limbs.first)} limbs matched"
        if not len(found.first) + len(limbs.first):
            raise ValueError(f"{report}: there is nothing to draw. Lower the agreement, or wire poses")
        progress, drawn = Progress(frames, node_id=node_id(cls)), []
        parts = (condition_frames(each, frames, curve, size, thickness) for each in (found, limbs))
        for below, above in zip(*parts, strict=True):
            drawn.append(overlaid(below, above))
            progress.advance()
        show_text(report, node_id(cls))
        clip = torch.from_numpy(np.stack(drawn))
        shown = node_views.views(*node_views.clip(clip), node_views.report(report))
        return io.NodeOutput(clip, clip.flip(0), report, ui=shown)


class KinoBidirectionalFuse(io.ComfyNode):
    """A MODEL that denoises from both ends."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        def share(name: str, default: float, tooltip: str) -> io.Input:
            return io.Float.Input(name, default=default, min=0.0, max=1.0, step=0.01, tooltip=tooltip)

        return io.Schema(
            node_id=fcvg.FUSE_NODE,
            display_name="Bidirectional Fuse",
            category=CATEGORY,
            description="Denoises a film from both ends: each step looks at it forwards, with the sampler's "
            "conditioning, and backwards, with the end's, and mixes both frame by frame. For image-to-video "
            "models in any sampler node; steps take twice as long.",
            inputs=[
                io.Model.Input("model", tooltip="A video model."),
                io.Conditioning.Input(
                    "end_positive",
                    tooltip="Conditioning of the film backwards: as the sampler's, with the last frame as "
                    "start picture and a control clip reversed.",
                ),
                share("first_weight", 1.0, "How much the forward prediction counts in the first frame."),
                share("last_weight", 0.0, "How much it counts in the last; between, evenly less."),
                share("start_percent", 0.0, "Share of sampling from which on both directions count."),
                share(
                    "end_percent", 1.0, "Share of sampling up to which they do; then only the forward one."
                ),
                io.Conditioning.Input(
                    "end_negative",
                    optional=True,
                    tooltip="The negative for the film backwards; needed where it holds the start picture.",
                ),
            ],
            outputs=[io.Model.Output(display_name="model", tooltip="The same model, denoising both ways.")],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        end_positive: list,
        first_weight: float,
        last_weight: float,
        start_percent: float,
        end_percent: float,
        end_negative: list | None = None,
    ) -> io.NodeOutput:
        from ..bidirectional_fuse import BidirectionalFuse

        ends = (end_positive, end_negative)
        fuse = BidirectionalFuse(*ends, first_weight, last_weight, start_percent, end_percent)
        return io.NodeOutput(fuse.on(model))


NODES = [KinoFrameConditions, KinoBidirectionalFuse]
