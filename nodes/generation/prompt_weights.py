"""Emphasis in prompts, as ComfyUI reads it: `(word)` is 1.1 times as strong, `(word:1.4)` is at 1.4."""

from __future__ import annotations

import math
from collections.abc import Iterator

EMPHASIS = 1.1
DEEPEST = 50
"""Pairs of parentheses within each other that count; what is in more is text."""
ESCAPED = {"\\(": "\x02", "\\)": "\x03"}
"""A parenthesis after a backslash is itself; the characters stand for it while the text is taken apart."""


def weighted_parts(text: str) -> list[tuple[str, float]]:
    """A prompt as its parts in order, each with its weight; parentheses that do not match are text."""
    for escaped, stand_in in ESCAPED.items():
        text = text.replace(escaped, stand_in)
    return [(_unescaped(part), weight) for part, weight in _weighted(text, 1.0, 0)]


def _weighted(text: str, weight: float, depth: int) -> Iterator[tuple[str, float]]:
    for part in _outermost(text):
        if depth < DEEPEST and len(part) > 1 and part[0] == "(" and part[-1] == ")":
            yield from _weighted(*_told_weight(part[1:-1], weight), depth + 1)
        else:
            yield part, weight


def _outermost(text: str) -> Iterator[str]:
    """A text cut before and after each outermost pair of parentheses."""
    start = depth = 0
    for place, character in enumerate(text):
        if character == "(":
            if depth == 0 and place > start:
                yield text[start:place]
                start = place
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                yield text[start : place + 1]
                start = place + 1
    if start < len(text):
        yield text[start:]


def _told_weight(inner: str, outer: float) -> tuple[str, float]:
    """What stands in parentheses without the number after its last colon, and its weight."""
    text, colon, number = inner.rpartition(":")
    try:
        if text and colon and math.isfinite(told := float(number)):  # "infinity" is a word
            return text, told
    except ValueError:  # the colon is part of the text
        pass
    return inner, outer * EMPHASIS


def _unescaped(text: str) -> str:
    for escaped, stand_in in ESCAPED.items():
        text = text.replace(stand_in, escaped[1])
    return text
