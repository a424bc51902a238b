"""A saved graph as typed records: nodes, links, subgraph definitions.

Facts of the format: version 0.4 writes links as `[id, origin, origin slot, target, target slot, type]`,
version 1.0 (and every subgraph definition) as objects. Inside a definition node -10 stands for the
subgraph's inputs and -20 for its outputs. Reroute points of version 1.0 only bend a link's drawing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from .errors import WorkflowError

INPUT_NODE = "-10"
OUTPUT_NODE = "-20"


class Mode(IntEnum):
    """The modes that change a prompt; every other number means that the node runs."""

    ALWAYS = 0
    MUTED = 2
    BYPASSED = 4


@dataclass(frozen=True)
class Link:
    """A wire between two slots of one graph."""

    id: int
    origin: str
    origin_slot: int
    target: str
    target_slot: int


@dataclass(frozen=True)
class Slot:
    """A saved input or output. `link` is the incoming wire; `widget` names the widget it belongs to."""

    name: str
    type: str
    link: int | None = None
    widget: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class Node:
    """A saved node; `values` is `widgets_values`, `named` is `widgets_values_named` of newer editors."""

    id: str
    type: str
    title: str | None
    mode: int
    order: int
    inputs: tuple[Slot, ...]
    outputs: tuple[Slot, ...]
    values: list[Any] | dict[str, Any]
    named: dict[str, Any] | None
    properties: dict[str, Any]

    @property
    def runs(self) -> bool:
        return self.mode not in (Mode.MUTED, Mode.BYPASSED)

    def input(self, name: str) -> Slot | None:
        """The saved input of that name, if the file has one."""
        return next((slot for slot in self.inputs if slot.name == name), None)


@dataclass
class Graph:
    """The root graph, or the inside of a subgraph definition."""

    nodes: dict[str, Node]
    links: dict[int, Link]


@dataclass(frozen=True)
class Port:
    """An input or output of a subgraph definition and the inner wires that hang on it."""

    name: str
    type: str
    links: tuple[int, ...]


@dataclass
class Subgraph(Graph):
    """A subgraph definition; the nodes whose type is its id are its instances."""

    id: str = ""
    name: str = ""
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()


@dataclass
class Workflow:
    """A file as read: the graph of the editor's format, or the `prompt` of an API-format file.

    extra: the file's `extra` object (group node definitions live there).
    document: the editor's JSON as read, which a run writes into the files it saves.
    """

    root: Graph
    subgraphs: dict[str, Subgraph] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    prompt: dict[str, Any] | None = None
    document: Mapping[str, Any] | None = None


def parse_workflow(data: Mapping[str, Any]) -> Workflow:
    """Turn the editor's JSON into records.

    Raises:
        WorkflowError: a part has the wrong type, or two subgraph definitions share an id.
    """
    extra = expect_object(data.get("extra"), "extra")
    definitions = expect_object(data.get("definitions"), "definitions")
    subgraphs: dict[str, Subgraph] = {}
    pending = list(expect_list(definitions.get("subgraphs"), "definitions.subgraphs"))
    for entry in pending:
        subgraph = _subgraph(expect_object(entry, "a subgraph definition"))
        if subgraph.id in subgraphs:
            raise WorkflowError(f"two subgraph definitions have the id {subgraph.id!r}")
        subgraphs[subgraph.id] = subgraph
        nested = expect_object(entry.get("definitions"), "definitions of a subgraph")
        pending.extend(expect_list(nested.get("subgraphs"), "definitions.subgraphs of a subgraph"))
    return Workflow(_graph(data, "the workflow"), subgraphs, extra, document=data)


def parse_graph(nodes: list[Any], links: list[Any], where: str) -> Graph:
    """Parse the `nodes` and `links` arrays of one graph; `where` names it in errors."""
    parsed: dict[str, Node] = {}
    for position, entry in enumerate(nodes):
        node = parse_node(entry, f"node {position} of {where}", position)
        if node.id in parsed:
            raise WorkflowError(f"{where} has two nodes with the id {node.id}")
        parsed[node.id] = node
    wires = [_link(entry, where) for entry in links if entry is not None]
    return Graph(parsed, {wire.id: wire for wire in wires})


def parse_node(entry: Any, where: str, position: int) -> Node:
    """Parse one node; `position` is its place in the file, used where `order` is absent."""
    node = expect_object(entry, where)
    kind = node.get("type")
    if not isinstance(kind, str):
        raise WorkflowError(f"{where} has no type")
    where = f"{where} ({kind})"
    values = node.get("widgets_values")
    if values is not None and not isinstance(values, (list, dict)):
        raise WorkflowError(f"{where}: widgets_values is {type(values).__name__}, not a list or an object")
    named = node.get("widgets_values_named")
    return Node(
        id=_id(node.get("id"), where),
        type=kind,
        title=_text(node.get("title")),
        mode=expect_integer(node.get("mode") or 0, f"mode of {where}"),
        order=expect_integer(node.get("order", position), f"order of {where}"),
        inputs=tuple(_slot(slot, where) for slot in expect_list(node.get("inputs"), f"inputs of {where}")),
        outputs=tuple(_slot(slot, where) for slot in expect_list(node.get("outputs"), f"outputs of {where}")),
        values=values or [],
        named=named if isinstance(named, dict) else None,
        properties=expect_object(node.get("properties") or {}, f"properties of {where}"),
    )


def _graph(data: Mapping[str, Any], where: str) -> Graph:
    return parse_graph(
        expect_list(data.get("nodes"), f"nodes of {where}"),
        expect_list(data.get("links"), f"links of {where}"),
        where,
    )


def _subgraph(entry: Mapping[str, Any]) -> Subgraph:
    identity = _id(entry.get("id"), "a subgraph definition")
    name = _text(entry.get("name")) or identity
    where = f"subgraph {name!r}"
    graph = _graph(entry, where)
    return Subgraph(
        graph.nodes,
        graph.links,
        identity,
        name,
        tuple(_port(port, where) for port in expect_list(entry.get("inputs"), f"inputs of {where}")),
        tuple(_port(port, where) for port in expect_list(entry.get("outputs"), f"outputs of {where}")),
    )


def _port(entry: Any, where: str) -> Port:
    port = expect_object(entry, f"an input or output of {where}")
    links = expect_list(port.get("linkIds"), f"linkIds of {where}")
    return Port(
        _text(port.get("name")) or "",
        _type(port.get("type")),
        tuple(expect_integer(link, f"linkIds of {where}") for link in links),
    )


def _link(entry: Any, where: str) -> Link:
    if isinstance(entry, list) and len(entry) >= 5:
        fields = entry[:5]
    elif isinstance(entry, dict):
        keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
        fields = [entry.get(key) for key in keys]
    else:
        raise WorkflowError(f"a link of {where} is neither an object nor a list of at least five values")
    about = f"a link of {where}"
    return Link(
        expect_integer(fields[0], about),
        _id(fields[1], about),
        expect_integer(fields[2], about),
        _id(fields[3], about),
        expect_integer(fields[4], about),
    )


def _slot(entry: Any, where: str) -> Slot:
    slot = expect_object(entry, f"a slot of {where}")
    widget = slot.get("widget")
    link = slot.get("link")
    return Slot(
        _text(slot.get("name")) or "",
        _type(slot.get("type")),
        None if link is None else expect_integer(link, f"a slot's link of {where}"),
        _text(widget.get("name")) if isinstance(widget, dict) else None,
        _text(slot.get("label")),
    )


def _type(value: Any) -> str:
    """A slot type as one string; old files write a combo's type as the list of its options."""
    if isinstance(value, list):
        return "COMBO"
    return "*" if value in (None, "", 0) else str(value)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _id(value: Any, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, str)) or value == "":
        raise WorkflowError(f"{where} has no usable id: {value!r}")
    return str(value)


def expect_integer(value: Any, where: str) -> int:
    """A whole number, possibly written as text or with a point; `where` names it in the error."""
    if isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) < 19:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        raise WorkflowError(f"{where}: expected a whole number, got {value!r}")
    return int(value)


def expect_object(value: Any, where: str) -> dict[str, Any]:
    """A JSON object; null counts as an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise WorkflowError(f"{where}: expected an object, got {type(value).__name__}")
    return value


def expect_list(value: Any, where: str) -> list[Any]:
    """A JSON array; null counts as an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise WorkflowError(f"{where}: expected a list, got {type(value).__name__}")
    return value
