"""`--set NODE.INPUT=VALUE`: change a value of a graph before it runs.

NODE is a node's id or title, INPUT an input's name, dotted for a parameter of a method ("method.width").
The value is read as the input's declared type.
"""

from __future__ import annotations

import json
from typing import Any

DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"
WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

Prompt = dict[str, Any]
Spec = tuple[str | list[Any], dict[str, Any]]
"""An input's declaration in /object_info: its type (a list of options for an old-style combo) and options."""


class SettingError(ValueError):
    """A `--set` that the graph has no place for; the message lists what there is."""


def apply_setting(prompt: Prompt, setting: str, object_info: dict[str, Any]) -> None:
    """Write one `NODE.INPUT=VALUE` into a prompt in API format, in place.

    Choosing another method also replaces the old method's parameters by the new one's defaults.

    Raises:
        SettingError: no such node or input, a title that several nodes share, or a value of another type.
    """
    address, equals, text = setting.partition("=")
    if not equals:
        raise SettingError(f"--set {setting}: write NODE.INPUT=VALUE")
    node_id, name = _find(prompt, address, object_info)
    node = prompt[node_id]
    spec = declared_inputs(object_info[node["class_type"]], node["inputs"])[name]
    node["inputs"][name] = _read(text, spec, f"--set {address}")
    if spec[0] == DYNAMIC_COMBO:
        _take_defaults(node["inputs"], name, spec)


def declared_inputs(definition: dict[str, Any], values: dict[str, Any]) -> dict[str, Spec]:
    """A node's inputs by name, those of the chosen methods under dotted names.

    Args:
        definition: the node's entry in /object_info.
        values: the node's inputs in the prompt, which say what is chosen.
    """
    declared: dict[str, Spec] = {}
    _collect(definition["input"], "", values, declared)
    return declared


def _collect(groups: dict[str, Any], prefix: str, values: dict[str, Any], declared: dict[str, Spec]) -> None:
    for group in ("required", "optional"):
        for bare, (kind, *options) in groups.get(group, {}).items():
            name = f"{prefix}{bare}"
            declared[name] = (kind, options[0] if options else {})
            if kind == DYNAMIC_COMBO:
                chosen = _option(declared[name], values.get(name))
                _collect(chosen["inputs"] if chosen else {}, f"{name}.", values, declared)


def _option(spec: Spec, key: Any) -> dict[str, Any] | None:
    return next((option for option in spec[1]["options"] if option["key"] == key), None)


def _take_defaults(inputs: dict[str, Any], name: str, spec: Spec) -> None:
    option = _option(spec, inputs[name])
    if option is None:
        known = ", ".join(option["key"] for option in spec[1]["options"])
        raise SettingError(f"--set: {name} has no option {inputs[name]!r}; choose one of {known}")
    for stale in [key for key in inputs if key.startswith(f"{name}.")]:
        del inputs[stale]
    declared: dict[str, Spec] = {}
    _collect(option["inputs"], f"{name}.", inputs, declared)
    inputs.update((key, facts["default"]) for key, (_, facts) in declared.items() if "default" in facts)


def _find(prompt: Prompt, address: str, object_info: dict[str, Any]) -> tuple[str, str]:
    """The node and the input that NODE.INPUT names; both parts may hold dots."""
    known = False
    for split in (place for place, char in enumerate(address) if char == "."):
        label, name = address[:split], address[split + 1 :]
        nodes = [label] if label in prompt else [key for key in prompt if title_of(prompt[key]) == label]
        if len(nodes) > 1:
            raise SettingError(
                f"--set {address}: nodes {', '.join(nodes)} are all titled {label!r}; use an id"
            )
        if not nodes:
            continue
        known = True
        node = prompt[nodes[0]]
        inputs = declared_inputs(object_info[node["class_type"]], node["inputs"])
        if name in inputs:
            return nodes[0], name
    if known:
        raise SettingError(f"--set {address}: the node has no such input; it has {', '.join(inputs)}")
    nodes = ", ".join(f"{key} ({title_of(prompt[key])})" for key in prompt)
    raise SettingError(f"--set {address}: the graph has no such node; it has {nodes}")


def title_of(node: dict[str, Any]) -> str:
    """A prompt node's title, its type where it has none."""
    return node.get("_meta", {}).get("title") or node["class_type"]


def _read(text: str, spec: Spec, where: str) -> Any:
    kind, facts = spec
    try:
        if kind == "INT":
            return int(text)
        if kind == "FLOAT":
            return float(text)
        if kind == "BOOLEAN":
            return WORDS[text.lower()]
    except (ValueError, KeyError):
        raise SettingError(f"{where} must be {kind}, got {text!r}") from None
    if isinstance(kind, list) or kind in ("COMBO", DYNAMIC_COMBO):
        options = kind if isinstance(kind, list) else facts.get("options", [])
        return next((option for option in options if str(option) == text), text)
    if kind == "STRING":
        return text
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        raise SettingError(f"{where} takes a link of type {kind}, not a value") from None
    return {"__value__": value} if isinstance(value, list) else value
