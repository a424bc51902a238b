"""Nodes under ComfyUI's own ids, so that a graph made of them and the pack's runs in ComfyUI unchanged.

Inputs, defaults and output order are those of ComfyUI 0.8. The package is loaded like any pack, by its
`comfy_entrypoint`; inside ComfyUI it is never loaded, since the real nodes are there.
"""

from __future__ import annotations


async def comfy_entrypoint():
    """The extension that lists these nodes."""
    from .extension import CoreExtension

    return CoreExtension()
