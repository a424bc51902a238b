"""`comfy.samplers`: guided sampling of a MODEL, from conditioning and noise to latents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .cfg_guider import CFGGuider
from .denoising import calc_cond_batch, cfg_function, sampling_function
from .noise_schedules import SCHEDULER_NAMES, calculate_sigmas
from .sampler_functions import SAMPLERS

__all__ = [
    "KSAMPLER",
    "SAMPLER_NAMES",
    "SCHEDULER_NAMES",
    "CFGGuider",
    "KSampler",
    "KSamplerX0Inpaint",
    "Sampler",
    "calc_cond_batch",
    "calculate_sigmas",
    "cfg_function",
    "ksampler",
    "sampler_object",
    "sampling_function",
]

SAMPLER_NAMES = list(SAMPLERS)


class KSamplerX0Inpaint:
    """What a sampler function calls for the denoised x; outside the mask it is the given latent."""

    def __init__(self, model: CFGGuider, sigmas: Tensor, latent_image: Tensor, noise: Tensor) -> None:
        self.inner_model, self.sigmas = model, sigmas
        self.latent_image, self.noise = latent_image, noise

    def __call__(
        self,
        x: Tensor,
        sigma: Tensor,
        denoise_mask: Tensor | None = None,
        model_options: dict[str, Any] | None = None,
        seed: int | None = None,
    ) -> Tensor:
        if denoise_mask is not None:
            kept = self.inner_model.inner_model.scale_latent_inpaint(
                x=x, sigma=sigma, noise=self.noise, latent_image=self.latent_image
            )
            x = x * denoise_mask + kept * (1 - denoise_mask)
        denoised = self.inner_model(x, sigma, model_options=model_options, seed=seed)
        if denoise_mask is not None:
            denoised = denoised * denoise_mask + self.latent_image * (1 - denoise_mask)
        return denoised


class Sampler:
    """The value of a SAMPLER socket."""

    def max_denoise(self, model_wrap: CFGGuider, sigmas: Tensor) -> bool:
        """Whether sampling starts from nothing but noise."""
        return float(sigmas[0]) >= float(model_wrap.inner_model.model_sampling.sigma_max) * (1 - 1e-5)


class KSAMPLER(Sampler):
    """A sampler of the form `f(model, x, sigmas, extra_args, callback, disable, **options)`."""

    def __init__(
        self,
        sampler_function: Callable,
        extra_options: dict | None = None,
        inpaint_options: dict | None = None,
    ) -> None:
        self.sampler_function = sampler_function
        self.extra_options, self.inpaint_options = extra_options or {}, inpaint_options or {}

    def sample(
        self,
        model_wrap: CFGGuider,
        sigmas: Tensor,
        extra_args: dict[str, Any],
        callback: Callable | None,
        noise: Tensor,
        latent_image: Tensor | None = None,
        denoise_mask: Tensor | None = None,
        disable_pbar: bool = False,
    ) -> Tensor:
        extra_args["denoise_mask"] = denoise_mask
        model = KSamplerX0Inpaint(model_wrap, sigmas, latent_image, noise)
        sampling = model_wrap.inner_model.model_sampling
        x = sampling.noise_scaling(sigmas[0], noise, latent_image, self.max_denoise(model_wrap, sigmas))
        steps = len(sigmas) - 1

        def after_step(state: dict[str, Any]) -> None:
            if callback is not None:
                callback(state["i"], state["denoised"], state["x"], steps)

        samples = self.sampler_function(
            model,
            x,
            sigmas,
            extra_args=extra_args,
            callback=after_step,
            disable=disable_pbar,
            **self.extra_options,
        )
        return sampling.inverse_noise_scaling(sigmas[-1], samples)


def ksampler(
    sampler_name: str, extra_options: dict | None = None, inpaint_options: dict | None = None
) -> KSAMPLER:
    """A sampler by its name."""
    return KSAMPLER(SAMPLERS[sampler_name], extra_options, inpaint_options)


sampler_object = ksampler


class KSampler:
    """A sampler and its noise levels, chosen by name."""

    SAMPLERS = SAMPLER_NAMES
    SCHEDULERS = SCHEDULER_NAMES

    def __init__(
        self,
        model: Any,
        steps: int,
        device: Any,
        sampler: str = "euler",
        scheduler: str = "simple",
        denoise: float | None = None,
        model_options: dict[str, Any] | None = None,
    ) -> None:
        self.model, self.device, self.sampler = model, device, sampler
        self.sigmas = partial_sigmas(model.get_model_object("model_sampling"), scheduler, steps, denoise)

    def sample(
        self,
        noise: Tensor,
        positive: list,
        negative: list,
        cfg: float,
        latent_image: Tensor,
        denoise_mask: Tensor | None = None,
        callback: Callable | None = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> Tensor:
        guider = CFGGuider(self.model)
        guider.set_conds(positive, negative)
        guider.set_cfg(cfg)
        sampler = ksampler(self.sampler)
        return guider.sample(
            noise, latent_image, sampler, self.sigmas, denoise_mask, callback, disable_pbar, seed
        )


def partial_sigmas(sampling: Any, scheduler: str, steps: int, denoise: float | None) -> Tensor:
    """The last `steps` of a schedule that is longer by 1 / denoise; none for a denoise of 0."""
    if denoise is None or denoise > 0.9999:
        return calculate_sigmas(sampling, scheduler, steps)
    if denoise <= 0:
        return torch.zeros(0)
    return calculate_sigmas(sampling, scheduler, int(steps / denoise))[-(steps + 1) :]
