"""Guidance on any MODEL: what replaces plain classifier-free guidance in the host's guiders."""

from __future__ import annotations

from typing import Any

import torch
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from .generation import guidance
from .generation.given_frames import LEVELS

KEY = "kinograph_guidance"
CFG, ZERO_STAR, OVER_STEPS, OVER_FRAMES = "cfg", "cfg_zero_star", "over_steps", "over_frames"
KINDS = (CFG, ZERO_STAR, OVER_STEPS, OVER_FRAMES)


class ModelGuidance:
    """One way to guide, as functions that the host's guiders call.

    Args:
        kind: one of `KINDS`.
        end: the scale at the last step or frame, where it varies; it begins with the guider's own.
        zero_steps: steps at the start that do not move, for CFG-Zero*.
        start_percent, end_percent: the part of sampling in which anything is guided at all.
    """

    def __init__(
        self,
        kind: str,
        end: float = 1.0,
        zero_steps: int = 0,
        start_percent: float = 0.0,
        end_percent: float = 1.0,
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"no guidance {kind!r}; choose one of {', '.join(KINDS)}")
        self.kind, self.end, self.zero_steps = kind, end, zero_steps
        self.start_percent, self.end_percent = start_percent, end_percent

    def on(self, model: Any) -> Any:
        """The MODEL with this guidance."""
        patched = model.clone()
        patched.set_model_sampler_post_cfg_function(self.after_guidance)
        if (self.start_percent, self.end_percent) != (0.0, 1.0):
            patched.add_wrapper_with_key(WrappersMP.CALC_COND_BATCH, KEY, self.within_interval)
        return patched

    def after_guidance(self, seen: dict[str, Any]) -> Tensor:
        """The host's function after guidance: what other packs' functions have changed stays changed."""
        x, scale, uncond = seen["input"], seen["cond_scale"], seen["uncond_denoised"]
        if seen["uncond"] is None or self.kind == CFG:
            return seen["denoised"]
        if x.ndim != 5:
            raise ValueError(
                "this guidance is for films [batch, channels, frames, height, width]; the latent is of "
                f"shape {list(x.shape)}"
            )
        cond, level, options = seen["cond_denoised"], seen["sigma"], seen["model_options"]
        sigma = level[:, None].expand(-1, x.shape[2])
        shares = options["transformer_options"].get(LEVELS)
        if shares is not None:
            sigma = sigma * shares
        plain = uncond + (cond - uncond) * scale
        ours = guidance.in_denoised(self._guide(scale, options))(cond, uncond, x, level, sigma)
        return seen["denoised"] + (ours - plain)

    def _guide(self, scale: float, model_options: dict[str, Any]) -> guidance.Guide:
        if self.kind == ZERO_STAR:
            sigmas = model_options["transformer_options"]["sample_sigmas"]
            still = guidance.zero_init(sigmas, self.zero_steps)
            return guidance.Guidance(guidance.constant(scale), zero_star=True, zero_from=still)
        varying = guidance.ramp if self.kind == OVER_STEPS else guidance.over_frames
        return guidance.Guidance(varying(scale, self.end))

    def within_interval(
        self,
        executor: Any,
        model: Any,
        conds: list[Any],
        x_in: Tensor,
        timestep: Tensor,
        model_options: dict[str, Any],
    ) -> list[Tensor]:
        """Wrapper around both predictions: outside the interval the prompt's stands for the negative's."""
        sampling, level = model.model_sampling, float(timestep[0])
        first, last = (float(sampling.percent_to_sigma(p)) for p in (self.start_percent, self.end_percent))
        if len(conds) != 2 or last <= level <= first or conds[1] is None:
            return executor(model, conds, x_in, timestep, model_options)
        made, _ = executor(model, [conds[0], None], x_in, timestep, model_options)
        return [made, torch.clone(made)]
