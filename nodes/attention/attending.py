"""A method of sparse attention as the `attention` that a network calls: for scripts, without any host."""

from __future__ import annotations

from torch import Tensor

from ...kernels.attention import block_dispatch, dispatch
from ...kernels.attention.dispatch import AttentionSite
from .plan import AttentionMethod, Plans
from .schedule import Schedule
from .token_grid import TokenGrid


class MethodAttention:
    """Sparse where a film looks at itself and the schedule holds, dense elsewhere.

    Attributes:
        done: share of the steps that are done; whoever samples sets it.
        densities: share of pairs computed, of each sparse call.
    """

    def __init__(self, method: AttentionMethod, schedule: Schedule) -> None:
        self.schedule = schedule
        self.done = 0.0
        self.densities: list[float] = []
        self._plans = Plans(method)

    def __call__(
        self, query: Tensor, key: Tensor, value: Tensor, site: AttentionSite | None = None
    ) -> Tensor:
        """query, key, value [B,H,S,D] → [B,H,S,D]."""
        if site is None or site.kind != "self" or not self._holds(site):
            return dispatch.attend(query, key, value, site)
        plan = self._plans.of(TokenGrid(*site.grid), site.block)
        query = query * plan.query_scale
        mask = plan.mask(query, key)
        self.densities.append(mask.density)
        return block_dispatch.attend(query, key, value, mask)

    def _holds(self, site: AttentionSite) -> bool:
        return self.schedule.holds_at(self.done) and self.schedule.holds_in(site.block)
