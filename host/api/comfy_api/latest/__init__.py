"""`comfy_api.latest`: the node API as V3 packs import it."""

from __future__ import annotations

from abc import ABC, abstractmethod

from .. import input, input_impl, util
from . import io, ui
from .calls import ComfyAPI, ComfyAPISync


class ComfyExtension(ABC):
    """What a pack's `comfy_entrypoint` returns."""

    async def on_load(self) -> None:  # noqa: B027  (packs may leave it out)
        """Called once before the nodes are asked for."""

    @abstractmethod
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """The pack's node classes."""


class Input:
    """Types of the values that nodes receive."""

    Image = input.ImageInput
    Audio = input.AudioInput
    Mask = input.MaskInput
    Latent = input.LatentInput
    Video = input.VideoInput


class InputImpl:
    """VIDEO values to return."""

    VideoFromFile = input_impl.VideoFromFile
    VideoFromComponents = input_impl.VideoFromComponents


class Types:
    """Plain data types."""

    VideoCodec = util.VideoCodec
    VideoContainer = util.VideoContainer
    VideoComponents = util.VideoComponents
    MESH = util.MESH
    VOXEL = util.VOXEL


IO = io
UI = ui

__all__ = [
    "IO",
    "UI",
    "ComfyAPI",
    "ComfyAPISync",
    "ComfyExtension",
    "Input",
    "InputImpl",
    "Types",
    "io",
    "ui",
]
