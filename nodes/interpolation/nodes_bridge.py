"""The node that loads a diffusion model of frames between frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from comfy_api.latest import io

from ..methods import offer
from ..model_files import FOLDER, files_below
from ..runtime import node_id, show_text
from ..sockets import InterpolationModel
from .nodes_latent import CATEGORY

NODE = "KinoBrownianBridge"
BRIDGES = "bridge/"
"""Where such files lie below models/kinograph."""

offer(
    "brownian_bridge",
    node=NODE,
    system="cbb_vfi",
    paper="Frame Interpolation with Consecutive Brownian Bridge Diffusion (Lyu et al.)",
    year=2024,
    weights="a network trained on the wired VAE's latents, by training/train_cbb_vfi.py",
    test="tests/interpolation/test_bridge.py",
)


class KinoBrownianBridge(io.ComfyNode):
    """An INTERP_MODEL that works in a VAE's latents."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=NODE,
            display_name="Load Brownian Bridge",
            category=CATEGORY,
            description="Loads a diffusion model of the picture between two, for any node that interpolates "
            "frames. It works in a video VAE's latents and starts from the two pictures themselves, so a few "
            "steps do, and seeds hardly matter.",
            inputs=[
                io.Vae.Input("vae", tooltip="The VAE whose latents the file was trained on."),
                io.Combo.Input(
                    "file", options=files_below(BRIDGES), tooltip="A file in models/kinograph/bridge."
                ),
                io.Int.Input(
                    "steps",
                    default=5,
                    min=1,
                    max=1000,
                    tooltip="Steps to a middle. Quarters and eighths are middles of middles.",
                ),
                io.Float.Input(
                    "eta",
                    default=0.0,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip="Share of the noise in each step; with 0 there is none to seed.",
                ),
                io.Int.Input("seed", default=0, min=0, max=2**64 - 1, tooltip="Of the noise."),
            ],
            outputs=[
                InterpolationModel.Output(
                    display_name="interp_model", tooltip="For nodes that interpolate frames, core's too."
                ),
                io.String.Output(display_name="report", tooltip="What was found in the file."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, vae: Any, file: str, steps: int, eta: float, seed: int) -> io.NodeOutput:
        from .. import node_views
        from ..bridge_model import load_bridge
        from ..generation.nodes_model import model_path
        from .bridge_frames import BridgeSettings

        path = Path(model_path(FOLDER, BRIDGES + file))
        model, report = load_bridge(path, vae, BridgeSettings(steps, eta, seed))
        show_text(report, node_id(cls))
        return io.NodeOutput(model, report, ui=node_views.views(node_views.report(report)))


NODES = [KinoBrownianBridge]
