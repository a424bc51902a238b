"""Nodes that add frames inside a video model, or to its latents."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from .. import node_views
from ..methods import chosen_method, discover, method_input
from ..runtime import node_id
from .inside import FILL_NODE, RATE_NODE

discover(f"{__package__}.methods")

CATEGORY = "Kinograph/interpolation"


class KinoHighFrameRate(io.ComfyNode):
    """A MODEL that makes films at a higher frame rate."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=RATE_NODE,
            display_name="High Frame Rate",
            category=CATEGORY,
            description="Lets a Wan model make a film at several times its frame rate, without training and "
            "in any sampler node: each step makes the key frames as ever, and the frames between to fit. The "
            "latent is as long as the film that comes out.",
            inputs=[
                io.Model.Input("model", tooltip="A Wan model."),
                method_input(RATE_NODE, "zerosmooth", "How the frames between are held to the key frames."),
            ],
            outputs=[
                io.Model.Output(display_name="model", tooltip="The same model, for longer latents."),
                io.String.Output(display_name="report", tooltip="Which lengths of latents fit."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, model: Any, method: dict[str, Any]) -> io.NodeOutput:
        from ..high_frame_rate import HighFrameRate, lengths_told

        chosen = chosen_method(RATE_NODE, method)
        report = lengths_told(chosen.factor)
        shown = node_views.views(node_views.report(report))
        return io.NodeOutput(HighFrameRate(chosen).on(model), report, ui=shown)


class KinoLatentInterpolation(io.ComfyNode):
    """A LATENT of more frames."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=FILL_NODE,
            display_name="Latent Interpolation",
            category=CATEGORY,
            description="Puts latent frames between those of a film: moved along with what moves, or left "
            "open for a sampler to fill in. A noise mask keeps the frames that there were.",
            inputs=[
                io.Latent.Input("latent", tooltip="A film's latents."),
                method_input(FILL_NODE, "latent_flow", "What the new frames are, or begin as."),
            ],
            outputs=[
                io.Latent.Output(
                    display_name="latent",
                    tooltip="With a noise mask that is 0 where a frame was; to decode, or to sample.",
                ),
                io.String.Output(display_name="report", tooltip="How many frames there are now."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, latent: dict[str, Any], method: dict[str, Any]) -> io.NodeOutput:
        from ..latent_interpolation import interpolated_latent

        made, report = interpolated_latent(latent, chosen_method(FILL_NODE, method), node_id(cls))
        return io.NodeOutput(made, report, ui=node_views.views(node_views.report(report)))


NODES = [KinoHighFrameRate, KinoLatentInterpolation]
