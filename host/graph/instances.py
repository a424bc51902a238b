"""Where each node lives: the root graph and, for every subgraph node that runs, a copy of its inside.

A node inside subgraph nodes 5 and 12 has the path ("5", "12") and the execution id "5:12:7".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .document import Graph, Node, Slot, Subgraph, Workflow
from .editor_nodes import FRONTEND_ONLY
from .errors import MissingNode, MissingNodes, WorkflowError
from .form import Form, build_form, unknown_form
from .promotions import Promotion, promotions

MAX_NESTING = 32
MAX_NODES = 50_000


@dataclass
class Instance:
    """One graph at one place.

    host: the subgraph node that this is the inside of; None for the root.
    forced: values that the host gives to inner widgets, by node id and input name.
    """

    path: tuple[str, ...]
    graph: Graph
    parent: Instance | None = None
    host: Node | None = None
    promoted: dict[str, Any] = field(default_factory=dict)
    forced: dict[tuple[str, str], Any] = field(default_factory=dict)

    def execution_id(self, node: Node) -> str:
        return ":".join((*self.path, node.id))


class Circuit:
    """A workflow unfolded against the installed node types.

    Raises:
        MissingNodes: a node that runs is of no known type.
        WorkflowError: a subgraph contains itself, or unfolds to more than 50 000 nodes.
    """

    def __init__(self, workflow: Workflow, object_info: Mapping[str, Any]) -> None:
        self.subgraphs = workflow.subgraphs
        self.object_info = object_info
        self._forms: dict[tuple[int, str], Form] = {}
        self._promotions: dict[tuple[int, str], list[Promotion]] = {}
        self._refuse_self_containment()
        self.instances: dict[tuple[str, ...], Instance] = {}
        self._unfold(Instance((), workflow.root))
        self._refuse_missing()

    def nodes(self) -> Iterator[tuple[Instance, Node]]:
        """Every node of every instance, in the order of the file's `order`."""
        for instance in self.instances.values():
            for node in sorted(instance.graph.nodes.values(), key=lambda node: node.order):
                yield instance, node

    def is_host(self, node: Node) -> bool:
        """Whether the node is an instance of a subgraph."""
        return node.type in self.subgraphs

    def is_known(self, node: Node) -> bool:
        return node.type in self.object_info

    def form(self, graph: Graph, node: Node) -> Form:
        """The node's inputs, outputs and widget values, the same in every instance of the graph."""
        key = (id(graph), node.id)
        if key not in self._forms:
            self._forms[key] = self._build_form(node)
        return self._forms[key]

    def promoted(self, graph: Graph, host: Node) -> list[Promotion]:
        """The inner widgets that a subgraph node shows, with the values it holds for them."""
        key = (id(graph), host.id)
        if key not in self._promotions:
            self._promotions[key] = promotions(self, host)
        return self._promotions[key]

    def _build_form(self, node: Node) -> Form:
        if self.is_host(node):
            return _host_form(node, self.subgraphs[node.type])
        if self.is_known(node):
            return build_form(node, self.object_info[node.type])
        return unknown_form(node)

    def _unfold(self, instance: Instance) -> None:
        pending = [instance]
        count = 0
        while pending:
            instance = pending.pop()
            self.instances[instance.path] = instance
            count += len(instance.graph.nodes)
            if count > MAX_NODES:
                raise WorkflowError(f"the workflow unfolds to more than {MAX_NODES} nodes")
            hosts = [node for node in instance.graph.nodes.values() if self.is_host(node) and node.runs]
            pending += [self._inside(instance, host) for host in reversed(hosts)]

    def _inside(self, parent: Instance, host: Node) -> Instance:
        inside = Instance((*parent.path, host.id), self.subgraphs[host.type], parent, host)
        for promotion in self.promoted(parent.graph, host):
            value = parent.forced.get((host.id, promotion.name), promotion.value)
            if promotion.target:
                inside.forced[promotion.target] = value
            else:
                inside.promoted[promotion.name] = value
        return inside

    def _refuse_self_containment(self) -> None:
        """Depth-first over definitions: no definition may contain itself, nor nest too deep."""
        depth: dict[str, int] = {}

        def visit(identity: str, above: tuple[str, ...]) -> int:
            name = self.subgraphs[identity].name
            if identity in above:
                raise WorkflowError(f"subgraph {name!r} contains itself")
            if len(above) >= MAX_NESTING:
                raise WorkflowError(f"subgraphs are nested deeper than {MAX_NESTING} levels, at {name!r}")
            if identity not in depth:
                nodes = self.subgraphs[identity].nodes.values()
                inner = {node.type for node in nodes if self.is_host(node)}
                below = [visit(kind, (*above, identity)) for kind in sorted(inner)]
                depth[identity] = 1 + max(below, default=0)
            if len(above) + depth[identity] > MAX_NESTING:
                raise WorkflowError(f"subgraphs are nested deeper than {MAX_NESTING} levels, at {name!r}")
            return depth[identity]

        for identity in self.subgraphs:
            visit(identity, ())

    def _refuse_missing(self) -> None:
        missing: dict[str, list[tuple[str, Node]]] = {}
        for instance, node in self.nodes():
            known = self.is_known(node) or self.is_host(node) or node.type in FRONTEND_ONLY
            if node.runs and not known:
                missing.setdefault(node.type, []).append((instance.execution_id(node), node))
        if missing:
            raise MissingNodes(_missing_node(kind, uses) for kind, uses in sorted(missing.items()))


def _missing_node(kind: str, uses: list[tuple[str, Node]]) -> MissingNode:
    properties = uses[0][1].properties
    pack = properties.get("cnr_id") or properties.get("aux_id")
    version = properties.get("ver")
    return MissingNode(
        kind,
        tuple(identity for identity, _ in uses),
        pack if isinstance(pack, str) else None,
        version if isinstance(version, str) else None,
    )


def _host_form(host: Node, subgraph: Subgraph) -> Form:
    """A subgraph node's slots are its definition's ports; the file's wires are matched by name."""
    slots = []
    for port in subgraph.inputs:
        saved = host.input(port.name)
        slots.append(Slot(port.name, port.type, saved.link if saved else None))
    return Form(tuple(slots), tuple(port.type for port in subgraph.outputs))
