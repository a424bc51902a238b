"""The guider that runs a sampler on a MODEL under classifier-free guidance."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .denoising import Conds, sampling_function
from .loaded_models import load_models_gpu
from .model_patcher import create_model_options_clone
from .patcher_extension import WrapperExecutor, WrappersMP, get_all_wrappers, merge_nested_dicts
from .scaling import reshape_mask


def convert_cond(conditioning: list[list[Any]]) -> Conds:
    """CONDITIONING [[tensor, options], …] as one dictionary for each entry."""
    return [
        {**options, "cross_attn": text, "model_conds": {}, "uuid": uuid.uuid4()}
        for text, options in conditioning
    ]


class CFGGuider:
    """Samples with a MODEL under conditioning; the value of a GUIDER socket.

    Args:
        model_patcher: the MODEL. Its network has `apply_model`, `extra_conds`, `process_latent_in`,
            `process_latent_out`, `scale_latent_inpaint`, `memory_required` and `model_sampling`.
    """

    def __init__(self, model_patcher: Any) -> None:
        self.model_patcher = model_patcher
        self.model_options = model_patcher.model_options
        self.original_conds: dict[str, Conds] = {}
        self.cfg = 1.0

    def set_conds(self, positive: list, negative: list) -> None:
        self.inner_set_conds({"positive": positive, "negative": negative})

    def set_cfg(self, cfg: float) -> None:
        self.cfg = cfg

    def inner_set_conds(self, conds: dict[str, list]) -> None:
        for name, conditioning in conds.items():
            self.original_conds[name] = convert_cond(conditioning)

    def __call__(
        self, x: Tensor, timestep: Tensor, model_options: dict[str, Any], seed: int | None = None
    ) -> Tensor:
        wrappers = get_all_wrappers(WrappersMP.PREDICT_NOISE, self.model_options, is_model_options=True)
        executor = WrapperExecutor.new_class_executor(self.predict_noise, self, wrappers)
        return executor.execute(x, timestep, model_options, seed)

    def predict_noise(
        self, x: Tensor, timestep: Tensor, model_options: dict[str, Any], seed: int | None = None
    ) -> Tensor:
        """The guided denoised x, in spite of the name."""
        negative, positive = self.conds.get("negative"), self.conds.get("positive")
        return sampling_function(
            self.inner_model, x, timestep, negative, positive, self.cfg, model_options, seed
        )

    def sample(
        self,
        noise: Tensor,
        latent_image: Tensor,
        sampler: Any,
        sigmas: Tensor,
        denoise_mask: Tensor | None = None,
        callback: Callable | None = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> Tensor:
        """Latents [B, C, …], raw in and out.

        Args:
            sampler: see `comfy.samplers.Sampler`.
            sigmas: [steps + 1], falling; with none the latent comes back.
            denoise_mask: 1 where something new is made, 0 where the latent stays.
            callback: `f(step, denoised, x, steps)`.
        """
        if not len(sigmas):
            return latent_image
        if denoise_mask is not None:
            device = self.model_patcher.load_device
            denoise_mask = reshape_mask(denoise_mask, noise.shape).to(device).float()
        self.conds = {name: [dict(cond) for cond in group] for name, group in self.original_conds.items()}
        given_options = self.model_options
        self.model_options = create_model_options_clone(given_options)
        for kind in ("wrappers", "callbacks"):
            options = self.model_options["transformer_options"]
            options[kind] = merge_nested_dicts(options.get(kind, {}), getattr(self.model_patcher, kind))
        try:
            wrappers = get_all_wrappers(WrappersMP.OUTER_SAMPLE, self.model_options, is_model_options=True)
            executor = WrapperExecutor.new_class_executor(self.outer_sample, self, wrappers)
            return executor.execute(
                noise, latent_image, sampler, sigmas, denoise_mask, callback, disable_pbar, seed
            )
        finally:
            self.model_options = given_options
            del self.conds

    def outer_sample(
        self,
        noise: Tensor,
        latent_image: Tensor,
        sampler: Any,
        sigmas: Tensor,
        denoise_mask: Tensor | None = None,
        callback: Callable | None = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> Tensor:
        patcher = self.model_patcher
        self.inner_model = patcher.model
        device = patcher.load_device
        needed = self.inner_model.memory_required([2 * noise.shape[0], *noise.shape[1:]])
        load_models_gpu([patcher], memory_required=needed)
        patcher.pre_run()
        try:
            noise, latent_image, sigmas = noise.to(device), latent_image.to(device), sigmas.to(device)
            with torch.no_grad():
                return self._inner_sample(
                    noise, latent_image, device, sampler, sigmas, denoise_mask, callback, disable_pbar, seed
                )
        finally:
            patcher.cleanup()
            del self.inner_model

    def _inner_sample(
        self,
        noise: Tensor,
        latent_image: Tensor,
        device: Any,
        sampler: Any,
        sigmas: Tensor,
        denoise_mask: Tensor | None,
        callback: Callable | None,
        disable_pbar: bool,
        seed: int | None,
    ) -> Tensor:
        model = self.inner_model
        if latent_image.count_nonzero() > 0:  # zeros are an empty latent and stay in the middle of the space
            latent_image = model.process_latent_in(latent_image)
        self._encode_conds(noise, device, latent_image, denoise_mask, seed)
        options = create_model_options_clone(self.model_options)
        options["transformer_options"]["sample_sigmas"] = sigmas
        wrappers = get_all_wrappers(WrappersMP.SAMPLER_SAMPLE, options, is_model_options=True)
        executor = WrapperExecutor.new_class_executor(sampler.sample, sampler, wrappers)
        extra_args = {"model_options": options, "seed": seed}
        samples = executor.execute(
            self, sigmas, extra_args, callback, noise, latent_image, denoise_mask, disable_pbar
        )
        return model.process_latent_out(samples.float())

    def _encode_conds(
        self, noise: Tensor, device: Any, latent_image: Tensor, denoise_mask: Tensor | None, seed: int | None
    ) -> None:
        """Let the model turn each entry's options into arguments of its forward, and percents into levels."""
        sampling = self.inner_model.model_sampling
        shared = {"noise": noise, "device": device, "latent_image": latent_image}
        shared |= {"denoise_mask": denoise_mask, "seed": seed}
        for name, group in self.conds.items():
            for cond in group:
                cond["model_conds"] = self.inner_model.extra_conds(**{**shared, **cond, "prompt_type": name})
                for percent, level in (("start_percent", "timestep_start"), ("end_percent", "timestep_end")):
                    if percent in cond:
                        cond[level] = float(sampling.percent_to_sigma(cond[percent]))
