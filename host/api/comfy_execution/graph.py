"""`comfy_execution.graph`: the prompt as it grows while nodes expand."""

from __future__ import annotations

from typing import Any

from .graph_utils import ExecutionBlocker, is_link

__all__ = [
    "DependencyCycleError",
    "DynamicPrompt",
    "ExecutionBlocker",
    "NodeInputError",
    "NodeNotFoundError",
    "get_input_info",
    "is_link",
]


class DependencyCycleError(Exception):
    """Nodes that wait for each other."""


class NodeInputError(Exception):
    """A node asked for an input that is not there or is no link."""


class NodeNotFoundError(Exception):
    """A node id that is in no part of the prompt."""


class DynamicPrompt:
    """The prompt and the nodes that expansion has added to it.

    `ephemeral_parents` has, for an added node, the node that returned it; `ephemeral_display` the node
    on which the editor shows it.
    """

    def __init__(self, original_prompt: dict[str, dict[str, Any]]) -> None:
        self.original_prompt = original_prompt
        self.ephemeral_prompt: dict[str, dict[str, Any]] = {}
        self.ephemeral_parents: dict[str, str] = {}
        self.ephemeral_display: dict[str, str] = {}

    def get_node(self, node_id: str) -> dict[str, Any]:
        """The node in API format.

        Raises:
            NodeNotFoundError: the prompt has no such node.
        """
        for graph in (self.ephemeral_prompt, self.original_prompt):
            if node_id in graph:
                return graph[node_id]
        raise NodeNotFoundError(f"Node {node_id} not found")

    def has_node(self, node_id: str) -> bool:
        return node_id in self.original_prompt or node_id in self.ephemeral_prompt

    def add_ephemeral_node(
        self, node_id: str, node_info: dict[str, Any], parent_id: str, display_id: str
    ) -> None:
        self.ephemeral_prompt[node_id] = node_info
        self.ephemeral_parents[node_id] = parent_id
        self.ephemeral_display[node_id] = display_id

    def get_parent_node_id(self, node_id: str) -> str | None:
        return self.ephemeral_parents.get(node_id)

    def get_real_node_id(self, node_id: str) -> str:
        """The node of the original prompt from which this one came."""
        while node_id in self.ephemeral_parents:
            node_id = self.ephemeral_parents[node_id]
        return node_id

    def get_display_node_id(self, node_id: str) -> str:
        """The node on which the editor shows this one."""
        while node_id in self.ephemeral_display:
            node_id = self.ephemeral_display[node_id]
        return node_id

    def all_node_ids(self) -> set[str]:
        return self.original_prompt.keys() | self.ephemeral_prompt.keys()

    def get_original_prompt(self) -> dict[str, dict[str, Any]]:
        return self.original_prompt


def get_input_info(
    class_def: type, input_name: str, valid_inputs: dict | None = None
) -> tuple[Any, str | None, dict | None]:
    """An input's (type, category, options), each None where the node has no such input."""
    inputs = valid_inputs or class_def.INPUT_TYPES()
    for category in ("required", "optional", "hidden"):
        entry = inputs.get(category, {}).get(input_name)
        if entry is not None:
            return entry[0], category, entry[1] if len(entry) > 1 else {}
    return None, None, None
