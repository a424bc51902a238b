"""`comfy_execution.graph_utils`: building the graph that an expanding node returns."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

_default_prefix: ContextVar[list[Any]] = ContextVar("default_prefix", default=["", 0, 0])  # noqa: B039 - outside of any node all share one
"""Root, call and graph number of the running node; asynchronous nodes side by side have each their own."""


def is_link(value: Any) -> bool:
    """Whether an input's value is a link, [node id, output number]."""
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], (int, float))
    )


class ExecutionBlocker:
    """Returned as an output: nodes that use it are skipped, and `message`, if any, becomes their error."""

    def __init__(self, message: str | None) -> None:
        self.message = message


class Node:
    """A node of a graph under construction; inputs may be values or links from `out()`."""

    def __init__(self, id: str, class_type: str, inputs: dict[str, Any]) -> None:
        self.id = id
        self.class_type = class_type
        self.inputs = inputs
        self.override_display_id: str | None = None

    def out(self, index: int) -> list:
        """A link to one of the node's outputs."""
        return [self.id, index]

    def set_input(self, key: str, value: Any) -> None:
        """Set an input; None removes it."""
        if value is None:
            self.inputs.pop(key, None)
        else:
            self.inputs[key] = value

    def get_input(self, key: str) -> Any:
        return self.inputs.get(key)

    def set_override_display_id(self, override_display_id: str) -> None:
        """Show this node's progress and errors on another node of the editor."""
        self.override_display_id = override_display_id

    def serialize(self) -> dict[str, Any]:
        """The node in API format."""
        shown = {} if self.override_display_id is None else {"override_display_id": self.override_display_id}
        return {"class_type": self.class_type, "inputs": self.inputs, **shown}


class GraphBuilder:
    """Builds a graph in API format whose node ids meet no others.

    The host calls `set_default_prefix` with the running node's id before each call of a node, so that
    the same call always makes the same ids, which keeps expanded nodes cacheable.
    """

    def __init__(self, prefix: str | None = None) -> None:
        self.prefix = self.alloc_prefix() if prefix is None else prefix
        self.nodes: dict[str, Node] = {}
        self.id_gen = 1

    @classmethod
    def set_default_prefix(cls, prefix_root: str, call_index: int, graph_index: int = 0) -> None:
        _default_prefix.set([prefix_root, call_index, graph_index])

    @classmethod
    def alloc_prefix(
        cls, root: str | None = None, call_index: int | None = None, graph_index: int | None = None
    ) -> str:
        """A prefix "root.call.graph." that the running node has not used yet."""
        default = _default_prefix.get()
        given = (root, call_index, graph_index)
        parts = [known if part is None else part for part, known in zip(given, default, strict=True)]
        default[2] += 1
        return "".join(f"{part}." for part in parts)

    def node(self, class_type: str, id: str | None = None, **inputs: Any) -> Node:
        """Add a node, or return the one that already has this id."""
        if id is None:
            id = str(self.id_gen)
            self.id_gen += 1
        full_id = self.prefix + id
        return self.nodes.setdefault(full_id, Node(full_id, class_type, inputs))

    def lookup_node(self, id: str) -> Node | None:
        return self.nodes.get(self.prefix + id)

    def finalize(self) -> dict[str, dict[str, Any]]:
        """The graph in API format, for `NodeOutput(expand=…)`."""
        return {node_id: node.serialize() for node_id, node in self.nodes.items()}

    def replace_node_output(self, node_id: str, index: int, new_value: Any) -> None:
        """Replace every link to one output by a value or another link; None removes those inputs."""
        old = [self.prefix + node_id, index]
        for node in self.nodes.values():
            for key in [key for key, value in node.inputs.items() if is_link(value) and value == old]:
                node.set_input(key, new_value)

    def remove_node(self, id: str) -> None:
        del self.nodes[self.prefix + id]


def add_graph_prefix(graph: dict, outputs: list | tuple, prefix: str) -> tuple[dict, tuple]:
    """The same graph with a prefix on every node id and link, and its outputs to match."""

    def moved(value: Any) -> Any:
        return [prefix + value[0], value[1]] if is_link(value) else value

    prefixed = {
        prefix + node_id: {
            "class_type": node["class_type"],
            "inputs": {name: moved(value) for name, value in node.get("inputs", {}).items()},
        }
        for node_id, node in graph.items()
    }
    return prefixed, tuple(moved(output) for output in outputs)
