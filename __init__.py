"""Kinograph: video nodes for ComfyUI, and a package that runs the same graphs without it."""

from __future__ import annotations

WEB_DIRECTORY = "./web"


async def comfy_entrypoint():
    """The pack's door: ComfyUI (0.8 or newer) awaits it and asks the result for the node list."""
    from .nodes.extension import KinographExtension

    return KinographExtension()
