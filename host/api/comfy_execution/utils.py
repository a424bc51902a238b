"""`comfy_execution.utils`: which node is running in this thread or task."""

from __future__ import annotations

import contextvars
from typing import Any, NamedTuple


class ExecutionContext(NamedTuple):
    """The running node; `list_index` counts its calls when it runs once per item of a list."""

    prompt_id: str
    node_id: str
    list_index: int | None


current_executing_context: contextvars.ContextVar[ExecutionContext | None] = contextvars.ContextVar(
    "current_executing_context", default=None
)


def get_executing_context() -> ExecutionContext | None:
    """The node running here, None outside of an execution."""
    return current_executing_context.get()


class CurrentNodeContext:
    """`with CurrentNodeContext(prompt_id, node_id):` the host calls nodes inside it."""

    def __init__(self, prompt_id: str, node_id: str, list_index: int | None = None) -> None:
        self.context = ExecutionContext(prompt_id, node_id, list_index)

    def __enter__(self) -> CurrentNodeContext:
        self._token = current_executing_context.set(self.context)
        return self

    def __exit__(self, *_: Any) -> None:
        current_executing_context.reset(self._token)
