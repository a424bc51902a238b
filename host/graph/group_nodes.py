"""Group nodes of older files (type `workflow>Name`, or `workflow/Name`) rewritten as subgraphs.

`extra.groupNodes[Name]` holds the inner nodes, links as `[origin, slot, target, slot, …]` by position,
`external` outputs `[node, slot, …]`, and `config` with renamed or hidden slots. The group node's
slots are the inner inputs that no inner link feeds, in node order; its widgets are the inner widgets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from .document import (
    INPUT_NODE,
    OUTPUT_NODE,
    Graph,
    Link,
    Node,
    Port,
    Slot,
    Subgraph,
    Workflow,
    expect_integer,
    expect_list,
    expect_object,
    parse_node,
)
from .editor_nodes import PRIMITIVE, REROUTE
from .errors import WorkflowError
from .form import Widget, widgets_of
from .inputs import InputSpec, input_specs

PREFIX = "workflow>"
OLD_PREFIX = "workflow/"

AnyGraph = TypeVar("AnyGraph", bound=Graph)


@dataclass
class _Group:
    """A group under construction. widgets: (widget, inner node id) in the order of saved values."""

    subgraph: Subgraph
    widgets: list[tuple[Widget, str]] = field(default_factory=list)
    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)

    def wire(self, origin: str, origin_slot: int, target: str, target_slot: int) -> int:
        identity = len(self.subgraph.links)
        self.subgraph.links[identity] = Link(identity, origin, origin_slot, target, target_slot)
        return identity

    def feed(self, node: Node, name: str, wire: int) -> None:
        """Let a wire end in the inner node's input of that name, adding the slot if the file has none."""
        current = self.subgraph.nodes[node.id]
        others = tuple(slot for slot in current.inputs if slot.name != name)
        fed = replace(current.input(name) or Slot(name, "*"), link=wire)
        self.subgraph.nodes[node.id] = replace(current, inputs=(*others, fed))


def without_group_nodes(workflow: Workflow, object_info: Mapping[str, Any]) -> Workflow:
    """The same workflow with each group node replaced by an instance of a subgraph.

    Raises:
        WorkflowError: a group node's definition is malformed.
    """
    definitions = workflow.extra.get("groupNodes")
    if not isinstance(definitions, dict) or not definitions:
        return workflow
    groups = {
        f"{PREFIX}{name}": _group(name, definition, object_info) for name, definition in definitions.items()
    }
    subgraphs = {**workflow.subgraphs, **{identity: group.subgraph for identity, group in groups.items()}}
    return Workflow(
        _with_hosts(workflow.root, groups),
        {identity: _with_hosts(subgraph, groups) for identity, subgraph in subgraphs.items()},
    )


def _with_hosts(graph: AnyGraph, groups: Mapping[str, _Group]) -> AnyGraph:
    return replace(graph, nodes={identity: _as_host(node, groups) for identity, node in graph.nodes.items()})


def _as_host(node: Node, groups: Mapping[str, _Group]) -> Node:
    kind = PREFIX + node.type[len(OLD_PREFIX) :] if node.type.startswith(OLD_PREFIX) else node.type
    group = groups.get(kind)
    if group is None:
        return node
    saved = iter(node.values if isinstance(node.values, list) else [])
    held = [(inner, widget, next(saved, None)) for widget, inner in group.widgets if widget.saved]
    entries = [
        (inner, widget.name, value) for inner, widget, value in held if widget.sent and value is not None
    ]
    return replace(
        node,
        type=kind,
        values=[value for _, _, value in entries],
        properties={**node.properties, "proxyWidgets": [[inner, name] for inner, name, _ in entries]},
    )


def _group(name: str, definition: Any, object_info: Mapping[str, Any]) -> _Group:
    where = f"group node {name!r}"
    definition = expect_object(definition, where)
    if not isinstance(definition.get("nodes"), list):
        raise WorkflowError(f"{where} has no list of nodes")
    entries = [
        {**expect_object(entry, f"node of {where}"), "id": place}
        for place, entry in enumerate(definition["nodes"])
    ]
    nodes = [_unlinked(parse_node(entry, f"node of {where}", place)) for place, entry in enumerate(entries)]
    group = _Group(Subgraph({node.id: node for node in nodes}, {}, f"{PREFIX}{name}", name))
    _wire_inside(group, nodes, expect_list(definition.get("links"), f"links of {where}"), where)
    config = expect_object(definition.get("config"), f"config of {where}")
    external = {
        (str(entry[0]), str(entry[1]))
        for entry in expect_list(definition.get("external"), f"external of {where}")
        if isinstance(entry, list) and len(entry) > 1
    }
    converted = []
    for node in nodes:
        specs = _specs(group.subgraph, node, object_info)
        custom = expect_object(config.get(node.id), f"config of {where}")
        inputs = expect_object(custom.get("input"), f"config of {where}")
        outputs = expect_object(custom.get("output"), f"config of {where}")
        converted += [(node, spec) for spec in _add_inputs(group, node, specs, inputs)]
        _add_outputs(group, node, object_info, external, outputs)
    for node, spec in converted:
        _add_port(group, node, spec, None)
    group.subgraph.inputs, group.subgraph.outputs = tuple(group.inputs), tuple(group.outputs)
    return group


def _unlinked(node: Node) -> Node:
    return replace(node, inputs=tuple(replace(slot, link=None) for slot in node.inputs))


def _wire_inside(group: _Group, nodes: list[Node], links: list[Any], where: str) -> None:
    for entry in links:
        if not isinstance(entry, list) or len(entry) < 4:
            raise WorkflowError(f"a link of {where} is not a list of at least four values")
        if entry[0] is None:
            continue
        origin, origin_slot, target, target_slot = (
            expect_integer(value, f"a link of {where}") for value in entry[:4]
        )
        if not 0 <= target < len(nodes):
            raise WorkflowError(f"a link of {where} ends at node {target}, which it does not have")
        slots = nodes[target].inputs
        if 0 <= target_slot < len(slots):
            wire = group.wire(str(origin), origin_slot, str(target), target_slot)
            group.feed(nodes[target], slots[target_slot].name, wire)


def _specs(subgraph: Subgraph, node: Node, object_info: Mapping[str, Any]) -> list[InputSpec]:
    if node.type in object_info:
        return input_specs(node.type, object_info[node.type])
    fed = any(slot.link is not None for slot in subgraph.nodes[node.id].inputs)
    if node.type == REROUTE and node.inputs and not fed:
        return [InputSpec(node.inputs[0].name, "*", {"forceInput": True})]
    if node.type == PRIMITIVE and node.outputs:
        return [InputSpec("value", node.outputs[0].type, {"control_after_generate": True})]
    return []


def _add_inputs(
    group: _Group, node: Node, specs: list[InputSpec], custom: Mapping[str, Any]
) -> list[InputSpec]:
    """Add a node's widgets and free sockets; return the widgets it has as sockets, which come last."""
    converted = []
    for spec in (spec for spec in specs if spec.is_widget):
        saved = node.input(spec.name)
        if saved and saved.widget:
            converted.append(spec)
        else:
            _unique_name(group, node, spec.name, None)
            group.widgets += [(widget, node.id) for widget in widgets_of(spec)]
    for spec in (spec for spec in specs if not spec.is_widget):
        settings = expect_object(custom.get(spec.name), f"config of {spec.name}")
        if settings.get("visible") is not False:
            _add_port(group, node, spec, settings.get("name"))
    return converted


def _add_port(group: _Group, node: Node, spec: InputSpec, renamed: str | None) -> None:
    fed = group.subgraph.nodes[node.id].input(spec.name)
    if fed and fed.link is not None:
        return
    name = _unique_name(group, node, spec.name, renamed)
    wire = group.wire(INPUT_NODE, len(group.inputs), node.id, 0)
    group.feed(node, spec.name, wire)
    group.inputs.append(Port(name, spec.socket_type, (wire,)))


def _unique_name(group: _Group, node: Node, name: str, renamed: str | None) -> str:
    """The group's name for an inner input: its label or own name, after the node's title if taken."""
    saved = node.input(name)
    chosen = key = renamed or (saved.label if saved and saved.label else name)
    if (node.type == PRIMITIVE and node.title) or chosen in group.seen:
        prefix = f"{node.title or node.type} "
        chosen = key = f"{prefix}{name}"
        if chosen in group.seen:
            chosen = f"{prefix}{group.seen[key]} {name}"
    group.seen[key] = group.seen.get(key, 1) + 1
    return chosen


def _add_outputs(
    group: _Group,
    node: Node,
    object_info: Mapping[str, Any],
    external: set[tuple[str, str]],
    custom: Mapping[str, Any],
) -> None:
    """Show the outputs that no inner link reads, or that are read outside as well."""
    definition = object_info.get(node.type) or {}
    types = [str(kind) for kind in definition.get("output") or ()] or [slot.type for slot in node.outputs]
    read = {link.origin_slot for link in group.subgraph.links.values() if link.origin == node.id}
    for slot, kind in enumerate(types):
        settings = expect_object(custom.get(str(slot)), f"config of output {slot}")
        hidden = slot in read and (node.id, str(slot)) not in external
        if settings.get("visible", not hidden):
            wire = group.wire(node.id, slot, OUTPUT_NODE, len(group.outputs))
            group.outputs.append(Port(f"output_{len(group.outputs)}", kind, (wire,)))
