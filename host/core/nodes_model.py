"""Core's nodes that change a MODEL, and its empty latents of films."""

from __future__ import annotations

from typing import Any

import folder_paths
from comfy_api.latest import io

from nodes import MAX_RESOLUTION


class ModelSamplingSD3(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ModelSamplingSD3",
            category="advanced/model",
            inputs=[
                io.Model.Input("model"),
                io.Float.Input("shift", default=3.0, min=0.0, max=100.0, step=0.01),
            ],
            outputs=[io.Model.Output()],
        )

    @classmethod
    def execute(cls, model: Any, shift: float) -> io.NodeOutput:
        from comfy.model_sampling import CONST, ModelSamplingDiscreteFlow

        class ShiftedFlow(ModelSamplingDiscreteFlow, CONST):
            pass

        sampling = ShiftedFlow()
        sampling.set_parameters(shift=shift)
        patched = model.clone()
        patched.add_object_patch("model_sampling", sampling)
        return io.NodeOutput(patched)


class LoraLoaderModelOnly(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LoraLoaderModelOnly",
            display_name="LoraLoaderModelOnly",
            category="loaders",
            inputs=[
                io.Model.Input("model"),
                io.Combo.Input("lora_name", options=folder_paths.get_filename_list("loras")),
                io.Float.Input("strength_model", default=1.0, min=-100.0, max=100.0, step=0.01),
            ],
            outputs=[io.Model.Output()],
        )

    @classmethod
    def execute(cls, model: Any, lora_name: str, strength_model: float) -> io.NodeOutput:
        path = folder_paths.get_full_path_or_raise("loras", lora_name)
        return io.NodeOutput(model.with_lora(path, strength_model))


class EmptyHunyuanLatentVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmptyHunyuanLatentVideo",
            display_name="Empty HunyuanVideo 1.0 Latent",
            category="latent/video",
            inputs=[
                io.Int.Input("width", default=848, min=16, max=MAX_RESOLUTION, step=16),
                io.Int.Input("height", default=480, min=16, max=MAX_RESOLUTION, step=16),
                io.Int.Input("length", default=25, min=1, max=MAX_RESOLUTION, step=4),
                io.Int.Input("batch_size", default=1, min=1, max=4096),
            ],
            outputs=[io.Latent.Output()],
        )

    @classmethod
    def execute(cls, width: int, height: int, length: int, batch_size: int) -> io.NodeOutput:
        import torch
        from comfy.model_management import intermediate_device

        shape = (batch_size, 16, (length - 1) // 4 + 1, height // 8, width // 8)
        samples = torch.zeros(shape, device=intermediate_device())
        return io.NodeOutput({"samples": samples, "downscale_ratio_spacial": 8})


NODES = [ModelSamplingSD3, LoraLoaderModelOnly, EmptyHunyuanLatentVideo]
