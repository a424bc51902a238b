"""The node that lets sketches of key frames steer a film."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from comfy_api.latest import io

from .. import node_views
from ..methods import offer
from ..model_files import FOLDER, files_below
from ..runtime import node_id, show_text
from .nodes_latent import CATEGORY

NODE = "KinoSketchKeyframes"
ADAPTERS = "tooncomposer/"
"""Where such files lie below models/kinograph."""

offer(
    "tooncomposer",
    node=NODE,
    system="tooncomposer",
    paper="ToonComposer: Streamlining Cartoon Production with Generative Post-Keyframing (Li et al.)",
    year=2025,
    weights="TencentARC/ToonComposer, for Wan 2.1 I2V 14B",
    test="tests/interpolation/test_sketch_keyframes.py",
)


class KinoSketchKeyframes(io.ComfyNode):
    """A MODEL that follows sketches."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=NODE,
            display_name="Sketch Keyframes",
            category=CATEGORY,
            description="Lets sketches of some frames steer a Wan image-to-video model, which colours them "
            "after its start picture and makes the frames between (ToonComposer).",
            inputs=[
                io.Model.Input("model", tooltip="Wan 2.1 I2V 14B, or whatever the file was trained with."),
                io.Combo.Input(
                    "file", options=files_below(ADAPTERS), tooltip="In models/kinograph/tooncomposer."
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=0.0,
                    max=2.0,
                    step=0.05,
                    tooltip="How far towards cartoons: of the adapter, and of the LoRA if the file has one.",
                ),
                io.Float.Input(
                    "residual",
                    default=0.5,
                    min=0.0,
                    max=2.0,
                    step=0.05,
                    tooltip="How closely a frame follows its own sketch: it is added to it after each block.",
                ),
                io.String.Input(
                    "frames",
                    default="0",
                    tooltip='The frames that the sketches are of, from 0, in their order, as in "0, 30, 60".',
                ),
                io.Image.Input(
                    "sketches",
                    optional=True,
                    tooltip="Dark lines on light, one picture a frame; cut and scaled to the film's size. "
                    "Without them only the adapter is put on.",
                ),
                io.Mask.Input(
                    "blank",
                    optional=True,
                    tooltip="1 where a sketch leaves a region to the model: one mask for all, or one each.",
                ),
                io.Vae.Input("vae", optional=True, tooltip="Wan 2.1's, which encodes the sketches."),
                io.Latent.Input(
                    "latent", optional=True, tooltip="The film to be sampled: its size and length count."
                ),
            ],
            outputs=[
                io.Model.Output(display_name="model", tooltip="For a sampler node."),
                io.String.Output(display_name="report", tooltip="What was found in the file, and used."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        file: str,
        strength: float,
        residual: float,
        frames: str,
        sketches: Any | None = None,
        blank: Any | None = None,
        vae: Any | None = None,
        latent: dict[str, Any] | None = None,
    ) -> io.NodeOutput:
        from ..generation.nodes_model import model_path
        from ..sketch_keyframes import Given, sketches_for, with_sketches

        path = Path(model_path(FOLDER, ADAPTERS + file))
        given = None
        if sketches is not None:
            if vae is None or latent is None:
                raise ValueError(
                    "sketches need the model's VAE to encode them and the latent to be sampled for its size; "
                    "wire both"
                )
            given = sketches_for(model, vae, latent, Given(sketches, frames, blank))
        patched, report = with_sketches(model, path, given, strength, residual)
        show_text(report, node_id(cls))
        return io.NodeOutput(patched, report, ui=node_views.views(node_views.report(report)))


NODES = [KinoSketchKeyframes]
