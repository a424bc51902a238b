"""What a node's method returned, in one form: output lists, values for the interface, subgraphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from comfy_execution.graph import ExecutionBlocker
from comfy_execution.graph_utils import is_link

from .definition import NodeDefinition
from .errors import ReturnError

Outputs = list[list[Any]]
"""One list per output slot, with an item per call (or per item that a list output returned)."""


class Returned(NamedTuple):
    """The result of one call.

    Attributes:
        values: one per output slot; in an expansion links into the subgraph are allowed. None: no result.
        ui: what the editor shows, lists by key.
        expand: a subgraph to run in the node's place, nodes by id.
    """

    values: tuple[Any, ...] | None
    ui: dict[str, list[Any]] | None = None
    expand: dict[str, dict[str, Any]] | None = None


def read_return(value: Any, definition: NodeDefinition) -> Returned:
    """Read what a V1 or V3 method returned.

    Raises:
        ReturnError: it is neither a tuple nor one of the known forms.
    """
    if isinstance(value, ExecutionBlocker):
        return Returned(_all_blocked(value, definition))
    if isinstance(value, dict):
        ui, expand = value.get("ui"), value.get("expand")
        return Returned(_values(value.get("result"), definition), ui, expand)
    if hasattr(value, "block_execution"):  # a V3 NodeOutput
        ui = value.ui if value.ui is None or isinstance(value.ui, dict) else value.ui.as_dict()
        if value.block_execution is not None:
            return Returned(
                _all_blocked(ExecutionBlocker(value.block_execution), definition), ui, value.expand
            )
        return Returned(_values(value.result, definition), ui, value.expand)
    if value is None and definition.return_types:
        raise ReturnError(_wrong_return("nothing", definition))
    return Returned(_values(() if value is None else value, definition))


def _values(result: Any, definition: NodeDefinition) -> tuple[Any, ...] | None:
    if result is None:
        return None
    if isinstance(result, ExecutionBlocker):
        return _all_blocked(result, definition)
    if isinstance(result, (tuple, list, map)):
        return tuple(result)
    raise ReturnError(_wrong_return(f"a {type(result).__name__}", definition))


def _wrong_return(found: str, definition: NodeDefinition) -> str:
    count = len(definition.return_types)
    return f"{definition.class_type} returned {found}; it must return a tuple of its {count} outputs"


def _all_blocked(blocker: ExecutionBlocker, definition: NodeDefinition) -> tuple[Any, ...]:
    return (blocker,) * len(definition.return_types)


def merged(
    returns: list[Returned],
    definition: NodeDefinition,
    linked: Callable[[list[Any]], list[Any]] | None = None,
) -> Outputs:
    """Join the results of a node's calls slot by slot.

    Args:
        linked: the items behind a link of an expansion's result; None where links are plain values.
    """
    results = [returned for returned in returns if returned.values is not None]
    if not results:
        return []
    slots = min(len(results[0].values), len(definition.output_is_list))
    outputs: Outputs = [[] for _ in range(slots)]
    for returned in results:
        if len(returned.values) < slots:
            raise ReturnError(_wrong_return(f"{len(returned.values)} values", definition))
        for slot in range(slots):
            value, is_list = returned.values[slot], definition.output_is_list[slot]
            if linked and returned.expand is not None and is_link(value):
                outputs[slot] += linked(value)
            elif is_list and not isinstance(value, ExecutionBlocker):
                outputs[slot] += value
            else:
                outputs[slot].append(value)
    return outputs


def merged_ui(returns: list[Returned]) -> dict[str, list[Any]]:
    """Join what the calls want shown, key by key."""
    shown: dict[str, list[Any]] = {}
    for returned in returns:
        for key, items in (returned.ui or {}).items():
            shown.setdefault(key, []).extend(items)
    return shown
