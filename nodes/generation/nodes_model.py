"""Nodes that load video models and change their weights."""

from __future__ import annotations

from typing import Any

import folder_paths
from comfy_api.latest import io

from .. import node_views
from ..runtime import node_id, show_text
from .nodes_sampling import CATEGORY

NUMBER_TYPES = ("auto", "float32", "bfloat16", "float16", "float8_e4m3fn")
NETWORKS = ("auto", "kinograph")
NO_FILE = "none"


def model_path(kind: str, name: str) -> str:
    """The installed file of that name.

    Args:
        kind: the folder below models.

    Raises:
        FileNotFoundError: there is none.
    """
    path = folder_paths.get_full_path(kind, name)
    if path is None:
        raise FileNotFoundError(f"there is no file {name!r} in models/{kind}; put it there, or pick another")
    return path


def _boundary_input() -> io.Input:
    return io.Float.Input(
        "boundary",
        default=0.875,
        min=0.0,
        max=1.0,
        step=0.005,
        tooltip="Noise level, 1 to 0, below which the low-noise file takes over: 0.875 for Wan 2.2's "
        "text-to-video model, 0.9 for its image-to-video model.",
    )


class KinoLoadVideoModel(io.ComfyNode):
    """A MODEL from a file, or from two."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        files = folder_paths.get_filename_list("diffusion_models")
        return io.Schema(
            node_id="KinoLoadVideoModel",
            display_name="Load Video Model",
            category=CATEGORY,
            description="Loads a video model for any sampler node: whatever ComfyUI knows, and Wan 2.1 and "
            "2.2 in the layouts of their makers, of diffusers and of ComfyUI.",
            inputs=[
                io.Combo.Input("file", options=files, tooltip="A file in models/diffusion_models."),
                io.Combo.Input(
                    "low_noise_file",
                    options=[NO_FILE, *files],
                    default=NO_FILE,
                    tooltip="For Wan 2.2 A14B, which has a network for high noise and one for low.",
                ),
                _boundary_input(),
                io.Combo.Input(
                    "dtype",
                    options=list(NUMBER_TYPES),
                    default="auto",
                    tooltip="Number type of the weights. auto: what suits the file and the device.",
                ),
                io.Combo.Input(
                    "network",
                    options=list(NETWORKS),
                    default="auto",
                    tooltip="auto: ComfyUI's own network where it knows the file. kinograph: this pack's, "
                    "for Wan, whose frames can have noise levels of their own in any sampler node.",
                ),
                io.Float.Input(
                    "shift",
                    default=0.0,
                    min=0.0,
                    max=100.0,
                    step=0.1,
                    tooltip="Above 1, more steps are spent at high noise; 0 takes the model's own.",
                ),
            ],
            outputs=[
                io.Model.Output(display_name="model", tooltip="The model."),
                io.String.Output(display_name="report", tooltip="What was found in the file."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls, file: str, low_noise_file: str, boundary: float, dtype: str, network: str, shift: float
    ) -> io.NodeOutput:
        from ..model import load_video_model, with_shift
        from ..noise_experts import with_low_noise_expert

        model, report = load_video_model(model_path("diffusion_models", file), dtype, network)
        if low_noise_file != NO_FILE:
            low, low_report = load_video_model(model_path("diffusion_models", low_noise_file), dtype, network)
            model = with_low_noise_expert(model, low, boundary)
            report += f"\nbelow a noise level of {boundary:g} {low_report}"
        if shift:
            model = with_shift(model, shift)
        show_text(report, node_id(cls))
        return io.NodeOutput(model, report, ui=node_views.views(node_views.report(report)))


class KinoNoiseExperts(io.ComfyNode):
    """One MODEL of two."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoNoiseExperts",
            display_name="Noise Experts",
            category=CATEGORY,
            description="Makes one model of two, each for a part of the noise levels, after LoRAs were "
            "loaded into each.",
            inputs=[
                io.Model.Input("high_noise", tooltip="The network for high noise, where sampling starts."),
                io.Model.Input("low_noise", tooltip="The network for low noise."),
                _boundary_input(),
            ],
            outputs=[io.Model.Output(display_name="model", tooltip="Both, for one sampler node.")],
        )

    @classmethod
    def execute(cls, high_noise: Any, low_noise: Any, boundary: float) -> io.NodeOutput:
        from ..noise_experts import with_low_noise_expert

        return io.NodeOutput(with_low_noise_expert(high_noise, low_noise, boundary))


class KinoLoadLora(io.ComfyNode):
    """A MODEL with a LoRA."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KinoLoadLora",
            display_name="Load Video LoRA",
            category=CATEGORY,
            description="Loads a LoRA into a video model, for Wan in every layout in which they are found, "
            "and tells what did not fit.",
            inputs=[
                io.Model.Input("model", tooltip="The model to change."),
                io.Combo.Input(
                    "lora",
                    options=folder_paths.get_filename_list("loras"),
                    tooltip="A file in models/loras.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=-10.0,
                    max=10.0,
                    step=0.01,
                    tooltip="How much of the change; 1 as it was trained, 0 none.",
                ),
            ],
            outputs=[
                io.Model.Output(display_name="model", tooltip="The model with the change."),
                io.String.Output(display_name="report", tooltip="What it changes, and what does not fit."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, model: Any, lora: str, strength: float) -> io.NodeOutput:
        from ..model_lora import with_lora

        patched, report = with_lora(model, model_path("loras", lora), strength)
        show_text(report, node_id(cls))
        return io.NodeOutput(patched, report, ui=node_views.views(node_views.report(report)))


NODES = [KinoLoadVideoModel, KinoNoiseExperts, KinoLoadLora]
