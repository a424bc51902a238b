"""Texts with blanks that the editor fills before it sends them: `{a|b}`, `%Node.widget%`, `%date:…%`."""

from __future__ import annotations

import random
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .editor_nodes import FILENAME_NODES

if TYPE_CHECKING:
    from .instances import Circuit

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n\r]*", re.DOTALL)
_ESCAPED = re.compile(r"\\([{}|])")
_PLACEHOLDER = re.compile(r"%([^%]+)%")
_UNSAFE = re.compile(r'[/?<>\\:*|"\x00-\x1f\x7f]')
_DATE_PARTS = re.compile(r"d{1,2}|M{1,2}|h{1,2}|m{1,2}|s{1,2}|y{2,4}")


def choose_dynamic_prompt(text: str, chooser: random.Random) -> str:
    """Replace each `{a|b}` by one alternative, innermost last; drop comments; `\\{` is a plain brace."""
    stack: list[list[str]] = [[""]]
    rest = iter(_COMMENT.sub("", text))
    for char in rest:
        if char == "\\":
            stack[-1][-1] += char + next(rest, "")
        elif char == "{":
            stack.append([""])
        elif char == "|" and len(stack) > 1:
            stack[-1].append("")
        elif char == "}" and len(stack) > 1:
            chosen = chooser.choice(stack.pop())
            stack[-1][-1] += chosen
        else:
            stack[-1][-1] += char
    while len(stack) > 1:
        chosen = chooser.choice(stack.pop())
        stack[-1][-1] += chosen
    return _ESCAPED.sub(r"\1", stack[0][0])


def fill_placeholders(prompt: dict[str, Any], circuit: Circuit, now: datetime | None) -> None:
    """Fill `%Node.widget%`, and with `now` also `%date:yyyy-MM-dd%`, in core's file name prefixes."""
    for entry in prompt.values():
        prefix = entry["inputs"].get("filename_prefix")
        if entry["class_type"] in FILENAME_NODES and isinstance(prefix, str) and "%" in prefix:
            entry["inputs"]["filename_prefix"] = _PLACEHOLDER.sub(
                lambda match: _filled(match, circuit, now), prefix
            )


def _filled(match: re.Match[str], circuit: Circuit, now: datetime | None) -> str:
    text = match.group(1)
    if text.startswith("date:") and "." not in text:
        return _date(text[5:], now) if now else match.group()
    name, dot, widget = text.partition(".")
    if not dot or "." in widget:
        return match.group()
    value = _named_value(circuit, name, widget)
    return match.group() if value is None else _UNSAFE.sub("_", _as_text(value))


def _named_value(circuit: Circuit, name: str, widget: str) -> Any:
    """A widget's value on the first node whose search name, or else whose title, is `name`."""
    nodes = [(instance, node) for instance, node in circuit.nodes() if circuit.is_known(node)]
    named = [place for place in nodes if place[1].properties.get("Node name for S&R") == name]
    titled = [place for place in nodes if place[1].title == name]
    for instance, node in (named or titled)[:1]:
        return circuit.form(instance.graph, node).values.get(widget)
    return None


def _as_text(value: Any) -> str:
    """As JavaScript writes it: `true`, and whole numbers without a point."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _date(layout: str, now: datetime) -> str:
    numbers = {"d": now.day, "M": now.month, "h": now.hour, "m": now.minute, "s": now.second}

    def part(match: re.Match[str]) -> str:
        token = match.group()
        if token[0] == "y":
            return str(now.year)[-2:] if token == "yy" else str(now.year)
        return str(numbers[token[0]]).zfill(len(token))

    return _DATE_PARTS.sub(part, layout)
