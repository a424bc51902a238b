"""What a run's attention was: how often changed and how, why not else, how long, and how far from exact."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class AttentionRun:
    """Counts of one run.

    Attributes:
        kind: what calls were, "sparse" or "quantised".
        changed: calls by backend. dense: the others, by the reason.
        refused: by backend, why it was not taken.
        densities: by layer, the share of pairs computed, of the last call.
        errors: by layer, relative L2 distance to dense attention, measured on some queries.
        planning, gating, attending: seconds; dense calls do not count.
    """

    kind: str
    changed: Counter[str] = field(default_factory=Counter)
    dense: Counter[str] = field(default_factory=Counter)
    refused: dict[str, str] = field(default_factory=dict)
    densities: dict[int, float] = field(default_factory=dict)
    errors: dict[int, float] = field(default_factory=dict)
    planning: float = 0.0
    gating: float = 0.0
    attending: float = 0.0

    def lines(self) -> list[str]:
        """For the user."""
        calls, dense = self.changed.total(), self.dense.total()
        if not calls + dense:
            return ["Nothing has been sampled with this model yet: wire the sampler's latent in."]
        told = [f"{calls} of {calls + dense} calls of self-attention were {self.kind}."]
        told += [f"By {name}: {count}." for name, count in self.changed.items()]
        if self.densities:
            values = list(self.densities.values())
            told.append(
                f"Pairs computed: {sum(values) / len(values):.1%} of all in the mean of {len(values)} "
                f"layers, {min(values):.1%} to {max(values):.1%}."
            )
        told += [f"Dense in {count} calls: {reason}." for reason, count in self.dense.most_common()]
        told += [f"{name} was not taken: {reason}." for name, reason in self.refused.items()]
        if calls:
            told.append(
                f"Seconds: {self.planning:.3f} planning, {self.gating:.3f} in gates, {self.attending:.3f} in "
                "attention."
            )
        if self.errors:
            worst = max(self.errors, key=self.errors.__getitem__)
            mean = sum(self.errors.values()) / len(self.errors)
            told.append(
                f"Distance to exact attention, relative L2 on some queries of the first {self.kind} step: "
                f"{mean:.3f} in the mean, {self.errors[worst]:.3f} in layer {worst}."
            )
        return told
