"""How the editor's number widgets settle a value that another node writes into them."""

from __future__ import annotations

import math
from typing import Any

from .inputs import InputSpec

DEFAULT_MIN = 0
DEFAULT_MAX = 2048
DEFAULT_FLOAT_STEP = 0.5


def settled(spec: InputSpec, value: Any) -> Any:
    """Round an INT to its step, a FLOAT to its decimals and range; anything else stays."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return value
    if spec.widget_type == "INT":
        return _to_step(spec, value)
    return _to_decimals(spec, value) if spec.widget_type == "FLOAT" else value


def _to_step(spec: InputSpec, value: float) -> int | float:
    step = spec.options.get("step") or 1
    offset = 0 if step == 1 else math.fmod(spec.options.get("min") or 0, step)
    return _half_up((value - offset) / step) * step + offset


def _to_decimals(spec: InputSpec, value: float) -> float:
    decimals = max(0, -math.floor(math.log10(spec.options.get("step") or DEFAULT_FLOAT_STEP)))
    grain = spec.options.get("round") or (10.0**-decimals if decimals else 0)
    if not grain:
        return value
    rounded = round(_half_up(value / grain) * grain, decimals)
    low, high = (spec.options.get(name) for name in ("min", "max"))
    low, high = DEFAULT_MIN if low is None else low, DEFAULT_MAX if high is None else high
    return max(low, min(high, rounded))


def _half_up(value: float) -> int:
    return math.floor(value + 0.5)
