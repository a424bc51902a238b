"""A film denoised from both ends: the model's prediction, and that for the film backwards, mixed per frame.

x̂ = w·f(x, start) + (1 − w)·flip(f(flip(x), end)), with w falling from the first frame to the last. What mixes
is the guided estimate of the clean film; noise and velocity mix alike, since the weights add up to 1. Source:
Zhu et al. 2024, "Generative Inbetweening through Frame-wise Conditions-Driven Video Generation".
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import torch
from comfy.patcher_extension import WrappersMP
from comfy.samplers import CFGGuider
from torch import Tensor

from .generation.given_frames import LEVELS

KEY = "kinograph_bidirectional_fuse"
END = "kinograph_end_"
"""Before the name of each conditioning of a guider, its name for the backward film."""
TIME_AXIS = {5: 2, 4: 0}
"""Of latents by their number of axes: films, and those (Stable Video Diffusion) whose batch is the film."""


class BidirectionalFuse:
    """Denoising from both ends, for any sampler node.

    The sampler's own conditioning is the start's.

    Args:
        positive: CONDITIONING of the backward film, which begins with the end picture.
        negative: the same, or None for the sampler's own.
        first, last: how much the forward prediction counts in the first and in the last frame, 0 to 1.
        start_percent, end_percent: the part of sampling in which both count; else only the forward one does.
    """

    def __init__(
        self,
        positive: list,
        negative: list | None,
        first: float = 1.0,
        last: float = 0.0,
        start_percent: float = 0.0,
        end_percent: float = 1.0,
    ) -> None:
        self.positive, self.negative = positive, negative
        self.first, self.last = first, last
        self.start_percent, self.end_percent = start_percent, end_percent

    def on(self, model: Any) -> Any:
        """The MODEL with it.

        Raises:
            ValueError: it has one already, whose ends would be taken for this one's.
        """
        if model.wrappers.get(WrappersMP.OUTER_SAMPLE, {}).get(KEY):
            raise ValueError("this model denoises from both ends already; wire the one before that node")
        patched = model.clone()
        patched.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, KEY, self.with_ends)
        patched.add_wrapper_with_key(WrappersMP.PREDICT_NOISE, KEY, self.both_ways)
        return patched

    def with_ends(
        self,
        executor: Any,
        noise: Tensor,
        latent: Tensor,
        sampler: Any,
        sigmas: Tensor,
        mask: Tensor | None = None,
        *given: Any,
        **named: Any,
    ) -> Tensor:
        """Wrapper around a run: the guider encodes the end's conditioning beside the start's.

        The sampler's own negative is encoded again for the backward film: its mask is another, and caches
        tell films apart by their conditioning's id.
        """
        axis = time_axis(noise)
        guider, spare = executor.class_obj, CFGGuider(executor.class_obj.model_patcher)
        given_ends = {"positive": self.positive, "negative": self.negative}
        spare.inner_set_conds({name: one for name, one in given_ends.items() if one is not None})
        backward = {} if mask is None else {"denoise_mask": mask.flip(axis)}
        ends = {
            END + name: [{**backward, **cond, "uuid": uuid4()} for cond in group]
            for name, group in {**guider.conds, **spare.original_conds}.items()
        }
        guider.conds = {**guider.conds, **ends}
        return executor(noise, latent, sampler, sigmas, mask, *given, **named)

    def both_ways(
        self, executor: Any, x: Tensor, timestep: Tensor, model_options: dict[str, Any], seed: Any = None
    ) -> Tensor:
        """Wrapper around the guided prediction."""
        forward = executor(x, timestep, model_options, seed)
        guider, axis = executor.class_obj, time_axis(x)
        if (self.first, self.last) == (1.0, 1.0) or not self._in_time(guider, float(timestep[0])):
            return forward
        conds = guider.conds
        guider.conds = ends_for_start(conds)
        try:
            backward = executor(x.flip(axis), timestep, options_backward(model_options), seed)
        finally:
            guider.conds = conds
        return fused(forward, backward.flip(axis), self.first, self.last)

    def _in_time(self, guider: Any, level: float) -> bool:
        sampling = guider.inner_model.model_sampling
        levels = (float(sampling.percent_to_sigma(at)) for at in (self.start_percent, self.end_percent))
        begin, end = levels
        return end < level <= begin


def time_axis(x: Tensor) -> int:
    """Along which axis of a latent its frames lie.

    Raises:
        ValueError: it is no film.
    """
    if x.ndim not in TIME_AXIS or x.shape[TIME_AXIS[x.ndim]] < 2:
        raise ValueError(
            "denoising from both ends needs a film of two latent frames at least, [batch, channels, frames, "
            f"height, width], or frames as a batch; the latent is of shape {list(x.shape)}"
        )
    return TIME_AXIS[x.ndim]


def fused(forward: Tensor, backward: Tensor, first: float = 1.0, last: float = 0.0) -> Tensor:
    """Both predictions of one film, the frames in one order, mixed linearly from frame to frame.

    Args:
        forward, backward: films [B,C,T,h,w] or frames [T,C,h,w].
        first, last: the share of the forward one in the first frame and in the last.
    """
    axis = time_axis(forward)
    share = torch.linspace(first, last, forward.shape[axis], dtype=forward.dtype, device=forward.device)
    share = share.view(-1, *[1] * (forward.ndim - 1 - axis))
    return share * forward + (1 - share) * backward


def ends_for_start(conds: dict[str, Any]) -> dict[str, Any]:
    """A guider's conditioning with the end's in place of the start's."""
    ends = {name.removeprefix(END): group for name, group in conds.items() if name.startswith(END)}
    return {**conds, **ends}


def options_backward(model_options: dict[str, Any]) -> dict[str, Any]:
    """Model options in which noise levels that belong to frames follow the backward film."""
    options = model_options.get("transformer_options", {})
    if LEVELS not in options:
        return model_options
    return {**model_options, "transformer_options": {**options, LEVELS: options[LEVELS].flip(0)}}
