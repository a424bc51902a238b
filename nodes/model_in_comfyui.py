"""The pack's own Wan network as a MODEL of ComfyUI: a subclass of core's Wan model in its ModelPatcher."""

from __future__ import annotations

from typing import Any

import comfy.conds
import comfy.model_base
import comfy.model_detection
import comfy.model_management
import comfy.sd
import comfy.utils
import torch
from comfy.model_patcher import ModelPatcher
from torch import Tensor

from .generation.given_frames import frame_mask, with_frame_levels
from .generation.load import Checkpoint
from .hooked_wan import HookedWan
from .vae.weights_file import WeightsError

WAN_TEXT_WIDTH = 4096
"""Of the text tokens that core's Wan takes; only newer versions of core read another from the metadata."""


class KinographWan(comfy.model_base.WAN21):
    """Core's Wan model around a `HookedWan`.

    Where a LATENT's noise mask covers whole frames, it is their share of the noise: a frame of mask 0 is
    given, clean, and at timestep 0. Any other mask is core's inpainting.
    """

    def __init__(self, model_config: Any, checkpoint: Checkpoint) -> None:
        def hooked(*, operations: Any, dtype: torch.dtype, **_: Any) -> HookedWan:
            return HookedWan.of(checkpoint, operations, dtype)

        kind = comfy.model_base.ModelType.FLOW
        super(comfy.model_base.WAN21, self).__init__(model_config, kind, unet_model=hooked)
        self.image_to_video = model_config.unet_config["model_type"] == "i2v"
        self.masks_frames = False

    def extra_conds(self, **given: Any) -> dict[str, Any]:
        found = super().extra_conds(**given)
        mask = given.get("denoise_mask")
        levels = None if mask is None else frame_mask(mask)
        self.masks_frames = levels is not None
        if levels is not None:
            # of the latents' dimensions, so that context windows cut it as they cut the latents
            found["frame_levels"] = comfy.conds.CONDRegular(mask[:, :1])
        return found

    def process_timestep(self, timestep: Tensor, frame_levels: Tensor | None = None, **_: Any) -> Tensor:
        if frame_levels is None:
            return timestep
        return with_frame_levels(timestep, frame_levels[:, 0, :, 0, 0])

    def scale_latent_inpaint(self, sigma: Tensor, noise: Tensor, latent_image: Tensor, **_: Any) -> Tensor:
        if self.masks_frames:
            return latent_image
        return super().scale_latent_inpaint(sigma=sigma, noise=noise, latent_image=latent_image)


def core_config(checkpoint: Checkpoint) -> Any | None:
    """What core's detection makes of the weights; None where it knows no such model."""
    metadata = dict(checkpoint.metadata) or None
    return comfy.model_detection.model_config_from_unet(dict(checkpoint.weights), "", metadata=metadata)


def patcher_of(checkpoint: Checkpoint, dtype: torch.dtype | None) -> ModelPatcher:
    """A Wan transformer as a MODEL.

    Args:
        dtype: of the weights; None takes core's choice for this device.

    Raises:
        WeightsError: core's detection does not know it.
    """
    config, management = core_config(checkpoint), comfy.model_management
    if config is None:
        raise WeightsError(
            f"{checkpoint.name} is a Wan transformer that this ComfyUI does not know; update ComfyUI"
        )
    load, offload = management.get_torch_device(), management.unet_offload_device()
    supported = list(config.supported_inference_dtypes)
    if dtype is None:
        dtype = management.unet_dtype(
            model_params=sum(weight.nelement() for weight in checkpoint.weights.values()),
            supported_dtypes=supported,
            weight_dtype=checkpoint.weights["patch_embedding.weight"].dtype,
        )
    config.set_inference_dtype(dtype, management.unet_manual_cast(dtype, load, supported))
    config.quant_config = None  # the weights have been scaled back
    return ModelPatcher(KinographWan(config, checkpoint), load_device=load, offload_device=offload)


def core_model(path: str, dtype: torch.dtype | None) -> tuple[ModelPatcher, dict[str, str]] | None:
    """Core's own MODEL of a file, and the file's metadata.

    None where core does not know the file, or cannot build its text width.
    """
    weights, metadata = comfy.utils.load_torch_file(path, return_metadata=True)
    prefix = comfy.model_detection.unet_prefix_from_state_dict(weights)
    inner = comfy.utils.state_dict_prefix_replace(dict(weights), {prefix: ""}, filter_keys=True) or weights
    config = comfy.model_detection.model_config_from_unet(inner, "", metadata=metadata)
    if config is None:
        return None
    text = inner.get("text_embedding.0.weight")
    if text is not None and text.shape[1] != config.unet_config.get("text_dim", WAN_TEXT_WIDTH):
        return None
    options = {} if dtype is None else {"dtype": dtype}
    return comfy.sd.load_diffusion_model(path, model_options=options), metadata or {}
