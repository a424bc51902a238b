"""Text to conditioning, and pictures to latents and back."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io


class CLIPTextEncode(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="CLIPTextEncode",
            display_name="CLIP Text Encode (Prompt)",
            category="conditioning",
            description="Turns text into the conditioning that guides a diffusion model.",
            inputs=[
                io.String.Input("text", multiline=True, dynamic_prompts=True, tooltip="The text to encode."),
                io.Clip.Input("clip", tooltip="The text encoder."),
            ],
            outputs=[io.Conditioning.Output(tooltip="The encoded text.")],
        )

    @classmethod
    def execute(cls, text: str, clip: Any) -> io.NodeOutput:
        if clip is None:
            raise ValueError(
                "The clip input is empty: its checkpoint has no text encoder; load one separately"
            )
        return io.NodeOutput(clip.encode_from_tokens_scheduled(clip.tokenize(text)))


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


NODES = [CLIPTextEncode, VAEDecode, VAEEncode]
