"""Widgets of inner nodes that a subgraph node shows, and the values it holds for them.

A widget is promoted by a wire from the subgraph's input to the widget's slot, or (editors 1.28 to
1.45) by an entry `[inner node id, widget name]` in the `proxyWidgets` property, where the id -1
names an input of the subgraph. The node's `widgets_values` hold the promoted values: in the order of
the wired widgets, or of `proxyWidgets` where that exists. What is not saved keeps the inner value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from .document import Node, Port, Subgraph
from .editor_nodes import PRIMITIVE

if TYPE_CHECKING:
    from .instances import Circuit

_LEGACY_PREFIX = re.compile(r"^\s*\d+\s*:\s*(?=\S)")


@dataclass(frozen=True)
class Promotion:
    """A widget on a subgraph node.

    name: of the subgraph input that feeds it; source: the inner node id and widget name.
    target: the source again, where no wire leads there and the value must be handed over.
    """

    name: str
    value: Any
    source: tuple[str, str]
    target: tuple[str, str] | None = None


class _Entry(NamedTuple):
    node: str
    widget: str
    saved: bool
    value: Any


def promotions(circuit: Circuit, host: Node) -> list[Promotion]:
    """The promoted widgets of a subgraph node with their values, before any outer node's say."""
    subgraph = circuit.subgraphs[host.type]
    wired = [found for port in subgraph.inputs if (found := _wired(circuit, subgraph, port))]
    found = _with_values(wired, host)
    for entry in _proxy_entries(host):
        found = _with_entry(circuit, subgraph, found, entry)
    return found


def _wired(circuit: Circuit, subgraph: Subgraph, port: Port) -> Promotion | None:
    """The first widget that the port's wires reach."""
    for wire in port.links:
        link = subgraph.links.get(wire)
        node = subgraph.nodes.get(link.target) if link else None
        if node is None:
            continue
        slot = next((slot for slot in circuit.form(subgraph, node).inputs if slot.link == wire), None)
        value = _widget_value(circuit, subgraph, node, slot.name) if slot else None
        if slot and value:
            return Promotion(port.name, value[0], (node.id, slot.name))
    return None


def _widget_value(circuit: Circuit, subgraph: Subgraph, node: Node, name: str) -> tuple[Any] | None:
    """The value of an inner widget in a tuple, or None where there is no such widget."""
    if circuit.is_host(node):
        for inner in circuit.promoted(subgraph, node):
            if inner.name == name:
                return (inner.value,)
        return None
    form = circuit.form(subgraph, node)
    slot = form.input(name)
    return (form.values.get(name),) if slot and slot.widget else None


def _with_values(wired: list[Promotion], host: Node) -> list[Promotion]:
    """Apply the saved values: by place, or by name where their number does not fit the widgets."""
    if isinstance(host.values, dict):
        return [replace(item, value=host.values.get(item.name, item.value)) for item in wired]
    if host.named is not None and len(host.values) != len(wired):
        return [replace(item, value=host.named.get(item.name, item.value)) for item in wired]
    kept = _values_kept_by_name(host)
    placed = dict(enumerate(host.values))
    return [
        replace(item, value=kept.get(item.name, placed.get(place, item.value)))
        for place, item in enumerate(wired)
    ]


def _values_kept_by_name(host: Node) -> dict[str, Any]:
    """Values of inputs that the editor set aside when it migrated `proxyWidgets` to wires."""
    kept: dict[str, Any] = {}
    for record in _records(host.properties.get("proxyWidgetErrorQuarantine")):
        entry = record.get("originalEntry")
        named = isinstance(entry, list) and len(entry) >= 2 and str(entry[0]) == "-1"
        if named and isinstance(entry[1], str) and "hostValue" in record:
            kept.setdefault(entry[1], record["hostValue"])
    return kept


def _records(value: Any) -> list[dict[str, Any]]:
    return [record for record in value if isinstance(record, dict)] if isinstance(value, list) else []


def _proxy_entries(host: Node) -> list[_Entry]:
    listed = host.properties.get("proxyWidgets")
    values = host.values if isinstance(host.values, list) else []
    entries = []
    for place, item in enumerate(listed if isinstance(listed, list) else []):
        if isinstance(item, list) and len(item) >= 2 and isinstance(item[1], str):
            saved = place < len(values)
            entries.append(_Entry(str(item[0]), item[1], saved, values[place] if saved else None))
    return entries


def _with_entry(
    circuit: Circuit, subgraph: Subgraph, found: list[Promotion], entry: _Entry
) -> list[Promotion]:
    """Apply one `proxyWidgets` entry: set a wired widget's value, or promote another widget."""
    for place, item in enumerate(found):
        names_it = (
            item.name == entry.widget if entry.node == "-1" else item.source == (entry.node, entry.widget)
        )
        if names_it:
            value = entry.value if entry.saved else item.value
            return [*found[:place], replace(item, value=value), *found[place + 1 :]]
    source = _source(circuit, subgraph, entry)
    if source is None:
        return found
    (node, name), inner = source
    value = entry.value if entry.saved else inner
    return [*found, Promotion(_unique(name, found, subgraph), value, (node, name), (node, name))]


def _source(circuit: Circuit, subgraph: Subgraph, entry: _Entry) -> tuple[tuple[str, str], Any] | None:
    """The inner node id and input that an entry means, with its inner value; None if there is none."""
    node = subgraph.nodes.get(entry.node)
    if node is None:
        return None
    if node.type == PRIMITIVE:
        return ((node.id, "value"), primitive_value(node, None))
    bare = entry.widget
    while _LEGACY_PREFIX.match(bare):
        bare = _LEGACY_PREFIX.sub("", bare, count=1)
    for name in (entry.widget, bare):
        if circuit.is_host(node):
            for inner in circuit.promoted(subgraph, node):
                if name in (inner.name, inner.source[1]):
                    return ((node.id, inner.name), inner.value)
        elif value := _widget_value(circuit, subgraph, node, name):
            return ((node.id, name), value[0])
    return None


def _unique(name: str, found: list[Promotion], subgraph: Subgraph) -> str:
    taken = {item.name for item in found} | {port.name for port in subgraph.inputs}
    candidate, number = name, 1
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate


def primitive_value(node: Node, fallback: Any) -> Any:
    """The value a primitive node hands to the widgets it is wired to."""
    if isinstance(node.values, list) and node.values:
        return node.values[0]
    return fallback
