"""Sparse self-attention on any MODEL: a method plans which keys a query looks at, a backend computes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any

from torch import Tensor

from ..kernels.attention import block_dispatch
from ..kernels.attention.block_mask import BlockMask
from .attention.cross_override import CrossOutputs
from .attention.plan import AttentionMethod, Plan, Plans
from .attention.schedule import Schedule
from .attention.token_grid import TokenGrid
from .film_attention import FilmAttention, Forward


class SparseAttention(FilmAttention):
    """A method of sparse attention on a MODEL.

    Args:
        backend: one of `block_dispatch.NAMES`.
    """

    def __init__(self, method: AttentionMethod, schedule: Schedule, backend: str) -> None:
        super().__init__("sparse", schedule)
        self.method, self.backend = method, backend
        self._plans = Plans(method)
        self._placed: dict[Hashable, BlockMask] = {}
        self._cross = CrossOutputs(getattr(method, "cache_steps", 1))

    def forget(self) -> None:
        self._plans.clear()
        self._placed.clear()
        self._cross.clear()

    def run(self, run: Callable[[Any], Any], forward: Forward) -> Any:
        """A second, dense pass goes before where the method wants its attention to the text."""
        if not (getattr(self.method, "cross_override", False) and forward.in_time):
            return run(forward)
        if self._cross.useless(forward.stream):
            self.report.refused["cross_override"] = "the model looks at text and film in one attention"
            return run(forward)
        if self._cross.due(forward.stream):
            run(self._cross.recording(forward.stream, forward.previous))
        forward.crossing = self._cross.replay(forward.stream)
        return run(forward)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, grid: TokenGrid, layer: int) -> Tensor:
        report, began = self.report, time.perf_counter()
        plan = self._plans.of(grid, layer)
        report.planning += time.perf_counter() - began
        if plan.query_scale != 1.0:
            query = query * plan.query_scale
        mask = self._mask(plan, query, key)
        choice = block_dispatch.choose(query, key, value, mask, self.backend)
        began = time.perf_counter()
        made = block_dispatch.attend(query, key, value, mask, choice)
        report.attending += time.perf_counter() - began
        report.refused = choice.refused
        report.densities[layer] = 1.0 if choice.backend.name == "dense" else mask.density
        report.changed[choice.backend.name] += 1
        self.tell_error(layer, made, query, key, value)
        return made

    def _mask(self, plan: Plan, query: Tensor, key: Tensor) -> BlockMask:
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
