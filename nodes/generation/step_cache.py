"""Step skipping: where a network's input has hardly changed, its last answer is used again.

What is kept is the last computed v − x; a skipped step answers x + (v − x), or simply v. How much the input
changed is summed up over the steps since, by one of two measures:

- `input_change`: the relative change of x (as TeaCache, Liu et al. 2024, but without its polynomial, which is
  fitted to one network);
- `output_change`: how much the answer changed per change of x the last time both were computed, times the
  change of x (EasyCache, Zhou et al. 2025).

While the sum stays below a threshold the step is skipped; the first and the last steps never are. Each stream
(with and without the prompt) gets a cache of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .samplers import Velocity

MEASURES = ("input_change", "output_change")
REUSES = ("residual", "velocity")
ROUNDING = 1e-6
"""How far a step's mean noise level may lie from its schedule's, in float32."""

SMALLEST = 1e-30
"""Stands for a size of zero where something is divided by it."""


@dataclass(frozen=True)
class CachePlan:
    """When to skip, and what to answer then.

    threshold: the summed change below which a step is skipped; 0 skips none.
    warm_up, final: steps at the start and at the end that are always computed.
    measure: "input_change" or "output_change".
    reuse: "residual" answers x + (v − x) of the last computed step, as the papers; "velocity" its v, which on
        the nearly straight paths of a flow is the closer one.
    """

    threshold: float
    warm_up: int = 2
    final: int = 1
    measure: str = "output_change"
    reuse: str = "velocity"

    def __post_init__(self) -> None:
        if self.threshold < 0:
            raise ValueError(f"the cache's threshold is 0 or more, got {self.threshold}")
        if min(self.warm_up, self.final) < 1:
            raise ValueError("the cache must compute at least the first and the last step, to judge by")
        for name, value, allowed in (("measure", self.measure, MEASURES), ("reuse", self.reuse, REUSES)):
            if value not in allowed:
                raise ValueError(f"the cache's {name} is one of {', '.join(allowed)}, got {value!r}")


@dataclass
class CacheReport:
    """What a cache did in one run, by calls from 0 (a step of Heun's method makes two).

    calls: how often a velocity was asked for.
    changes: for each skipped call, the summed change of its input.
    judged: for computed calls, the summed change and the relative error ‖answer − v‖ / ‖v‖ that the cache's
        answer would have had.
    measured: for skipped calls, that error exactly; only where the cache was asked to compute both.
    """

    calls: int = 0
    changes: dict[int, float] = field(default_factory=dict)
    judged: list[tuple[float, float]] = field(default_factory=list)
    measured: dict[int, float] = field(default_factory=dict)

    @property
    def skipped(self) -> list[int]:
        """The calls that were answered from the cache."""
        return list(self.changes)

    @property
    def estimated(self) -> dict[int, float]:
        """The relative error of each skipped call, taken to grow with its change as in the judged calls."""
        changes = sum(change for change, _ in self.judged)
        errors = sum(error for _, error in self.judged)
        rate = errors / max(changes, SMALLEST)
        return {call: rate * change for call, change in self.changes.items()}

    def sentence(self, stream: str) -> str:
        """One line for people, e.g. "prompt: 6 of 20 calls skipped, estimated error 1.2% …"."""
        if not self.changes:
            return f"{stream}: none of {self.calls} calls skipped"
        errors = list((self.measured or self.estimated).values())
        known = "measured" if self.measured else "estimated"
        return (
            f"{stream}: {len(self.changes)} of {self.calls} calls skipped, {known} error of their velocity "
            f"{sum(errors) / len(errors):.1%} on average and {max(errors):.1%} at most"
        )


@dataclass(frozen=True)
class _Computed:
    """The last computed call."""

    x: Tensor
    velocity: Tensor


class StepCache:
    """A `Velocity` that skips calls of another one; `report` tells which.

    A run of a sampler goes down in noise: where the noise level rises, another window of the film begins,
    and nothing that was kept is used again.

    Args:
        velocity: the network with one stream's conditions.
        plan: when to skip.
        sigmas: the run's schedule [steps + 1] or [steps + 1, T]; tells first and last steps.
        measure_error: also compute what is skipped, to report the error exactly; the films are the same.

    Raises:
        ValueError: a plan that no run can follow.
    """

    def __init__(
        self,
        velocity: Velocity,
        plan: CachePlan,
        sigmas: Tensor,
        *,
        measure_error: bool = False,
    ) -> None:
        self.report = CacheReport()
        self._velocity, self._plan, self._measure_error = velocity, plan, measure_error
        self._first, self._last = _skippable_levels(sigmas, plan)
        self._watched: Tensor | None = None
        self._computed: _Computed | None = None
        self._rate = math.inf
        self._sum = math.inf
        self._level = -math.inf

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        call = self.report.calls
        self.report.calls += 1
        level = float(sigma.double().mean())
        if level > self._level + ROUNDING:
            self._watched, self._computed, self._rate = None, None, math.inf
        self._level = level
        self._sum += self._change(x)
        if self._first >= level >= self._last and self._sum < self._plan.threshold:
            return self._skipped(call, x, sigma)
        return self._compute(x, sigma)

    def _change(self, x: Tensor) -> float:
        """What the input's change since the call before adds to the sum; infinite if it cannot be told."""
        before, self._watched = self._watched, x
        if before is None or self._computed is None:
            return math.inf
        if self._plan.measure == "input_change":
            return _size(x - before) / max(_size(before), SMALLEST)
        return self._rate * _size(x - before) / max(_size(self._computed.velocity), SMALLEST)

    def _answer(self, x: Tensor) -> Tensor:
        if self._plan.reuse == "velocity":
            return self._computed.velocity
        return x + (self._computed.velocity - self._computed.x)

    def _skipped(self, call: int, x: Tensor, sigma: Tensor) -> Tensor:
        answer = self._answer(x)
        self.report.changes[call] = self._sum
        if self._measure_error:
            self.report.measured[call] = _relative_error(answer, self._velocity(x, sigma))
        return answer

    def _compute(self, x: Tensor, sigma: Tensor) -> Tensor:
        velocity = self._velocity(x, sigma)
        if self._computed is not None:
            if 0 < self._sum < math.inf:
                self.report.judged.append((self._sum, _relative_error(self._answer(x), velocity)))
            moved = max(_size(x - self._computed.x), SMALLEST)
            self._rate = _size(velocity - self._computed.velocity) / moved
        self._computed = _Computed(x, velocity)
        self._sum = 0.0
        return velocity


def _skippable_levels(sigmas: Tensor, plan: CachePlan) -> tuple[float, float]:
    """The mean noise levels of the first and the last step that may be skipped.

    A step is known by the mean over its frames, which falls from step to step whatever the frames' schedules.
    """
    levels = sigmas.double().flatten(1).mean(dim=1) if sigmas.ndim > 1 else sigmas.double()
    steps = len(levels) - 1
    if plan.warm_up + plan.final >= steps:
        return -math.inf, math.inf
    return float(levels[plan.warm_up]) + ROUNDING, float(levels[steps - 1 - plan.final]) - ROUNDING


def _size(values: Tensor) -> float:
    return float(values.abs().mean(dtype=torch.float32))


def _relative_error(answer: Tensor, velocity: Tensor) -> float:
    error, size = (answer - velocity).float().norm(), velocity.float().norm()
    return float(error / size.clamp(min=SMALLEST))
