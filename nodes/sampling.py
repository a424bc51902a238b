"""The pack's samplers as values of a SAMPLER socket, and noise levels per frame on any Wan MODEL.

They run inside the host's own guiders: guidance, wrappers, hooks, context windows and ControlNets of other
packs see every call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from comfy.model_sampling import CONST
from comfy.patcher_extension import WrappersMP, add_wrapper_with_key
from comfy.samplers import KSAMPLER
from torch import Tensor

from .generation.film_windows import FrameSchedule
from .generation.frame_schedules import sample_film
from .generation.given_frames import LEVELS, with_frame_levels
from .generation.k_sampler import as_k_sampler, velocity_of
from .generation.samplers import SAMPLERS, Sampler
from .runtime import throw_if_cancelled

PER_FRAME = ("HookedWan", "WanModel", "VaceWanModel")
"""Networks that take a timestep for each frame."""

StepDone = Callable[[int, int, Tensor], None]
"""After each step: its number from 0, how many there are, and the clean film so far [B,C,T,h,w]."""


def film_sampler(
    name: str, schedule: FrameSchedule | None = None, step_done: StepDone | None = None
) -> KSAMPLER:
    """A SAMPLER.

    Args:
        name: one of `SAMPLERS`.
        schedule: noise levels per frame; None is one level for all, for any flow model.
        step_done: called after every step.
    """
    return KSAMPLER(FilmSampling(SAMPLERS[name], schedule, step_done))


class FilmSampling:
    """A sampler function as the host calls it, for films with one noise level or one per frame."""

    def __init__(self, sampler: Sampler, schedule: FrameSchedule | None, step_done: StepDone | None) -> None:
        self.sampler, self.schedule, self.step_done = sampler, schedule, step_done
        self.__name__ = sampler.__name__

    def __call__(
        self,
        model: Any,
        x: Tensor,
        sigmas: Tensor,
        extra_args: dict[str, Any] | None = None,
        callback: Callable | None = None,
        disable: bool | None = None,
    ) -> Tensor:
        """x at sigmas[0] → x at sigmas[-1].

        Args:
            model: x, sigma [B] → denoised x; with `latent_image` and `noise`, as the host's samplers get it.

        Raises:
            ValueError: the model takes no flow, no film, or no noise level per frame.
        """
        base = model.inner_model.inner_model
        refuse_unless_flow(base.model_sampling, type(base).__name__, x)
        arguments = dict(extra_args or {})
        if self.schedule is None:
            return self._flat(model, x, sigmas, arguments, callback)
        refuse_unless_per_frame(base)
        refuse_windows_with_picture(base, self.schedule, x)
        return self._per_frame(model, sigmas, arguments, callback)

    def _flat(
        self, model: Any, x: Tensor, sigmas: Tensor, arguments: dict[str, Any], callback: Callable | None
    ) -> Tensor:
        def done(state: dict[str, Any]) -> None:
            if self.step_done:
                self.step_done(state["i"], len(sigmas) - 1, state["denoised"])
            if callback:
                callback(state)

        return as_k_sampler(self.sampler)(model, x, sigmas, arguments, done)

    def _per_frame(
        self, model: Any, sigmas: Tensor, arguments: dict[str, Any], callback: Callable | None
    ) -> Tensor:
        steps = len(sigmas) - 1

        def done(step: int, total: int, made: Tensor, clean: Tensor) -> None:
            if self.step_done:
                self.step_done(step, total, clean)
            if callback:
                counted = max((step + 1) * steps // total - 1, 0)  # a schedule may take more steps than asked
                level = sigmas[counted]
                callback({"i": counted, "x": made, "sigma": level, "sigma_hat": level, "denoised": clean})

        # the schedule says which frames are given
        velocity = FrameVelocity(model, {**arguments, "denoise_mask": None})
        film, noise = model.latent_image, model.noise
        return sample_film(lambda window: velocity, self.sampler, self.schedule, sigmas, film, noise, done)


class FrameVelocity:
    """The guided velocity of a MODEL, noise minus clean, at a noise level for each frame.

    The host knows one noise level per call. It gets the highest of the frames', x − σ·v comes back for that
    one, and the network is told each frame's own through a wrapper around its forward.
    """

    def __init__(self, model: Any, arguments: dict[str, Any]) -> None:
        self.model, self.arguments = model, arguments

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        """x [B,C,T,h,w] at sigma [B,T] → [B,C,T,h,w]."""
        level, arguments = sigma.amax(dim=1, keepdim=True), self.arguments
        if not sigma.eq(level).all():
            arguments = {**arguments, "model_options": with_levels(arguments, sigma[0] / level[0])}
        return velocity_of(self.model, arguments)(x, level)


def with_levels(arguments: dict[str, Any], shares: Tensor) -> dict[str, Any]:
    """A run's model options, with the frames' noise levels for one call."""
    given = arguments["model_options"]
    options = dict(given.get("transformer_options", {}))
    wrappers = options.get("wrappers", {})
    inner = dict(wrappers.get(WrappersMP.DIFFUSION_MODEL, {}))
    options |= {LEVELS: shares, "wrappers": {**wrappers, WrappersMP.DIFFUSION_MODEL: inner}}
    add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, LEVELS, frame_timesteps, options)
    return {**given, "transformer_options": options}


def frame_timesteps(executor: Any, x: Tensor, timestep: Tensor, *given: Any, **named: Any) -> Tensor:
    """Wrapper around a network's forward: timesteps [B] become [B,T].

    Raises:
        ValueError: the network is given more frames than the film has.
    """
    options = next(each for each in (*given, *named.values()) if isinstance(each, dict) and LEVELS in each)
    levels = options[LEVELS]
    if (window := options.get("context_window")) is not None:
        levels = levels[_frames_of(window)]
    if len(levels) != x.shape[2]:
        raise ValueError(
            f"noise levels for {len(levels)} latent frames, and the model is given {x.shape[2]}; reference "
            "frames and noise levels per frame do not go together"
        )
    if timestep.ndim > 1:  # a noise mask has made them per frame already
        timestep = timestep.flatten(1).amax(dim=1)
    return executor(x, with_frame_levels(timestep, levels[None]), *given, **named)


def _frames_of(window: Any) -> list[int]:
    """The film's frames that a context window of core's holds, the one it may put before the others first."""
    anchor = getattr(window, "causal_anchor_index", None)
    before = [] if anchor is None or anchor < 0 else [anchor]
    return before + list(window.index_list)


def cancellable(model: Any) -> Any:
    """A MODEL that notices a cancel at every attention of its network, whatever network that is."""
    patched = model.clone()
    options = patched.model_options["transformer_options"]
    before = options.get("optimized_attention_override")

    def attend(function: Callable, *given: Any, **named: Any) -> Tensor:
        throw_if_cancelled()
        return before(function, *given, **named) if before else function(*given, **named)

    options["optimized_attention_override"] = attend
    return patched


def refuse_unless_flow(model_sampling: Any, name: str, x: Tensor) -> None:
    """Raise where a model is no flow model, or a latent no film.

    Args:
        name: of the model, for the message.

    Raises:
        ValueError: naming it.
    """
    if not isinstance(model_sampling, CONST):
        raise ValueError(
            f"{name} is no flow-matching model, and Kinograph's samplers are for those (Wan, LTX-Video, "
            "Hunyuan Video …); sample it with KSampler"
        )
    if x.ndim != 5:
        raise ValueError(
            f"the latent is no film [batch, channels, frames, height, width] but of shape {list(x.shape)}; "
            "sample it with KSampler"
        )


def refuse_unless_per_frame(base: Any) -> None:
    """Raise where a network takes no noise level per frame.

    Raises:
        ValueError: naming it.
    """
    found = type(base.diffusion_model).__name__
    if found not in PER_FRAME:
        raise ValueError(
            f"{found} takes one noise level for the whole film; schedules per frame need a Wan model. "
            'Choose the method "flat"'
        )


def refuse_windows_with_picture(base: Any, schedule: FrameSchedule, x: Tensor) -> None:
    """Raise where a film is made in windows by a network that is given a picture of the whole film.

    Raises:
        ValueError: naming the channels.
    """
    windows = schedule.windows(x.shape[2])
    taken = base.diffusion_model.patch_embedding.weight.shape[1]
    if len(windows) > 1 and taken > x.shape[1]:
        raise ValueError(
            f"this model takes {taken - x.shape[1]} channels besides the film's {x.shape[1]}: a mask and a "
            f"picture of the whole film, which cannot follow {len(windows)} windows. Use a text-to-video "
            "model to extend films"
        )


def share_of_frames(latent: dict[str, Any]) -> Tensor | None:
    """The noise mask of a LATENT as one number per frame [T], 0 where it is given; None without one.

    Raises:
        ValueError: the films of the batch differ in it.
    """
    from comfy.utils import reshape_mask

    mask = latent.get("noise_mask")
    if mask is None:
        return None
    samples = latent["samples"]
    shares = reshape_mask(mask.float(), samples.shape).mean(dim=(1, 3, 4))  # [B,T]
    if not shares.eq(shares[:1]).all():
        raise ValueError(
            "the films of this batch have different frames given, and a schedule is for all of them; sample "
            "them one by one"
        )
    return shares[0]
