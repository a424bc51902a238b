"""From the editor's graph to the prompt that a host executes."""

from __future__ import annotations

import copy
import random
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .document import Node, Workflow
from .editor_nodes import CUSTOM_COMBO, PRIMITIVE
from .errors import WorkflowError
from .form import Form
from .group_nodes import without_group_nodes
from .inputs import InputSpec
from .instances import Circuit, Instance
from .number_widgets import settled
from .origins import origin
from .promotions import primitive_value
from .text_values import choose_dynamic_prompt, fill_placeholders
from .tracing import Constant, Source, incoming, trace

Prompt = dict[str, dict[str, Any]]


def to_prompt(
    workflow: Workflow,
    object_info: Mapping[str, Any],
    *,
    prompt_seed: int | None = None,
    now: datetime | None = None,
) -> Prompt:
    """Convert a workflow to API format with the rules of ComfyUI's editor.

    Args:
        workflow: from `read_workflow`; one that already holds a prompt is returned as it is.
        object_info: the `/object_info` of the host that will run it, ours or a real ComfyUI's.
        prompt_seed: chooses among `{a|b}` in prompt texts and drops their comments, as the editor does
            at random. None leaves the texts as written.
        now: the time for `%date:…%` in file names; None leaves those as written.

    Returns:
        execution id → `{"inputs", "class_type", "_meta": {"title", …}}`, with the node's `origin` in
        `_meta`. Wires are `[id, slot]`, array values `{"__value__": […]}`. Muted, bypassed and
        editor-only nodes are resolved away.

    Raises:
        MissingNodes: nodes that run and are not in `object_info`.
        WorkflowError: subgraphs within themselves, circular wiring, two nodes of one id, or over
            50 000 nodes.
    """
    if workflow.prompt is not None:
        return copy.deepcopy(workflow.prompt)
    circuit = Circuit(without_group_nodes(workflow, object_info), object_info)
    prompt: Prompt = {}
    for instance, node in circuit.nodes():
        if not node.runs or circuit.is_host(node) or not circuit.is_known(node):
            continue
        identity = instance.execution_id(node)
        if identity in prompt:
            raise WorkflowError(f"two nodes unfold to the id {identity}; rename the one in the outer graph")
        prompt[identity] = {
            "inputs": _inputs(circuit, instance, node, prompt_seed),
            "class_type": node.type,
            "_meta": {"title": _title(node, object_info), **origin(node.properties)},
        }
    fill_placeholders(prompt, circuit, now)
    for entry in prompt.values():
        entry["inputs"] = {name: _wrapped(value) for name, value in entry["inputs"].items()}
    return prompt


def _title(node: Node, object_info: Mapping[str, Any]) -> str:
    return node.title or object_info[node.type].get("display_name") or node.type


class _Wire(tuple):
    """A `[node, slot]` pair, told apart from array values until those are wrapped."""


def _wrapped(value: Any) -> Any:
    if isinstance(value, _Wire):
        return list(value)
    return {"__value__": value} if isinstance(value, list) else value


def _inputs(circuit: Circuit, instance: Instance, node: Node, prompt_seed: int | None) -> dict[str, Any]:
    form = circuit.form(instance.graph, node)
    inputs = _from_widgets(form) | _from_primitives(instance, node, form)
    if prompt_seed is not None:
        inputs |= _chosen_texts(inputs, form, f"{prompt_seed}:{instance.execution_id(node)}")
    for slot in form.inputs:
        match trace(circuit, instance, node, slot):
            case Source(origin, origin_slot):
                inputs[slot.name] = _Wire((origin, origin_slot))
            case Constant(value) if value is not None:
                inputs[slot.name] = value
    if node.type == CUSTOM_COMBO:
        inputs["index"] = _chosen_option(inputs)
    return {name: _whole(form.specs.get(name), value) for name, value in inputs.items()}


def _chosen_texts(inputs: Mapping[str, Any], form: Form, seed: str) -> dict[str, str]:
    """The texts with alternatives, chosen by the seed, the node's id and the input's name alone."""
    return {
        name: choose_dynamic_prompt(inputs[name], random.Random(f"{seed}:{name}"))
        for name, spec in form.specs.items()
        if spec.options.get("dynamicPrompts") and isinstance(inputs.get(name), str)
    }


def _whole(spec: InputSpec | None, value: Any) -> Any:
    """JSON from other tools may write a whole number as 512.0; an INT input takes 512."""
    is_int = spec is not None and spec.widget_type == "INT"
    return int(value) if is_int and isinstance(value, float) and value.is_integer() else value


def _from_widgets(form: Form) -> dict[str, Any]:
    """The node's own values; a curve travels with its type."""
    values = copy.deepcopy(form.values)
    for name, value in values.items():
        if form.specs[name].widget_type == "CURVE" and value is not None:
            values[name] = {"__type__": "CURVE", "__value__": value}
    return values


def _from_primitives(instance: Instance, node: Node, form: Form) -> dict[str, Any]:
    """The values that primitive nodes wired straight to widgets write into them."""
    values = {}
    for slot in form.inputs:
        link = incoming(instance.graph.links, node, slot)
        origin = instance.graph.nodes.get(link.origin) if link else None
        if origin is not None and origin.type == PRIMITIVE and slot.widget:
            value = primitive_value(origin, form.values.get(slot.name))
            value = instance.forced.get((origin.id, "value"), value)
            values[slot.name] = settled(form.specs[slot.name], value) if slot.name in form.specs else value
    return values


def _chosen_option(inputs: Mapping[str, Any]) -> int:
    """Core's Custom Combo also outputs the place of its choice, which only the editor knows."""
    options = [value for name, value in inputs.items() if name.startswith("option")]
    return options.index(inputs["choice"]) if inputs.get("choice") in options else -1
