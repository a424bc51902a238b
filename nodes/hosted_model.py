"""The value of a MODEL socket without ComfyUI: a network, and what its latents and noise mean."""

from __future__ import annotations

from typing import Any

import torch
from comfy.model_patcher import ModelPatcher
from comfy.model_sampling import CONST, ModelSamplingDiscreteFlow
from comfy.patcher_extension import WrapperExecutor, WrappersMP, get_all_wrappers
from comfy.utils import common_upscale, repeat_to_batch_size
from torch import Tensor, nn

from .generation.given_frames import frame_mask, with_frame_levels
from .hooked_wan import HookedWan
from .vae.latents import LatentFacts
from .vae.rough_colours import rgb_map

MASK_CHANNELS = 4
"""Of an image-to-video network's input: which of a latent frame's four frames are given."""
DEFAULT_SHIFT = 8.0
"""Of Wan's noise schedule where neither the file nor the user says another."""


class LatentFormat:
    """A model's latents, normalised by each channel's mean and deviation."""

    latent_dimensions = 3

    def __init__(self, facts: LatentFacts) -> None:
        self.facts, self.latent_channels = facts, facts.channels
        self.spacial_downscale_ratio, self.temporal_downscale_ratio = facts.space, facts.time
        self.latent_rgb_factors, self.latent_rgb_factors_bias = rgb_map(facts)

    def process_in(self, latent: Tensor) -> Tensor:
        """Raw latents [B,Z,T,h,w] → what the network sees."""
        return self.facts.normalised(latent)

    def process_out(self, latent: Tensor) -> Tensor:
        return self.facts.raw(latent)


class FlowSampling(ModelSamplingDiscreteFlow, CONST):
    """Straight paths, a thousand levels."""


class HostedModel(nn.Module):
    """A network as the host's guider runs it, with the methods of core's model classes.

    A noise mask that covers whole frames is their share of the noise; any other is inpainting.
    """

    current_patcher: Any = None

    def __init__(self, network: HookedWan, facts: LatentFacts) -> None:
        super().__init__()
        self.diffusion_model, self.latent_format = network, LatentFormat(facts)
        self.model_sampling = FlowSampling()
        self.model_sampling.set_parameters(shift=DEFAULT_SHIFT)
        self.masks_frames = False

    def process_latent_in(self, latent: Tensor) -> Tensor:
        return self.latent_format.process_in(latent)

    def process_latent_out(self, latent: Tensor) -> Tensor:
        return self.latent_format.process_out(latent)

    def scale_latent_inpaint(self, sigma: Tensor, noise: Tensor, latent_image: Tensor, **_: Any) -> Tensor:
        """What lies outside the mask while the rest is at this noise level."""
        if self.masks_frames:
            return latent_image
        return self.model_sampling.noise_scaling(sigma, noise, latent_image)

    def memory_required(self, input_shape: list[int]) -> float:
        """Bytes that a forward takes beside the weights: some forty numbers for each channel of a token."""
        batch, _, frames, height, width = input_shape
        tokens = batch * frames * (height // 2) * (width // 2)
        return 40 * tokens * self.diffusion_model.config.width * self.diffusion_model.dtype.itemsize

    def extra_conds(self, **given: Any) -> dict[str, Any]:
        """What the network is given beside noisy latents, from a CONDITIONING entry and the LATENT."""
        found: dict[str, Any] = {}
        if given.get("cross_attn") is not None:
            found["c_crossattn"] = given["cross_attn"]
        if (picture := given.get("clip_vision_output")) is not None:
            found["clip_fea"] = picture.penultimate_hidden_states
        if self.diffusion_model.config.given_channels:
            found["c_concat"] = self._given_latents(given)
        mask = given.get("denoise_mask")
        levels = None if mask is None else frame_mask(mask)
        self.masks_frames = levels is not None
        if levels is not None:
            found["frame_levels"] = levels
        return found

    def _given_latents(self, given: dict[str, Any]) -> Tensor:
        """Mask and picture [B,given channels,T,h,w] of an image-to-video network, zero where none is."""
        noise, channels = given["noise"], self.diffusion_model.config.given_channels
        masked = channels % self.latent_format.latent_channels == MASK_CHANNELS
        empty = noise.new_zeros(noise.shape[0], channels, *noise.shape[2:])
        picture = given.get("concat_latent_image")
        if picture is None:
            return empty
        raw = common_upscale(picture.to(noise), noise.shape[-1], noise.shape[-2], "bilinear", "center")
        parts = raw.split(self.latent_format.latent_channels, dim=1)
        normalised = torch.cat([self.process_latent_in(part) for part in parts], dim=1)
        room = empty[:, MASK_CHANNELS:] if masked else empty
        room[:, : normalised.shape[1], : normalised.shape[2]] = repeat_to_batch_size(normalised, len(noise))
        mask = given.get("concat_mask")
        if masked and mask is not None:
            mask = common_upscale(1 - mask.to(noise), noise.shape[-1], noise.shape[-2], "bilinear", "center")
            empty[:, :MASK_CHANNELS, : mask.shape[2]] = mask
        return empty

    def apply_model(
        self,
        x: Tensor,
        t: Tensor,
        c_concat: Tensor | None = None,
        c_crossattn: Tensor | None = None,
        control: Any = None,
        transformer_options: dict[str, Any] | None = None,
        **conds: Any,
    ) -> Tensor:
        """x [B,Z,T,h,w] at noise levels t [B] → its denoised prediction."""
        options = {} if transformer_options is None else transformer_options
        wrappers = get_all_wrappers(WrappersMP.APPLY_MODEL, options)
        executor = WrapperExecutor.new_class_executor(self._apply_model, self, wrappers)
        return executor.execute(x, t, c_concat, c_crossattn, control, options, **conds)

    def _apply_model(
        self,
        x: Tensor,
        t: Tensor,
        c_concat: Tensor | None,
        c_crossattn: Tensor,
        control: Any,
        transformer_options: dict[str, Any],
        frame_levels: Tensor | None = None,
        **conds: Any,
    ) -> Tensor:
        dtype = self.diffusion_model.dtype
        network_input = x if c_concat is None else torch.cat([x, c_concat], dim=1)
        timestep = self.model_sampling.timestep(t).float()
        if frame_levels is not None:
            timestep = with_frame_levels(timestep, frame_levels)
        velocity = self.diffusion_model(
            network_input.to(dtype),
            timestep,
            context=c_crossattn.to(x.device, dtype),
            transformer_options=dict(transformer_options),
            **{name: value.to(x.device, dtype) for name, value in conds.items()},
        )
        return self.model_sampling.calculate_denoised(t, velocity.float(), x)


class VideoModel(ModelPatcher):
    """The host's patcher around a `HostedModel`."""

    model: HostedModel

    def with_lora(self, path: str, strength: float) -> VideoModel:
        """A clone with a LoRA's changes, for core's LoRA node."""
        from .model_lora import with_lora

        return with_lora(self, path, strength).model
