"""JSON that browsers can read, and JSON from outside that is safe to walk through."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

DEEPEST = 200
"""Levels of lists and objects that a request may nest; a graph with subgraphs has about twenty."""

_STRINGS_AND_THE_REST = re.compile(r'"(?:[^"\\]|\\.)*"?|[^][{}"]+', re.DOTALL)


class NotPlainError(ValueError):
    """A text that is no JSON, or that nests too deep."""


def read(text: str | bytes) -> Any:
    """Parse JSON from outside.

    Raises:
        NotPlainError: it is malformed, not UTF-8, or nested deeper than `DEEPEST`.
    """
    try:
        text = text.decode() if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        raise NotPlainError(f"the text is not UTF-8: {error.reason} at byte {error.start}") from error
    if text.count("[") + text.count("{") > DEEPEST and _depth(text) > DEEPEST:
        raise NotPlainError(f"the JSON is nested deeper than {DEEPEST} levels")
    try:
        return json.loads(text)
    except ValueError as error:
        raise NotPlainError(f"this is no JSON: {error}") from error


def _depth(text: str) -> int:
    brackets = _STRINGS_AND_THE_REST.sub("", text)
    return max(accumulate(1 if bracket in "[{" else -1 for bracket in brackets), default=0)


def write(value: Any) -> str:
    """JSON in ASCII; a number that JSON lacks (NaN, infinities) becomes null, another object its text."""
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"), default=_plain)
    except ValueError:
        return json.dumps(_without_nan(value), separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    if callable(getattr(value, "item", None)) and getattr(value, "size", None) == 1:
        return value.item()  # a NumPy number
    return str(value)


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    return value
