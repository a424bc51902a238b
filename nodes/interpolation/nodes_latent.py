"""Nodes that add frames inside a video model, or to its latents."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..methods import chosen_method, discover, method_input
from .key_frames import RATE_NODE

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
        )

    @classmethod
    def execute(cls, model: Any, method: dict[str, Any]) -> io.NodeOutput:
        from ..high_frame_rate import HighFrameRate, lengths_told

        chosen = chosen_method(RATE_NODE, method)
        return io.NodeOutput(HighFrameRate(chosen).on(model), lengths_told(chosen.factor))


NODES = [KinoHighFrameRate]
