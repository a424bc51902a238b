"""The socket types that only have a name: one table instead of a class each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

from .sockets import ComfyTypeIO, WidgetInput, comfytype
from .tensors import Tensor


class LatentDict(TypedDict, total=False):
    """`samples`: raw VAE output, [B,C,H,W] or [B,C,T,H,W]."""

    samples: Tensor
    noise_mask: Tensor
    batch_index: list[int]
    type: str


class AudioDict(TypedDict):
    """`waveform`: [B,C,S] float −1..1; `sample_rate` in Hz."""

    waveform: Tensor
    sample_rate: int


class TrackDict(TypedDict):
    """Point tracks: `track_path` [T,N,2] in pixels, `track_visibility` [T,N]."""

    track_path: Tensor
    track_visibility: Tensor


_TYPES: dict[str, tuple[str, Any]] = {
    "Image": ("IMAGE", Tensor),
    "Mask": ("MASK", Tensor),
    "Latent": ("LATENT", LatentDict),
    "Conditioning": ("CONDITIONING", list[tuple[Tensor, dict]]),
    "Sampler": ("SAMPLER", Any),
    "Sigmas": ("SIGMAS", Tensor),
    "Noise": ("NOISE", Tensor),
    "Guider": ("GUIDER", Any),
    "Clip": ("CLIP", Any),
    "ControlNet": ("CONTROL_NET", Any),
    "Vae": ("VAE", Any),
    "Model": ("MODEL", Any),
    "ModelPatch": ("MODEL_PATCH", Any),
    "MODEL_PATCH": ("MODEL_PATCH", Any),
    "ClipVision": ("CLIP_VISION", Any),
    "ClipVisionOutput": ("CLIP_VISION_OUTPUT", Any),
    "BackgroundRemoval": ("BACKGROUND_REMOVAL", Any),
    "AudioEncoder": ("AUDIO_ENCODER", Any),
    "AudioEncoderOutput": ("AUDIO_ENCODER_OUTPUT", Any),
    "StyleModel": ("STYLE_MODEL", Any),
    "Gligen": ("GLIGEN", Any),
    "UpscaleModel": ("UPSCALE_MODEL", Any),
    "LatentUpscaleModel": ("LATENT_UPSCALE_MODEL", Any),
    "Audio": ("AUDIO", AudioDict),
    "Video": ("VIDEO", Any),
    "SVG": ("SVG", Any),
    "LoraModel": ("LORA_MODEL", dict[str, Tensor]),
    "LossMap": ("LOSS_MAP", dict[str, list[Tensor]]),
    "Voxel": ("VOXEL", Any),
    "Mesh": ("MESH", Any),
    "Hooks": ("HOOKS", Any),
    "HookKeyframes": ("HOOK_KEYFRAMES", Any),
    "TimestepsRange": ("TIMESTEPS_RANGE", tuple[int, int]),
    "LatentOperation": ("LATENT_OPERATION", Callable[[Tensor], Tensor]),
    "FlowControl": ("FLOW_CONTROL", tuple[str, Any]),
    "Accumulation": ("ACCUMULATION", dict[str, list[Any]]),
    "Load3DCamera": ("LOAD3D_CAMERA", dict),
    "Load3D": ("LOAD_3D", dict),
    "Load3DAnimation": ("LOAD_3D_ANIMATION", dict),
    "Photomaker": ("PHOTOMAKER", Any),
    "Point": ("POINT", Any),
    "FaceAnalysis": ("FACE_ANALYSIS", Any),
    "BBOX": ("BBOX", Any),
    "SEGS": ("SEGS", Any),
    "AnyType": ("*", Any),
    "Tracks": ("TRACKS", TrackDict),
    "WanCameraEmbedding": ("WAN_CAMERA_EMBEDDING", Tensor),
    "Histogram": ("HISTOGRAM", list[int]),
}
"""Class name → (type name in graphs, Python type of the values)."""

_NESTED_NAMES = {
    "Latent": {"LatentDict": LatentDict},
    "Audio": {"AudioDict": AudioDict},
    "Tracks": {"TrackDict": TrackDict},
}


def _plain_type(name: str, io_type: str, value_type: Any) -> type[ComfyTypeIO]:
    facts = {"Type": value_type, "__module__": __name__, **_NESTED_NAMES.get(name, {})}
    return comfytype(io_type)(type(name, (ComfyTypeIO,), facts))


PLAIN_TYPES = {name: _plain_type(name, *entry) for name, entry in _TYPES.items()}
"""Class name → class."""

globals().update(PLAIN_TYPES)


@comfytype(io_type="BOUNDING_BOX")
class BoundingBox(ComfyTypeIO):
    class BoundingBoxDict(TypedDict):
        """A rectangle in pixels; (x, y) is its top-left corner."""

        x: int
        y: int
        width: int
        height: int

    Type = BoundingBoxDict

    class Input(WidgetInput):
        """A rectangle drawn in the editor."""

        def __init__(
            self,
            id: str,
            display_name: str | None = None,
            optional: bool = False,
            tooltip: str | None = None,
            socketless: bool = True,
            default: dict | None = None,
            component: str | None = None,
            force_input: bool | None = None,
        ) -> None:
            default = default or {"x": 0, "y": 0, "width": 512, "height": 512}
            super().__init__(
                id,
                display_name,
                optional,
                tooltip,
                default=default,
                socketless=socketless,
                force_input=force_input,
                extra_dict={"component": component} if component else None,
            )
            self.component = component
