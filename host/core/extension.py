"""The list of the host's own nodes."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from . import (
    nodes_audio,
    nodes_conditioning,
    nodes_custom_sampling,
    nodes_images,
    nodes_latent,
    nodes_loaders,
    nodes_model,
    nodes_primitive,
    nodes_sampling,
    nodes_video,
)


class CoreExtension(ComfyExtension):
    """Every node of the host that carries one of ComfyUI's own ids."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        modules = (
            nodes_images,
            nodes_video,
            nodes_audio,
            nodes_conditioning,
            nodes_latent,
            nodes_loaders,
            nodes_model,
            nodes_sampling,
            nodes_custom_sampling,
            nodes_primitive,
        )
        return [node for module in modules for node in module.NODES]
