"""What a node is called with: constants, results of other nodes, hidden values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from comfy_execution.graph_utils import is_link

from .dynamic import LiveInputs

Lists = dict[str, Any]
"""Input name → the list of values that it holds: one item per call, the last one repeated."""


class Given(NamedTuple):
    """A node's inputs, ready to be called with.

    Attributes:
        lists: the arguments.
        missing: linked inputs without a result (yet), which hold `(None,)`.
        hidden: what a V3 node finds in `cls.hidden`, by kind; for V1, hidden inputs are arguments.
    """

    lists: Lists
    missing: set[str]
    hidden: dict[str, Any]


def hidden_values(
    live: LiveInputs, node_id: str, dynprompt: Any = None, extra_data: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The values of the hidden inputs that a node asks for, by kind ("UNIQUE_ID", "PROMPT", …)."""
    if not live.hidden:
        return {}
    extra = extra_data or {}
    known = {
        "PROMPT": dynprompt.get_original_prompt() if dynprompt is not None else {},
        "DYNPROMPT": dynprompt,
        "EXTRA_PNGINFO": extra.get("extra_pnginfo"),
        "UNIQUE_ID": node_id,
        "AUTH_TOKEN_COMFY_ORG": extra.get("auth_token_comfy_org"),
        "API_KEY_COMFY_ORG": extra.get("api_key_comfy_org"),
    }
    return {kind: known[kind] for kind in live.hidden.values() if kind in known}


def gather(
    inputs: Mapping[str, Any],
    live: LiveInputs,
    hidden: Mapping[str, Any],
    is_v3: bool,
    result: Callable[[str, str], list[list[Any]] | None] = lambda name, source: None,
) -> Given:
    """Collect a node's arguments.

    Args:
        inputs: the node's inputs in the prompt.
        live: the inputs that it declares.
        hidden: `hidden_values` of the node.
        is_v3: hidden values go to the class, not among the arguments.
        result: (input name, source node id) → the source's output lists, or None while there are none.
    """
    lists: Lists = {}
    missing: set[str] = set()
    for name, value in inputs.items():
        spec = live.specs.get(name)
        if is_link(value) and not (spec and spec.options.get("rawLink")):
            outputs = result(name, value[0])
            if outputs is None or value[1] >= len(outputs):
                missing.add(name)
                lists[name] = (None,)
            else:
                lists[name] = outputs[value[1]]
        elif spec or name in live.hidden:
            lists[name] = [value]
    if is_v3:
        return Given(lists, missing, dict(hidden))
    lists |= {name: [hidden[kind]] for name, kind in live.hidden.items() if kind in hidden}
    return Given(lists, missing, {})
