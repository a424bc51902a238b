"""How a film attends to itself, changed on any MODEL by ComfyUI's attention override: a state per forward."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ..kernels.attention import naive
from .attention.report import AttentionRun
from .attention.schedule import Schedule, progress
from .attention.token_grid import TokenGrid

KEY = "kinograph_film_attention"
OVERRIDE = "optimized_attention_override"
PROBED = 64
"""Queries of a layer whose exact attention is computed too, once a run, to tell the error."""


class FilmAttention:
    """Another way to attend, where a film looks at itself and the schedule holds.

    What was on the model before is called for everything else.

    Args:
        kind: what it makes attention, in a word.

    Attributes:
        report: of the run at hand or the last one.
    """

    def __init__(self, kind: str, schedule: Schedule) -> None:
        self.kind, self.schedule = kind, schedule
        self.report = AttentionRun(kind)
        self._probed: set[int] = set()

    def attend(self, query: Tensor, key: Tensor, value: Tensor, grid: TokenGrid, layer: int) -> Tensor:
        """query, key, value [B,H,S,D] of a layer, from 0 → [B,H,S,D]."""
        raise NotImplementedError

    def forget(self) -> None:
        """Free what was kept for a run."""

    def on(self, model: Any) -> Any:
        """The MODEL with it."""
        patched = model.clone()
        patched.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, KEY, self._one_run)
        patched.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, KEY, self.forward)
        patched.set_attachments(KEY, (*attentions_of(model), self))
        return patched

    def forward(self, executor: Any, x: Tensor, *given: Any, **named: Any) -> Any:
        """Wrapper around the network's forward."""
        options = forward_options(given, named)
        if options is None or not torch.is_tensor(x) or x.ndim != 5:
            self.report.dense["the model's latent is no film, or it tells no noise level"] += 1
            return executor(x, *given, **named)
        done = progress(float(options["sigmas"][0]), options["sample_sigmas"].float().cpu())
        stream = (*options["uuids"], *getattr(options.get("context_window"), "index_list", ()), x.shape)
        override = Forward(self, options.get(OVERRIDE), video_grid(executor.class_obj, x), done, stream)
        return self.run(partial(with_override, executor, x, given, named, options), override)

    def run(self, run: Callable[[Any], Any], forward: Forward) -> Any:
        """One forward, or more where a method needs them: `run(override)` is one."""
        return run(forward)

    def tell_error(self, layer: int, made: Tensor, query: Tensor, key: Tensor, value: Tensor) -> None:
        """Once a run, how far a layer's result [B,H,S,D] is from exact attention."""
        if layer not in self._probed:
            self._probed.add(layer)
            self.report.errors[layer] = relative_error(made, query, key, value)

    def _one_run(self, executor: Any, *given: Any, **named: Any) -> Any:
        self.report = AttentionRun(self.kind)
        try:
            return executor(*given, **named)
        finally:
            self._probed.clear()
            self.forget()


def attentions_of(model: Any) -> tuple[FilmAttention, ...]:
    """What has been put on a MODEL, in order."""
    return model.get_attachment(KEY) or ()


def forward_options(given: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any] | None:
    """A forward's transformer_options among its arguments, which stand elsewhere in each model."""
    dicts = (each for each in (*given, *named.values()) if isinstance(each, dict))
    return next((each for each in dicts if "sigmas" in each and "sample_sigmas" in each), None)


def with_override(
    executor: Any,
    x: Tensor,
    given: tuple[Any, ...],
    named: dict[str, Any],
    options: dict[str, Any],
    override: Callable[..., Tensor],
) -> Any:
    """A forward under another attention override, in options of its own."""
    return with_options(executor, x, given, named, options, {**options, OVERRIDE: override})


def with_options(
    executor: Any,
    x: Tensor,
    given: tuple[Any, ...],
    named: dict[str, Any],
    options: dict[str, Any],
    ours: dict[str, Any],
) -> Any:
    """A forward with `ours` in the place of its transformer_options."""
    return executor(
        x,
        *(ours if each is options else each for each in given),
        **{name: ours if each is options else each for name, each in named.items()},
    )


@dataclass(frozen=True)
class VideoGrid:
    """The film's patches in a forward, and on which side of them its further tokens stand."""

    frames: int
    rows: int
    columns: int
    beside_after: bool

    def of(self, tokens: int) -> TokenGrid | None:
        """The grid of so many tokens; None where they are too few to hold the film."""
        beside = tokens - self.frames * self.rows * self.columns
        if beside < 0:
            return None
        before, after = (0, beside) if self.beside_after else (beside, 0)
        return TokenGrid(self.frames, self.rows, self.columns, before, after)


def video_grid(network: Any, x: Tensor) -> VideoGrid:
    """Of latents [B,C,T,h,w]. Wan puts reference tokens before the film's, Hunyuan the text's after them."""
    patch = getattr(network, "patch_size", None) or getattr(network.patchifier, "patch_size", (1, 1, 1))
    patch = (1, patch, patch) if isinstance(patch, int) else tuple(patch)
    sizes = (-(-size // one) for size, one in zip(x.shape[2:], patch, strict=True))
    return VideoGrid(*sizes, beside_after="hunyuan" in type(network).__module__.lower())


class Forward:
    """The attention override of one forward: `override(func, q, k, v, heads, mask=None, …)`.

    Args:
        previous: the override that was there before, or None.
        done: share of the steps that are done.
        stream: tells the prompt's forwards from the negative's, and each context window's from others.

    Attributes:
        in_time: does the schedule hold? layer: the last that attended, from 0.
        crossing: gives what stands for the next attention to the text, or None.
    """

    def __init__(
        self, owner: FilmAttention, previous: Any, video: VideoGrid, done: float, stream: Hashable
    ) -> None:
        self.owner, self.previous, self.video, self.stream = owner, previous, video, stream
        self.in_time = owner.schedule.holds_at(done)
        self.layer = -1
        self.crossing: Callable[[], Tensor | None] | None = None

    def __call__(
        self, func: Any, q: Tensor, k: Tensor, v: Tensor, heads: int, mask: Any = None, **named: Any
    ) -> Tensor:
        split = bool(named.get("skip_reshape"))
        grid = self.video.of(q.shape[2 if split else 1])
        if q.shape != k.shape:  # it looks at the text, or at a picture
            known = self.crossing() if self.crossing else None
            return self._dense(func, q, k, v, heads, mask, named) if known is None else known
        if grid is None:  # the text looks at itself
            return self._dense(func, q, k, v, heads, mask, named)
        self.layer += 1
        if reason := self._reason_for_dense(mask, named):
            self.owner.report.dense[reason] += 1
            return self._dense(func, q, k, v, heads, mask, named)
        query, key, value = (x if split else x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
        if (scale := named.get("scale")) is not None:
            query = query * (scale * query.shape[-1] ** 0.5)
        made = self.owner.attend(query, key, value, grid, self.layer)
        return made if named.get("skip_output_reshape") else made.transpose(1, 2).flatten(2)

    def _dense(
        self, func: Any, q: Tensor, k: Tensor, v: Tensor, heads: int, mask: Any, named: dict[str, Any]
    ) -> Tensor:
        if self.previous is not None:
            return self.previous(func, q, k, v, heads, mask=mask, **named)
        return func(q, k, v, heads, mask=mask, **named)

    def _reason_for_dense(self, mask: Any, named: dict[str, Any]) -> str | None:
        if not self.in_time:
            return "the step is outside the schedule"
        if not self.owner.schedule.holds_in(self.layer):
            return "the layer is outside the schedule"
        if mask is not None:
            return "the model masks tokens itself"
        if named.get("enable_gqa"):
            return "several queries share a key"
        return None


def relative_error(made: Tensor, query: Tensor, key: Tensor, value: Tensor) -> float:
    """Relative L2 distance of attention [B,H,S,D] to exact attention, on `PROBED` queries."""
    some = torch.linspace(0, query.shape[2] - 1, min(PROBED, query.shape[2]), device=query.device).long()
    exact = naive.attend(query[:, :, some], key, value).float()
    return float((made[:, :, some].float() - exact).norm() / exact.norm())
