"""A film at a higher frame rate than a MODEL was trained for: two branches of one network in each step."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from .attention.schedule import Schedule, progress
from .block_outputs import refuse_beside, refuse_unless_wan, with_block_outputs, wrap_outermost
from .film_attention import OVERRIDE, forward_options, with_options
from .generation.given_frames import LEVELS
from .generation.wan_positions import turned_in_time
from .interpolation.inside import RateMethod
from .interpolation.key_frames import corrected, key_count, lenders
from .vae.wan21 import LATENTS as WAN21

KEY = "kinograph_high_frame_rate"
NAME = "High Frame Rate"


class HighFrameRate:
    """Runs the key frames of a film first, then the whole film with its key frames held to them.

    The key frames are seen just as the network alone would see a film of them. In the whole film they keep
    their places in time, and the frames between stand between these. What other packs put around the forward
    or into the attention sees both.
    """

    def __init__(self, method: RateMethod) -> None:
        self.method = method
        self.schedule: Schedule = method.schedule()

    def on(self, model: Any) -> Any:
        """The MODEL with it; unchanged where the method asks for nothing.

        Raises:
            ValueError: it is no Wan model, or has not the blocks that are to be corrected.
        """
        network = model.model.diffusion_model
        refuse_unless_wan(network, NAME)
        if max(self.schedule.layers or (0,)) >= len(network.blocks):
            raise ValueError(
                f"{NAME} is to correct block {max(self.schedule.layers)}, and this model has "
                f"{len(network.blocks)}, from 0; name fewer layers, or none for all"
            )
        patched = model.clone()
        if self.method.factor > 1 and self.method.strength:
            wrap_outermost(patched, WrappersMP.DIFFUSION_MODEL, KEY, self.forward)
        return patched

    def forward(self, executor: Any, x: Tensor, timestep: Tensor, *given: Any, **named: Any) -> Tensor:
        """Wrapper around the network's forward: x [B,C,T,h,w], timestep [B] or [B,T].

        Raises:
            ValueError: T does not fit the factor, or frames are brought in that are not the film's.
        """
        options = forward_options(given, named)
        if options.get("context_window") is not None:
            raise ValueError(f"{NAME} and context windows do not go together; sample the film as one")
        refuse_beside(given, named, NAME)
        key_count(x.shape[2], self.method.factor)

        def run(film: Tensor, levels: Tensor, ours: dict[str, Any]) -> Tensor:
            return with_options(executor, film, (levels, *given), named, options, ours)

        done = progress(float(options["sigmas"][0]), options["sample_sigmas"].float().cpu())
        if not self.schedule.holds_at(done):
            return run(x, timestep, _placed_between(options, self.method.factor))
        return self._both(run, x, timestep, options, done, len(executor.class_obj.blocks))

    def _both(
        self,
        run: Callable[[Tensor, Tensor, dict[str, Any]], Tensor],
        x: Tensor,
        timestep: Tensor,
        options: dict[str, Any],
        done: float,
        blocks: int,
    ) -> Tensor:
        """The velocity of the film, given that of its key frames."""
        factor, strength = self.method.factor, self.method.strength
        layers = [index for index in range(blocks) if self.schedule.holds_in(index)]
        kept: dict[int, Tensor] = {}  # on the CPU: all blocks' together may be larger than the network

        def keep(layer: int, tokens: Tensor) -> Tensor:
            _refuse_other_tokens(tokens, x[:, :, ::factor])
            kept[layer] = tokens.cpu()
            return tokens

        def correct(layer: int, tokens: Tensor) -> Tensor:
            _refuse_other_tokens(tokens, x)
            film = tokens.unflatten(1, (x.shape[2], -1))  # [B,T,P,D]
            keys = kept.pop(layer).to(tokens).view(len(film), -1, *film.shape[2:])
            return corrected(film, keys, factor, strength).flatten(1, 2)

        of_keys = with_block_outputs(_of_key_frames(options, factor), layers, keep)
        levels = timestep[:, ::factor] if timestep.ndim > 1 else timestep
        keys = run(x[:, :, ::factor], levels, of_keys)
        between = _placed_between(options, factor)
        of_film = with_block_outputs(between, list(kept), correct)  # none, if a cache gave the keys
        if self.method.borrow:
            spacing = between["rope_options"]["scale_t"]
            of_film[OVERRIDE] = BorrowedKeys(self.method, x.shape[2], spacing, done, options.get(OVERRIDE))
        return corrected(run(x, timestep, of_film), keys, factor, strength, dim=2)


def _refuse_other_tokens(tokens: Tensor, film: Tensor) -> None:
    """Raise where a block's tokens [B,S,D] are not the patches of a film [B,C,T,h,w], frame after frame."""
    rows, columns = (-(-side // 2) for side in film.shape[3:])
    wanted = film.shape[2] * rows * columns
    if tokens.shape[1] != wanted:
        raise ValueError(
            f"{NAME} finds {tokens.shape[1]} tokens where the film has {wanted}: another node on this model "
            f"adds some, as sketches do, or leaves frames out, as a second {NAME} does; use one of them"
        )


def _placed_between(options: dict[str, Any], factor: int) -> dict[str, Any]:
    """Options of a forward in which frames stand `factor` times as close in time."""
    rope = options.get("rope_options") or {}
    return {**options, "rope_options": {**rope, "scale_t": rope.get("scale_t", 1.0) / factor}}


def _of_key_frames(options: dict[str, Any], factor: int) -> dict[str, Any]:
    """Options of a forward of the key frames: their own noise levels, where frames have such."""
    levels = options.get(LEVELS)
    return {**options} if levels is None else {**options, LEVELS: levels[::factor]}


class BorrowedKeys:
    """The attention override of a film's forward in which frames show a key frame's keys and values.

    Args:
        spacing: from one frame's place in time to the next one's.
        done: share of the steps that are done; with the layer it decides which frames borrow from where.
        previous: the override that was there before, or None.
    """

    def __init__(
        self, method: RateMethod, frames: int, spacing: float, done: float, previous: Callable | None
    ) -> None:
        self.method, self.schedule, self.previous = method, method.schedule(), previous
        self.frames, self.spacing, self.done = frames, spacing, done

    def __call__(
        self, func: Callable, q: Tensor, k: Tensor, v: Tensor, heads: int, *rest: Any, **named: Any
    ) -> Tensor:
        layer = named["transformer_options"]["block_index"]
        if q.shape == k.shape and self.schedule.holds_in(layer):
            k, v = self._lent(k, v, heads, bool(named.get("skip_reshape")), layer)
        attend = partial(self.previous, func) if self.previous else func
        return attend(q, k, v, heads, *rest, **named)

    def _lent(self, k: Tensor, v: Tensor, heads: int, split: bool, layer: int) -> tuple[Tensor, ...]:
        """Keys and values [B,S,H·D], or [B,H,S,D] where they are split."""
        if split:
            flat = (x.transpose(1, 2).flatten(2) for x in (k, v))
            return tuple(
                x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in self._lent(*flat, heads, False, layer)
            )
        generator = torch.Generator().manual_seed(1000 * layer + round(1000 * self.done))
        lender = lenders(self.frames, self.method.factor, self.method.borrow, generator)
        apart = (torch.arange(self.frames) - lender) * self.spacing
        keys, values = (x.unflatten(1, (self.frames, -1))[:, lender.to(x.device)] for x in (k, v))
        keys = turned_in_time(keys.unflatten(-1, (heads, -1)), apart).flatten(3)
        return keys.flatten(1, 2), values.flatten(1, 2)


def lengths_told(factor: int) -> str:
    """Which latents fit, and how many frames of film they hold."""
    return (
        f"Latents of {factor}·n + 1 frames fit, films of {factor * WAN21.time}·n + 1 frames (n from 1); "
        "n + 1 of a latent's frames are key frames."
    )
