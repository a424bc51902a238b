"""Sparse self-attention on any MODEL: through ComfyUI's attention override, one state for each forward."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ..kernels.attention import block_dispatch, naive
from ..kernels.attention.block_mask import BlockMask
from .attention.cross_override import CrossOutputs
from .attention.plan import AttentionMethod, Plan
from .attention.report import AttentionRun
from .attention.schedule import Schedule, progress
from .attention.token_grid import TokenGrid

KEY = "kinograph_sparse_attention"
OVERRIDE = "optimized_attention_override"
PROBED = 64
"""Queries of a layer whose dense attention is computed too, once a run, to tell the error."""


class SparseAttention:
    """A method of sparse attention on a MODEL.

    Args:
        backend: one of `block_dispatch.NAMES`.

    Attributes:
        report: of the run at hand or the last one.
    """

    def __init__(self, method: AttentionMethod, schedule: Schedule, backend: str) -> None:
        self.method, self.schedule, self.backend = method, schedule, backend
        self.report = AttentionRun()
        self._plans: dict[Hashable, Plan] = {}
        self._placed: dict[Hashable, BlockMask] = {}
        self._probed: set[int] = set()
        self._cross = CrossOutputs(getattr(method, "cache_steps", 1))

    def on(self, model: Any) -> Any:
        """The MODEL with it; what was put on the model before is called for all that stays dense."""
        patched = model.clone()
        patched.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, KEY, self._one_run)
        patched.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, KEY, self._forward)
        patched.set_attachments(KEY, self)
        return patched

    def _one_run(self, executor: Any, *given: Any, **named: Any) -> Any:
        self.report = AttentionRun()
        try:
            return executor(*given, **named)
        finally:
            for kept in (self._plans, self._placed, self._probed):
                kept.clear()
            self._cross.clear()

    def _forward(self, executor: Any, x: Tensor, *given: Any, **named: Any) -> Any:
        options = forward_options(given, named)
        if options is None or not torch.is_tensor(x) or x.ndim != 5:
            self.report.dense["the model's latent is no film, or it tells no noise level"] += 1
            return executor(x, *given, **named)
        done = progress(float(options["sigmas"][0]), options["sample_sigmas"].float().cpu())
        run = partial(with_override, executor, x, given, named, options)
        forward = Forward(self, options.get(OVERRIDE), video_grid(executor.class_obj, x), done)
        if not (getattr(self.method, "cross_override", False) and self.schedule.holds_at(done)):
            return run(forward)
        stream = (*options["uuids"], *getattr(options.get("context_window"), "index_list", ()), x.shape)
        if self._cross.due(stream):
            run(self._cross.recording(stream, options.get(OVERRIDE)))
        forward.crossing = self._cross.replay(stream)
        return run(forward)

    def plan(self, grid: TokenGrid, layer: int) -> Plan:
        """The plan of a layer, made once a run."""
        key = (grid, self.method.kind(layer))
        if key not in self._plans:
            began = time.perf_counter()
            self._plans[key] = self.method.plan(grid, layer)
            self.report.planning += time.perf_counter() - began
        return self._plans[key]

    def mask(self, plan: Plan, query: Tensor, key: Tensor) -> BlockMask:
        """A plan's mask for these heads, on their device; fixed ones are kept there for the run."""
        began = time.perf_counter()
        if plan.gated:
            found = plan.mask(query, key)
            self.report.gating += time.perf_counter() - began
            return found
        place = (id(plan), query.device)
        if place not in self._placed:
            self._placed[place] = plan.mask(query, key).to(query.device)
            self.report.planning += time.perf_counter() - began
        return self._placed[place]


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
    ours = {**options, OVERRIDE: override}
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
    """

    def __init__(self, owner: SparseAttention, previous: Any, video: VideoGrid, done: float) -> None:
        self.owner, self.previous, self.video = owner, previous, video
        self.in_time = owner.schedule.holds_at(done)
        self.layer = -1
        self.crossing: Callable[[], Tensor | None] | None = None

    def __call__(
        self, func: Any, q: Tensor, k: Tensor, v: Tensor, heads: int, mask: Any = None, **named: Any
    ) -> Tensor:
        split = bool(named.get("skip_reshape"))
        tokens = q.shape[2 if split else 1]
        grid = self.video.of(tokens)
        if q.shape != k.shape:  # it looks at the text, or at a picture
            known = self.crossing() if self.crossing else None
            return self._dense(func, q, k, v, heads, mask, named) if known is None else known
        if grid is None:  # the text looks at itself
            return self._dense(func, q, k, v, heads, mask, named)
        self.layer += 1
        if reason := self._reason_for_dense(mask, named):
            self.owner.report.dense[reason] += 1
            return self._dense(func, q, k, v, heads, mask, named)
        shaped = [x if split else x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v)]
        made = self._sparse(*shaped, grid, named.get("scale"))
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

    def _sparse(self, query: Tensor, key: Tensor, value: Tensor, grid: TokenGrid, scale: Any) -> Tensor:
        """query, key, value [B,H,S,D] → [B,H,S,D]."""
        owner, report = self.owner, self.owner.report
        plan = owner.plan(grid, self.layer)
        sharper = plan.query_scale * (1.0 if scale is None else scale * query.shape[-1] ** 0.5)
        if sharper != 1.0:
            query = query * sharper
        mask = owner.mask(plan, query, key)
        choice = block_dispatch.choose(query, key, value, mask, owner.backend)
        began = time.perf_counter()
        made = block_dispatch.attend(query, key, value, mask, choice)
        report.attending += time.perf_counter() - began
        report.refused = choice.refused
        report.densities[self.layer] = 1.0 if choice.backend.name == "dense" else mask.density
        report.sparse[choice.backend.name] += 1
        if self.layer not in owner._probed:
            owner._probed.add(self.layer)
            report.errors[self.layer] = relative_error(made, query, key, value)
        return made


def relative_error(made: Tensor, query: Tensor, key: Tensor, value: Tensor) -> float:
    """Relative L2 distance of attention [B,H,S,D] to dense attention, on `PROBED` queries."""
    some = torch.linspace(0, query.shape[2] - 1, min(PROBED, query.shape[2]), device=query.device).long()
    dense = naive.attend(query[:, :, some], key, value).float()
    return float((made[:, :, some].float() - dense).norm() / dense.norm())
