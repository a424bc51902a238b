"""`io.NodeReplace`: what a pack says of a node that another one has replaced."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class NodeReplace:
    """An old node, and how a new one takes its place.

    Attributes:
        old_widget_ids: the old node's inputs in the order in which a saved graph lists their values.
        input_mapping: {"new_id": …} with "old_id" or "set_value", for each input of the new node.
        output_mapping: {"new_idx": …, "old_idx": …} for each output.
    """

    new_node_id: str
    old_node_id: str
    old_widget_ids: list[str] | None = None
    input_mapping: list[dict[str, Any]] | None = None
    output_mapping: list[dict[str, Any]] | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


REPLACEMENTS: dict[str, list[NodeReplace]] = {}
"""Every registered replacement by the old node's id, the first one first."""


def register(node_replace: NodeReplace) -> None:
    """Offer a replacement; one of the same two nodes that is there already stays."""
    entries = REPLACEMENTS.setdefault(node_replace.old_node_id, [])
    if all(entry.new_node_id != node_replace.new_node_id for entry in entries):
        entries.append(node_replace)
