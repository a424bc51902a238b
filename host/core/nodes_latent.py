"""Pictures to latents and back."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from nodes import MAX_RESOLUTION


class VAEDecode(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="VAEDecode",
            display_name="VAE Decode",
            category="latent",
            description="Decodes latents into pictures; the frames of a video latent become one batch.",
            inputs=[
                io.Latent.Input("samples", tooltip="The latent to decode."),
                io.Vae.Input("vae", tooltip="The VAE that decodes it."),
            ],
            outputs=[io.Image.Output(tooltip="The decoded pictures.")],
        )

    @classmethod
    def execute(cls, samples: dict[str, Any], vae: Any) -> io.NodeOutput:
        latent = samples["samples"]
        if getattr(latent, "is_nested", False):
            latent = latent.unbind()[0]
        images = vae.decode(latent)
        if images.ndim == 5:  # [B, T, H, W, C] → [B·T, H, W, C]
            images = images.flatten(0, 1)
        return io.NodeOutput(images)


class VAEEncode(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="VAEEncode",
            display_name="VAE Encode",
            category="latent",
            inputs=[io.Image.Input("pixels"), io.Vae.Input("vae")],
            outputs=[io.Latent.Output()],
        )

    @classmethod
    def execute(cls, pixels: Any, vae: Any) -> io.NodeOutput:
        return io.NodeOutput({"samples": vae.encode(pixels)})


class EmptyLatentImage(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmptyLatentImage",
            display_name="Empty Latent Image",
            category="latent",
            inputs=[
                io.Int.Input("width", default=512, min=16, max=MAX_RESOLUTION, step=8),
                io.Int.Input("height", default=512, min=16, max=MAX_RESOLUTION, step=8),
                io.Int.Input("batch_size", default=1, min=1, max=4096),
            ],
            outputs=[io.Latent.Output()],
        )

    @classmethod
    def execute(cls, width: int, height: int, batch_size: int) -> io.NodeOutput:
        import torch
        from comfy.model_management import intermediate_device

        samples = torch.zeros((batch_size, 4, height // 8, width // 8), device=intermediate_device())
        return io.NodeOutput({"samples": samples, "downscale_ratio_spacial": 8})


NODES = [VAEDecode, VAEEncode, EmptyLatentImage]
