"""Core's loaders of a model's parts, by way of the pack's own, which know the video models."""

from __future__ import annotations

from typing import Any

import folder_paths
from comfy_api.latest import io

DEVICES = ("default", "cpu")


def _loaded(node_id: str, **inputs: Any) -> io.NodeOutput:
    """The first output of one of the nodes that are loaded in this host."""
    from nodes import NODE_CLASS_MAPPINGS

    if node_id not in NODE_CLASS_MAPPINGS:
        raise RuntimeError(f"this loader needs the node {node_id} of the pack, which is not loaded here")
    made = NODE_CLASS_MAPPINGS[node_id].execute(**inputs)
    return io.NodeOutput(made.args[0])


class UNETLoader(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="UNETLoader",
            display_name="Load Diffusion Model",
            category="advanced/loaders",
            inputs=[
                io.Combo.Input("unet_name", options=folder_paths.get_filename_list("diffusion_models")),
                io.Combo.Input("weight_dtype", options=["default"]),
            ],
            outputs=[io.Model.Output()],
        )

    @classmethod
    def execute(cls, unet_name: str, weight_dtype: str) -> io.NodeOutput:
        plain = {"low_noise_file": "none", "boundary": 0.0, "network": "auto", "shift": 0.0}
        return _loaded("KinoLoadVideoModel", file=unet_name, dtype="auto", **plain)


class CLIPLoader(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="CLIPLoader",
            display_name="Load CLIP",
            category="advanced/loaders",
            inputs=[
                io.Combo.Input("clip_name", options=folder_paths.get_filename_list("text_encoders")),
                io.Combo.Input("type", options=["wan"]),
                io.Combo.Input("device", options=list(DEVICES), optional=True),
            ],
            outputs=[io.Clip.Output()],
        )

    @classmethod
    def execute(cls, clip_name: str, type: str, device: str = DEVICES[0]) -> io.NodeOutput:
        return _loaded("KinoLoadTextEncoder", text_encoder=clip_name, dtype="auto", device=device)


class VAELoader(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="VAELoader",
            display_name="Load VAE",
            category="loaders",
            inputs=[io.Combo.Input("vae_name", options=folder_paths.get_filename_list("vae"))],
            outputs=[io.Vae.Output()],
        )

    @classmethod
    def execute(cls, vae_name: str) -> io.NodeOutput:
        return _loaded("KinoLoadVideoVAE", vae_name=vae_name, dtype="auto", tiny_latents="auto")


class CheckpointLoaderSimple(io.ComfyNode):
    """Known, since the editor's default graph begins with it; its models are image models."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="CheckpointLoaderSimple",
            display_name="Load Checkpoint",
            category="loaders",
            inputs=[io.Combo.Input("ckpt_name", options=folder_paths.get_filename_list("checkpoints"))],
            outputs=[io.Model.Output(), io.Clip.Output(), io.Vae.Output()],
        )

    @classmethod
    def execute(cls, ckpt_name: str) -> io.NodeOutput:
        raise RuntimeError(
            f"{ckpt_name} holds a whole model in one file, which only ComfyUI itself loads: here take the "
            "parts of a video model, with Load Diffusion Model, Load CLIP and Load VAE"
        )


NODES = [UNETLoader, CLIPLoader, VAELoader, CheckpointLoaderSimple]
