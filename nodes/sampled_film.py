"""Sampling a film with everything that the sampler node offers, through the host's own guider."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, NamedTuple

import comfy.sample
from comfy.samplers import CFGGuider
from torch import Tensor

from .cached_steps import CachedSteps
from .generation.film_windows import FrameSchedule
from .generation.flow_sigmas import flow_sigmas
from .generation.step_cache import CachePlan
from .guiding import CFG, ModelGuidance
from .hooked_wan import HookedWan
from .model import shift_of, takes_shift, with_shift
from .runtime import result_device
from .sampling import cancellable, film_sampler, refuse_unless_flow, share_of_frames
from .sampling_progress import SamplingProgress, decoder_of, rough_decoder

SCALES = ("downscale_ratio_spacial", "downscale_ratio_temporal")
"""What newer versions of core tell in an empty LATENT of the size of its cells."""


@dataclass(frozen=True)
class Settings:
    """The sampler node's plain widgets."""

    seed: int
    steps: int
    cfg: float
    sampler: str
    scheduler: str
    shift: float
    denoise: float
    guidance: str
    cfg_end: float
    skip_threshold: float
    preview_every: int


class Prompts(NamedTuple):
    """Two CONDITIONING values."""

    positive: list
    negative: list


def sampled_film(
    model: Any,
    prompts: Prompts,
    latent: dict[str, Any],
    settings: Settings,
    schedule: FrameSchedule | None,
    preview_vae: Any | None = None,
    node_id: str | None = None,
) -> tuple[dict[str, Any], str]:
    """Sample; returns a LATENT and a report.

    Args:
        schedule: each frame's noise levels; None is one level for all, and a noise mask is inpainting.
        preview_vae: decodes the previews; rough colours without one.

    Raises:
        ValueError: the latent, the prompts or the schedule do not suit the model.
    """
    samples = fitting_latent(model, latent)
    for name, conditioning in zip(Prompts._fields, prompts, strict=True):
        refuse_other_text(model, name, conditioning)
    notes: list[str] = []
    if schedule is not None:
        schedule, notes = schedule_for(schedule, {**latent, "samples": samples})
    sigmas, model = _sigmas(model, settings)
    cache = CachedSteps(CachePlan(settings.skip_threshold)) if settings.skip_threshold else None
    progress = _progress(model, settings, preview_vae, node_id)
    guider = CFGGuider(_patched(model, settings, cache))
    guider.set_conds(prompts.positive, prompts.negative)
    guider.set_cfg(settings.cfg)
    made = guider.sample(
        comfy.sample.prepare_noise(samples, settings.seed, latent.get("batch_index")),
        samples,
        film_sampler(settings.sampler, schedule, progress.step_done),
        sigmas,
        denoise_mask=latent.get("noise_mask") if schedule is None else None,
        disable_pbar=True,
        seed=settings.seed,
    )
    report = [progress.sentence(), *(cache.sentences() if cache else []), *notes]
    kept = {name: value for name, value in latent.items() if name not in SCALES}
    return {**kept, "samples": made.to(result_device())}, "\n".join(report)


def _sigmas(model: Any, settings: Settings) -> tuple[Tensor, Any]:
    """The noise levels, and the MODEL that knows of their shift."""
    if settings.shift and takes_shift(model):
        model = with_shift(model, settings.shift)
    shift = settings.shift or shift_of(model)
    return flow_sigmas(settings.scheduler, settings.steps, shift=shift, denoise=settings.denoise), model


def _patched(model: Any, settings: Settings, cache: CachedSteps | None) -> Any:
    if settings.guidance != CFG:
        model = ModelGuidance(settings.guidance, settings.cfg_end).on(model)
    if cache is not None:
        model = cache.on(model)
    notices = isinstance(model.model.diffusion_model, HookedWan)  # between its blocks
    return model if notices else cancellable(model)


def _progress(
    model: Any, settings: Settings, preview_vae: Any | None, node_id: str | None
) -> SamplingProgress:
    decode = None
    if settings.preview_every:
        latent_format = model.get_model_object("latent_format")
        decode = rough_decoder(latent_format) if preview_vae is None else decoder_of(preview_vae)
    return SamplingProgress(model.model, decode, settings.preview_every, node_id)


def fitting_latent(model: Any, latent: dict[str, Any]) -> Tensor:
    """A LATENT's samples for a model; an empty one gets the model's channels.

    Raises:
        ValueError: it is nested, or of another model.
    """
    samples = latent["samples"]
    if getattr(samples, "is_nested", False):
        raise ValueError(
            "this latent holds a video and something else (sound, say) in one; sample it with core's nodes"
        )
    scales = {name: latent[name] for name in SCALES if name in latent}
    samples = comfy.sample.fix_empty_latent_channels(model, samples, **scales)
    wanted = model.get_model_object("latent_format").latent_channels
    if samples.shape[1] != wanted:
        raise ValueError(
            f"the latent has {samples.shape[1]} channels, the model takes {wanted}; encode it with the VAE "
            "that belongs to the model"
        )
    refuse_unless_flow(model.get_model_object("model_sampling"), type(model.model).__name__, samples)
    return samples


def refuse_other_text(model: Any, name: str, conditioning: list) -> None:
    """Raise where a prompt is empty, or was encoded for another model.

    Args:
        name: of the input, for the message.

    Raises:
        ValueError: naming both widths.
    """
    if not conditioning:
        raise ValueError(f"the {name} conditioning holds no prompt; wire a CLIP Text Encode")
    layers = getattr(model.model.diffusion_model, "text_embedding", None)
    wanted = getattr(layers[0], "in_features", None) if layers is not None else None
    found = conditioning[0][0].shape[-1]
    if wanted is not None and found != wanted:
        raise ValueError(
            f"the {name} prompt's tokens have {found} channels, the model takes {wanted}; encode it with the "
            "text encoder that belongs to the model"
        )


def schedule_for(schedule: FrameSchedule, latent: dict[str, Any]) -> tuple[FrameSchedule, list[str]]:
    """A schedule whose given frames are those of the LATENT's noise mask, where it has one; and notes.

    Raises:
        ValueError: frames are to be given that the latent does not hold.
    """
    notes = []
    shares = share_of_frames(latent)
    if shares is not None:
        given = {"first": _leading_zeros(shares), "last": _leading_zeros(shares.flip(0))}
        for name, count in given.items():
            said = getattr(schedule, name, None)
            if count and said is None:
                notes.append(f"the mask's {name} {count} latent frames are made anew: the method gives none")
            elif count and said != count:
                schedule = dataclasses.replace(schedule, **{name: count})
                notes.append(f"{name} {count} latent frames are given, as the latent's mask says, not {said}")
    samples = latent["samples"]
    windows = schedule.windows(samples.shape[2])
    start, end = windows[0].start + windows[0].first, samples.shape[2] - windows[-1].last
    for given in (samples[:, :, :start], samples[:, :, end:]):
        if given.numel() and not given.count_nonzero():
            raise ValueError(
                f"the schedule takes {given.shape[2]} latent frames as given, and they are empty; make the "
                "latent with Video Latent, from pictures"
            )
    return schedule, notes


def _leading_zeros(shares: Tensor) -> int:
    return int(shares.eq(0).long().cumprod(0).sum())
