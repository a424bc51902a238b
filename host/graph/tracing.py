"""Follow a wire back to what a prompt may name: a node that runs, or a value.

On the way lie nodes of the editor only (reroutes, Set and Get), bypassed nodes, and the walls of
subgraphs. The walk is a loop, not a recursion: a file may chain as many of them as it likes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .document import INPUT_NODE, Link, Mode, Node, Slot, Subgraph
from .editor_nodes import GET_NODE, PASS_THROUGH, SET_NODE
from .errors import WorkflowError
from .instances import Circuit, Instance


@dataclass(frozen=True)
class Source:
    """The output of a node that runs."""

    node: str
    slot: int


@dataclass(frozen=True)
class Constant:
    """A value that an enclosing subgraph node holds."""

    value: Any


@dataclass(frozen=True)
class _AtInput:
    """The question: what feeds this input? `wanted` is the type asked for further down, if any."""

    instance: Instance
    node: Node
    slot: Slot
    wanted: str | None = None


@dataclass(frozen=True)
class _AtOutput:
    """The question: what comes out of this output, for an input of the wanted type?"""

    instance: Instance
    node: Node
    slot: int
    wanted: str


def trace(circuit: Circuit, instance: Instance, node: Node, slot: Slot) -> Source | Constant | None:
    """What an input receives; None if nothing that runs is wired to it.

    Raises:
        WorkflowError: the wires run in a circle through nodes that only pass on.
    """
    step: Any = _AtInput(instance, node, slot)
    visited = set()
    while isinstance(step, (_AtInput, _AtOutput)):
        place = (step.instance.path, step.node.id, isinstance(step, _AtInput), step.slot)
        if place in visited:
            name = instance.execution_id(node)
            raise WorkflowError(
                f"input {slot.name!r} of node {name} is wired in a circle through node "
                f"{step.instance.execution_id(step.node)}"
            )
        visited.add(place)
        step = _behind_input(step) if isinstance(step, _AtInput) else _behind_output(circuit, step)
    return step


def incoming(graph_links: dict[int, Link], node: Node, slot: Slot) -> Link | None:
    """The wire into a slot, if the graph has it and it does end in this node."""
    link = graph_links.get(slot.link) if slot.link is not None else None
    return link if link and link.target == node.id else None


def _behind_input(step: _AtInput) -> Any:
    instance = step.instance
    handed = (step.node.id, step.slot.name)
    if handed in instance.forced:
        return Constant(instance.forced[handed])
    link = incoming(instance.graph.links, step.node, step.slot)
    if link is None:
        return None
    wanted = step.wanted or step.slot.type
    if link.origin == INPUT_NODE:
        return _through_wall(instance, link.origin_slot)
    origin = instance.graph.nodes.get(link.origin)
    return _AtOutput(instance, origin, link.origin_slot, wanted) if origin else None


def _through_wall(instance: Instance, port: int) -> Any:
    """From a subgraph's inside to the wire, or else the value, at that input of the subgraph node."""
    if instance.parent is None or instance.host is None or not isinstance(instance.graph, Subgraph):
        return None
    if not 0 <= port < len(instance.graph.inputs):
        return None
    name, kind = instance.graph.inputs[port].name, instance.graph.inputs[port].type
    saved = instance.host.input(name)
    slot = Slot(name, kind, saved.link if saved else None)
    if incoming(instance.parent.graph.links, instance.host, slot):
        return _AtInput(instance.parent, instance.host, slot)
    return Constant(instance.promoted[name]) if name in instance.promoted else None


def _behind_output(circuit: Circuit, step: _AtOutput) -> Any:
    instance, node = step.instance, step.node
    if node.mode == Mode.MUTED:
        return None
    form = circuit.form(instance.graph, node)
    if node.mode == Mode.BYPASSED:
        output = form.outputs[step.slot] if 0 <= step.slot < len(form.outputs) else "*"
        place = bypass_slot(form.inputs, output, step.slot, step.wanted)
        return _AtInput(instance, node, form.inputs[place]) if place is not None else None
    if circuit.is_host(node):
        return _into_subgraph(circuit, step)
    if circuit.is_known(node):
        return Source(instance.execution_id(node), step.slot)
    if node.type == GET_NODE:
        return _at_set_node(step)
    if node.type in PASS_THROUGH and node.inputs:
        return _AtInput(instance, node, node.inputs[0], step.wanted)
    return None


def _into_subgraph(circuit: Circuit, step: _AtOutput) -> Any:
    inside = circuit.instances[(*step.instance.path, step.node.id)]
    outputs = circuit.subgraphs[step.node.type].outputs
    if not 0 <= step.slot < len(outputs):
        return None
    wires = [inside.graph.links[wire] for wire in outputs[step.slot].links if wire in inside.graph.links]
    if not wires:
        return None
    if wires[0].origin == INPUT_NODE:
        return _through_wall(inside, wires[0].origin_slot)
    origin = inside.graph.nodes.get(wires[0].origin)
    return _AtOutput(inside, origin, wires[0].origin_slot, step.wanted) if origin else None


def _at_set_node(step: _AtOutput) -> Any:
    """A Get node repeats the Set node of its name, in its own graph or the nearest one around it."""
    name = _variable(step.node)
    instance: Instance | None = step.instance
    while instance is not None and name is not None:
        for node in instance.graph.nodes.values():
            if node.type == SET_NODE and _variable(node) == name and node.inputs:
                return _AtInput(instance, node, node.inputs[0], step.wanted)
        instance = instance.parent
    return None


def _variable(node: Node) -> Any:
    values = node.values if isinstance(node.values, list) else list(node.values.values())
    return values[0] if values else None


def bypass_slot(inputs: tuple[Slot, ...], output: str, slot: int, wanted: str) -> int | None:
    """Which input a bypassed node passes to output `slot` of type `output`, for a reader of type `wanted`.

    The input of the same number if its type fits both; else the first of exactly the wanted type;
    else the first that fits both. A reader of any type takes the same number, or else the first.
    """
    if not inputs:
        return None
    same_number = 0 <= slot < len(inputs)
    if wanted == "*":
        return slot if same_number else 0

    def fits(candidate: Slot) -> bool:
        return types_fit(candidate.type, output) and types_fit(candidate.type, wanted)

    if same_number and fits(inputs[slot]):
        return slot
    exact = [place for place, candidate in enumerate(inputs) if candidate.type == wanted]
    loose = [place for place, candidate in enumerate(inputs) if fits(candidate)]
    return (exact or loose or [None])[0]


def types_fit(one: str, other: str) -> bool:
    """Whether a wire may join the two types: equal, one is any, or two lists share a type."""
    ones, others = set(one.lower().split(",")), set(other.lower().split(","))
    return "*" in ones | others or not ones.isdisjoint(others)
