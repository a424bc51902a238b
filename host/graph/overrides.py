"""Change inputs of a prompt from the command line: `NODE.INPUT=VALUE`."""

from __future__ import annotations

import copy
import difflib
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .convert import Prompt
from .editor_nodes import UNSENT_TYPES
from .errors import WorkflowError
from .inputs import (
    AUTOGROW,
    COMBO,
    DYNAMIC_COMBO,
    UPLOAD_FLAGS,
    InputSpec,
    grown_specs,
    input_specs,
    option_keys,
    option_specs,
)

TRUE_WORDS = frozenset({"true", "yes", "on", "1"})
FALSE_WORDS = frozenset({"false", "no", "off", "0"})
FILE_FLAGS = (*UPLOAD_FLAGS, "audio_upload", "file_upload", "remote")


class _Assignment(NamedTuple):
    text: str
    node: str
    input: str
    value: str


def apply_overrides(prompt: Prompt, object_info: Mapping[str, Any], assignments: Iterable[str]) -> Prompt:
    """A copy of the prompt with `NODE.INPUT=VALUE` assignments applied.

    Args:
        prompt: from `to_prompt`.
        object_info: as given to `to_prompt`; a value is read by its input's type: INT, FLOAT, BOOLEAN
            (true/false, yes/no, on/off, 1/0), a combo's option, text as it stands, JSON for the rest.
        assignments: NODE is an id ("5:12") or a title; INPUT may be dotted ("method.width"). Setting a
            dynamic combo removes the inputs of its old option and fills in the new one's defaults; it
            happens before that option's own inputs are set, in whatever order they are given.

    Raises:
        WorkflowError: with one problem per assignment that names no node, several nodes or no input of
            it, or whose value does not fit; each names what is there instead.
    """
    changed = copy.deepcopy(prompt)
    problems: list[str] = []
    parsed = []
    for text in assignments:
        try:
            parsed.append(_parse(text, changed))
        except WorkflowError as error:
            problems += error.problems
    for assignment in sorted(parsed, key=lambda assignment: assignment.input.count(".")):
        try:
            _assign(changed[assignment.node], assignment, object_info)
        except WorkflowError as error:
            problems += error.problems
    if problems:
        raise WorkflowError("; ".join(problems), problems)
    return changed


def _parse(text: str, prompt: Prompt) -> _Assignment:
    """Split at the first `=`, then after the longest part that is an id or a title."""
    left, equals, value = text.partition("=")
    if not equals or "." not in left:
        raise WorkflowError(f"{text!r} is not of the form NODE.INPUT=VALUE")
    dots = [place for place, char in enumerate(left) if char == "."]
    for dot in reversed(dots):
        node, name = left[:dot].strip(), left[dot + 1 :].strip()
        found = [node] if node in prompt else _titled(prompt, node)
        if len(found) > 1:
            raise WorkflowError(
                f"{text!r}: {len(found)} nodes are titled {node!r}; use an id: {', '.join(found)}"
            )
        if found and not name:
            raise WorkflowError(f"{text!r} names no input; write NODE.INPUT=VALUE")
        if found:
            return _Assignment(text, found[0], name, value)
    node = left[: dots[0]].strip()
    raise WorkflowError(f"{text!r}: no node {node!r}{_hint(node, _node_names(prompt))}")


def _titled(prompt: Prompt, title: str) -> list[str]:
    return [identity for identity, entry in prompt.items() if entry.get("_meta", {}).get("title") == title]


def _node_names(prompt: Prompt) -> list[str]:
    titles = [entry.get("_meta", {}).get("title") for entry in prompt.values()]
    return [*prompt, *dict.fromkeys(title for title in titles if title)]


def _hint(wrong: str, right: Iterable[Any]) -> str:
    """`; did you mean …` with close matches, or else what there is (the first dozen)."""
    known = [str(item) for item in right]
    folded = {item.casefold(): item for item in reversed(known)}
    close = difflib.get_close_matches(wrong.casefold(), folded, n=3, cutoff=0.6)
    if close:
        return f"; did you mean {' or '.join(repr(folded[item]) for item in close)}?"
    return f"; there is {', '.join(known[:12])}{' …' if len(known) > 12 else ''}" if known else ""


def _assign(entry: dict[str, Any], assignment: _Assignment, object_info: Mapping[str, Any]) -> None:
    definition = object_info.get(entry["class_type"])
    if definition is None:
        raise WorkflowError(f"{assignment.text!r}: the node type {entry['class_type']} is not installed")
    specs = {spec.name: spec for spec in _current_specs(entry, definition)}
    spec = specs.get(assignment.input)
    if spec is None:
        raise WorkflowError(
            f"{assignment.text!r}: {entry['class_type']} has no input {assignment.input!r}"
            f"{_hint(assignment.input, specs)}"
        )
    value = _value(spec, assignment)
    if spec.type == DYNAMIC_COMBO:
        _choose_option(entry["inputs"], spec, value)
    else:
        entry["inputs"][spec.name] = value


def _current_specs(entry: Mapping[str, Any], definition: Mapping[str, Any]) -> list[InputSpec]:
    """Every input that the node has now, those under the chosen options included."""
    pending = [spec for spec in input_specs("", definition) if spec.type not in UNSENT_TYPES]
    shown = []
    while pending:
        spec = pending.pop(0)
        if spec.type == AUTOGROW:
            pending = grown_specs(spec, entry["inputs"]) + pending
            continue
        shown.append(spec)
        if spec.type == DYNAMIC_COMBO:
            pending = option_specs(spec, entry["inputs"].get(spec.name)) + pending
    return shown


def _choose_option(inputs: dict[str, Any], combo: InputSpec, key: str) -> None:
    """Set a dynamic combo; wires into sockets that the new option has too stay."""
    prefix = f"{combo.name}."
    specs = option_specs(combo, key)
    sockets = {spec.name for spec in specs if not spec.is_widget}
    for name in [name for name in inputs if name.startswith(prefix)]:
        if not _is_wire(inputs[name]) or sockets.isdisjoint((name, name.rpartition(".")[0])):
            del inputs[name]
    inputs[combo.name] = key
    for spec in specs:
        if spec.type == DYNAMIC_COMBO and spec.default is not None:
            _choose_option(inputs, spec, spec.default)
        elif spec.is_widget and spec.default is not None:
            inputs[spec.name] = copy.deepcopy(spec.default)


def _is_wire(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2


def _value(spec: InputSpec, assignment: _Assignment) -> Any:
    text = assignment.value
    readers = {
        "INT": _integer,
        "FLOAT": _number,
        "BOOLEAN": _boolean,
        COMBO: _option,
        DYNAMIC_COMBO: _dynamic_option,
        "STRING": lambda spec, text: text,
    }
    try:
        return readers.get(spec.widget_type, _json)(spec, text)
    except ValueError as error:
        raise WorkflowError(f"{assignment.text!r}: {spec.name} is {spec.type}; {error}") from None


def _integer(spec: InputSpec, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a whole number") from None


def _number(spec: InputSpec, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is not a finite number")
    return number


def _boolean(spec: InputSpec, text: str) -> bool:
    word = text.strip().lower()
    if word not in TRUE_WORDS | FALSE_WORDS:
        raise ValueError(f"{text!r} is neither true nor false")
    return word in TRUE_WORDS


def _option(spec: InputSpec, text: str) -> Any:
    """The option spelled like the text; any text where the server fills the list, or files may be new."""
    if spec.options.get("multiselect"):
        return {"__value__": [_one_option(spec, part.strip()) for part in text.split(",") if part.strip()]}
    return _one_option(spec, text)


def _one_option(spec: InputSpec, text: str) -> Any:
    for choice in spec.choices:
        if str(choice) == text:
            return choice
    if not spec.choices or any(map(spec.options.get, FILE_FLAGS)):
        return text
    raise ValueError(f"{text!r} is not among its options{_hint(text, spec.choices)}")


def _dynamic_option(spec: InputSpec, text: str) -> str:
    if text not in option_keys(spec):
        raise ValueError(f"{text!r} is not among its options{_hint(text, option_keys(spec))}")
    return text


def _json(spec: InputSpec, text: str) -> Any:
    """Anything else as JSON: a wire is `["5", 0]`, another array is wrapped as the editor does."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(
            f'write the value as JSON, a wire as ["node id", output number]; got {text!r}'
        ) from None
    wire = isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and type(value[1]) is int
    return {"__value__": value} if isinstance(value, list) and not wire else value
