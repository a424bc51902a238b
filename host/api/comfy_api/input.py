"""`comfy_api.input`: the values that nodes receive."""

from __future__ import annotations

from .latest.plain_types import AudioDict as AudioInput
from .latest.plain_types import LatentDict as LatentInput
from .latest.tensors import Tensor as ImageInput
from .latest.tensors import Tensor as MaskInput
from .latest.video_input import VideoInput

__all__ = ["AudioInput", "ImageInput", "LatentInput", "MaskInput", "VideoInput"]
