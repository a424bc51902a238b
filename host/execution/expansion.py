"""Subgraphs that nodes return to be run in their place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from comfy_execution.graph import DynamicPrompt
from comfy_execution.graph_utils import is_link

from .definition import Catalogue
from .errors import ExpansionError
from .results import Returned


def add_expansion(
    parent: str, returns: Iterable[Returned], dynprompt: DynamicPrompt, catalogue: Catalogue
) -> list[str]:
    """Add the nodes that `parent` has returned to the prompt; returns their ids.

    Raises:
        ExpansionError: an unknown class, an id that is taken, or a link that leads nowhere.
    """
    children: dict[str, dict[str, Any]] = {}
    for returned in returns:
        children |= returned.expand or {}
    where = f"The subgraph that node {parent} returned"
    for child_id, child in children.items():
        if child["class_type"] not in catalogue:
            raise ExpansionError(f"{where} has a {child['class_type']}, which no pack that is loaded has")
        if dynprompt.has_node(child_id):
            raise ExpansionError(f"{where} uses the node id {child_id} again; build it with GraphBuilder()")
        for name, value in child["inputs"].items():
            if is_link(value) and value[0] not in children and not dynprompt.has_node(value[0]):
                raise ExpansionError(f"{where} links {name} of {child_id} to {value[0]}, which is not there")
    for child_id, child in children.items():
        dynprompt.add_ephemeral_node(child_id, child, parent, child.get("override_display_id", parent))
    return list(children)


def linked_nodes(returns: Iterable[Returned]) -> set[str]:
    """The nodes whose outputs are the results of expansions."""
    return {
        value[0]
        for returned in returns
        if returned.expand is not None
        for value in returned.values or ()
        if is_link(value)
    }
