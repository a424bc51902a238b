"""MODEL sockets: loading a video model in either host, and what the nodes ask of any MODEL."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from comfy.model_sampling import CONST, ModelSamplingDiscreteFlow

from .generation.load import Checkpoint, read_transformer
from .vae.latents import LatentFacts
from .vae.wan21 import LATENTS as WAN21
from .vae.wan22 import LATENTS as WAN22
from .vae.weights_file import WeightsError

try:
    import comfy.sd as core  # what ComfyUI has and the embedded host has not
except ModuleNotFoundError:
    core = None

AUTO = "auto"
"""Takes core's own network where core knows the weights, and the pack's elsewhere."""
SHIFT = "shift"
"""Key in a file's metadata: the shift of the noise schedule that it was trained for."""


class Loaded(NamedTuple):
    """The value of a MODEL socket, and what is to be told of it."""

    model: Any
    report: str


def load_video_model(path: str, dtype_name: str, network: str) -> Loaded:
    """Load a file as the value of a MODEL socket.

    Args:
        dtype_name: of the weights: "auto" or a torch dtype's name.
        network: `AUTO`, or "kinograph" for the pack's.

    Raises:
        WeightsError: the file cannot be read, or is no model that is known here.
    """
    dtype = None if dtype_name == "auto" else getattr(torch, dtype_name)
    name = Path(path).name
    if core is None:
        checkpoint = read_transformer(path)
        return Loaded(_hosted(checkpoint, dtype), f"{name}: {_told(checkpoint)}")
    from .model_in_comfyui import core_model, patcher_of

    if network == AUTO and (found := core_model(path, dtype)) is not None:
        model, metadata = found
        model = _with_trained_shift(model, name, metadata)
        return Loaded(model, f"{name}: {type(model.model).__name__}, ComfyUI's own network")
    checkpoint = read_transformer(path)
    model = _with_trained_shift(patcher_of(checkpoint, dtype), name, checkpoint.metadata)
    why = ", which ComfyUI's own cannot run" if network == AUTO else ""
    return Loaded(model, f"{name}: {_told(checkpoint)}, Kinograph's network{why}")


def _told(checkpoint: Checkpoint) -> str:
    config = checkpoint.config
    count = sum(weight.nelement() for weight in checkpoint.weights.values())
    return (
        f"Wan with {count / 1e6:.1f} M parameters in {config.blocks} blocks of width {config.width}, text "
        f"tokens of {config.text_width}"
    )


def _with_trained_shift(model: Any, name: str, metadata: Mapping[str, str]) -> Any:
    """The MODEL with the shift that its file tells; as it is where the file tells none.

    Raises:
        WeightsError: what the file tells is no shift.
    """
    told = metadata.get(SHIFT)
    if told is None:
        return model
    try:
        shift = float(told)
    except ValueError:
        shift = math.nan
    if not shift > 0:
        raise WeightsError(f"{name} tells a shift of {told!r}; needed is a number above 0: fetch it again")
    return with_shift(model, shift)


def _hosted(checkpoint: Checkpoint, dtype: torch.dtype | None) -> Any:
    """The embedded host's MODEL."""
    from comfy.model_management import get_torch_device, unet_dtype, unet_offload_device

    from ..kernels.linear import layers
    from .hooked_wan import HookedWan
    from .hosted_model import HostedModel, VideoModel

    device = get_torch_device()
    if dtype is None:
        dtype = unet_dtype(device, weight_dtype=checkpoint.weights["patch_embedding.weight"].dtype)
        if device.type == "cpu" and dtype == torch.float16:
            dtype = torch.float32  # half precision takes many times longer there
    network = HookedWan.of(checkpoint, layers, dtype)
    model = VideoModel(
        HostedModel(network, latents_of(checkpoint)),
        load_device=device,
        offload_device=unet_offload_device(),
    )
    return _with_trained_shift(model, checkpoint.name, checkpoint.metadata)


def latents_of(checkpoint: Checkpoint) -> LatentFacts:
    """Which latents a Wan transformer makes.

    Raises:
        WeightsError: none that is known has so many channels.
    """
    for facts in (WAN21, WAN22):
        if facts.channels == checkpoint.config.out_channels:
            return facts
    raise WeightsError(
        f"{checkpoint.name} makes latents of {checkpoint.config.out_channels} channels; known are those of "
        f"{WAN21.name} ({WAN21.channels}) and {WAN22.name} ({WAN22.channels})"
    )


class ShiftedFlow(ModelSamplingDiscreteFlow, CONST):
    """Straight paths between noise and film, a thousand levels of noise."""


def with_shift(model: Any, shift: float) -> Any:
    """A MODEL whose noise schedule is shifted, as core's ModelSamplingSD3 does it."""
    sampling = ShiftedFlow(getattr(model.model, "model_config", None))
    sampling.set_parameters(shift=shift)
    patched = model.clone()
    patched.add_object_patch("model_sampling", sampling)
    return patched


def takes_shift(model: Any) -> bool:
    """Whether `with_shift` suits a MODEL's own kind of noise schedule."""
    return isinstance(model.get_model_object("model_sampling"), ModelSamplingDiscreteFlow)


def shift_of(model: Any) -> float:
    """How far a MODEL's noise schedule is shifted; Flux, LTX-Video and Hunyuan Video keep the logarithm."""
    shift = float(getattr(model.get_model_object("model_sampling"), "shift", 1.0))
    return shift if takes_shift(model) else math.exp(shift)
