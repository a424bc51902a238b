"""Errors in the shapes that ComfyUI's clients read."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

from comfy_execution.graph import DependencyCycleError

_SHOWN_CHARACTERS = 2000


class ExpansionError(ValueError):
    """A node returned a subgraph that cannot be run."""


class ReturnError(TypeError):
    """A node's method returned something that is not a result."""


class CycleError(DependencyCycleError):
    """Nodes wait for each other; `nodes` names them in order."""

    def __init__(self, nodes: list[str]) -> None:
        super().__init__(f"Dependency cycle detected: {' -> '.join([*nodes, nodes[0]])}")
        self.nodes = nodes


def problem(kind: str, message: str, details: str = "", **extra_info: Any) -> dict[str, Any]:
    """A validation error: of a whole prompt, or in a node's list of errors.

    Args:
        kind: ComfyUI's name of the error, such as "value_smaller_than_min".
        message: one sentence for people.
        details: where it is and what was found.
        extra_info: what a client may want to compute with.
    """
    return {"type": kind, "message": message, "details": details, "extra_info": extra_info}


def exception_type(error: BaseException) -> str:
    """The exception's name with its module, "ValueError" or "torch.OutOfMemoryError"."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def exception_facts(error: BaseException, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What an `execution_error` event says of an exception.

    Args:
        error: the exception that the node raised.
        arguments: the lists that each input held, by input name.
    """
    return {
        "exception_message": str(error) or type(error).__name__,
        "exception_type": exception_type(error),
        "traceback": traceback.format_tb(error.__traceback__),
        "current_inputs": {name: [_shown(value) for value in values] for name, values in arguments.items()},
    }


def _shown(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def without_memory(error: BaseException) -> str | None:
    """Who had no memory left, "device" or "machine"; None where that was not the error.

    Told by name, since torch need not be loaded; where the CPU has none left it raises a plain RuntimeError.
    """
    names = {kind.__name__ for kind in type(error).__mro__}
    if "OutOfMemoryError" in names:
        return "device"
    lacks = "MemoryError" in names or "DefaultCPUAllocator: can't allocate" in str(error)
    return "machine" if lacks else None
