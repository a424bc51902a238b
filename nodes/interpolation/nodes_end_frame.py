"""The node that gives a film its last frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from comfy_api.latest import io

from .. import node_views
from ..methods import offer
from ..model_files import FOLDER, files_below
from ..runtime import node_id, show_text
from .nodes_latent import CATEGORY

NODE = "KinoEndFrame"
NETWORKS = "ef_net/"
"""Where such files lie below models/kinograph."""

offer(
    "ef_net",
    node=NODE,
    system="sci_fi",
    paper="Sci-Fi: Symmetric Constraint for Frame Inbetweening (Chen et al.)",
    year=2025,
    weights="LiuhanChen/Sci-Fi, for CogVideoX-5B; training/train_ef_net.py for Wan",
    test="tests/interpolation/test_end_frame.py",
)


class KinoEndFrame(io.ComfyNode):
    """A MODEL whose films end with a picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=NODE,
            display_name="Apply End Frame",
            category=CATEGORY,
            description="Tells a video model how its film ends, as strongly as it is told how it begins: a "
            "small network expands the last frame over all frames (EF-Net of Sci-Fi).",
            inputs=[
                io.Model.Input("model", tooltip="CogVideoX image-to-video, or a Wan model."),
                io.Combo.Input("file", options=files_below(NETWORKS), tooltip="In models/kinograph/ef_net."),
                io.Latent.Input(
                    "end_latent",
                    tooltip="The last picture, encoded, as large as the film; of a film its last.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=0.0,
                    max=10.0,
                    step=0.05,
                    tooltip="How much of it is added; 0 changes nothing.",
                ),
                io.Float.Input(
                    "start_percent",
                    default=0.0,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="Share of the steps after which it begins.",
                ),
                io.Float.Input(
                    "end_percent",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="Share of the steps after which it ends.",
                ),
            ],
            outputs=[
                io.Model.Output(display_name="model", tooltip="For a sampler node."),
                io.String.Output(display_name="report", tooltip="What was found in the file."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        file: str,
        end_latent: dict[str, Any],
        strength: float,
        start_percent: float,
        end_percent: float,
    ) -> io.NodeOutput:
        from ..attention.schedule import Schedule
        from ..end_frame import with_end_frame
        from ..generation.nodes_model import model_path

        path, schedule = Path(model_path(FOLDER, NETWORKS + file)), Schedule(start_percent, end_percent, 0)
        patched, report = with_end_frame(model, path, end_latent, strength, schedule)
        show_text(report, node_id(cls))
        return io.NodeOutput(patched, report, ui=node_views.views(node_views.report(report)))


NODES = [KinoEndFrame]
