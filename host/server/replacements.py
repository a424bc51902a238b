"""Nodes that packs have replaced by others: what to run in place of one that is gone."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from ..api.comfy_api.latest.node_replacement import REPLACEMENTS

Prompt = Any
"""A prompt from outside, which need not have the form of one yet."""


def registered() -> dict[str, list[dict[str, Any]]]:
    """What packs have registered, by the old node's id, as GET /node_replacements shows it."""
    return {old: [entry.as_dict() for entry in entries] for old, entries in REPLACEMENTS.items()}


def replace_missing(prompt: Prompt, known: Container[str]) -> Prompt:
    """The prompt with each unknown node replaced by the first registered node that is known."""
    replacements = registered()
    if not replacements or not isinstance(prompt, dict):
        return prompt
    changed = dict(prompt)
    for node_id, node in prompt.items():
        class_type = node.get("class_type") if isinstance(node, Mapping) else None
        if not isinstance(class_type, str) or class_type in known or class_type not in replacements:
            continue
        if not isinstance(node.get("inputs"), Mapping):
            continue
        entry = next((entry for entry in replacements[class_type] if entry["new_node_id"] in known), None)
        if entry is not None:
            changed[node_id] = _replaced(node, entry)
            _move_links(changed, node_id, entry["output_mapping"] or [])
    return changed


def _replaced(node: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    inputs = {}
    for rule in entry["input_mapping"] or []:
        if "set_value" in rule:
            inputs[rule["new_id"]] = rule["set_value"]
        elif rule.get("old_id") in node["inputs"]:
            inputs[rule["new_id"]] = node["inputs"][rule["old_id"]]
    return {**node, "class_type": entry["new_node_id"], "inputs": inputs}


def _move_links(prompt: dict[str, Any], source: str, rules: list[Mapping[str, Any]]) -> None:
    slots = {rule["old_idx"]: rule["new_idx"] for rule in rules}
    for node_id, node in prompt.items():
        inputs = node.get("inputs") if isinstance(node, Mapping) else None
        if isinstance(inputs, Mapping):
            moved = {name: _moved(value, source, slots) for name, value in inputs.items()}
            prompt[node_id] = {**node, "inputs": moved}


def _moved(value: Any, source: str, slots: Mapping[int, int]) -> Any:
    is_link = isinstance(value, list) and len(value) == 2 and value[0] == source
    return [source, slots.get(value[1], value[1])] if is_link and isinstance(value[1], int) else value
