"""Progress of the nodes of a run, as `progress` and `progress_state` events.

`comfy.utils.ProgressBar` reports to one hook of the whole process. `report_progress` is that hook: it finds
the run and the node that a report belongs to by the context in which the node's code runs, so that nodes
that run side by side never mix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from comfy.model_management import throw_exception_if_processing_interrupted
from comfy_execution.graph import DynamicPrompt
from comfy_execution.utils import get_executing_context

Emit = Callable[[str, dict[str, Any]], None]
"""Takes an event's name and its data; also called from threads in which nodes report their progress."""

PREVIEW = "preview"
"""Event with a node's preview: {"image": (format, PIL image, largest side or None), "metadata": {…}}."""


class ProgressRegistry:
    """The state of every node of a run that has been started.

    Args:
        prompt_id: id of the run.
        dynprompt: the prompt with its expansions, which knows on which node of the editor one is shown.
        emit: takes the events.
    """

    def __init__(self, prompt_id: str, dynprompt: DynamicPrompt, emit: Emit) -> None:
        self.prompt_id = prompt_id
        self.last_node: str | None = None
        self._dynprompt = dynprompt
        self._emit = emit
        self._nodes: dict[str, dict[str, Any]] = {}

    def start(self, node_id: str) -> None:
        """A node begins."""
        self.last_node = node_id
        self._set(node_id, "running", 0, 1)

    def update(self, node_id: str, value: float, maximum: float, preview: Any = None) -> None:
        """A node has done `value` of `maximum`; `preview` is (format, PIL image, largest side) or None."""
        self._set(node_id, "running", value, maximum)
        self._emit("progress", {"value": value, "max": maximum, "prompt_id": self.prompt_id, "node": node_id})
        if preview is not None:
            self._emit(PREVIEW, {"image": preview, "metadata": self._place(node_id)})

    def finish(self, node_id: str) -> None:
        """A node is done, or was found in the cache."""
        maximum = self._nodes[node_id]["max"] if node_id in self._nodes else 1
        self._set(node_id, "finished", maximum, maximum)

    def fail(self, node_id: str) -> None:
        """A node has failed."""
        known = self._nodes.get(node_id, {"value": 0, "max": 1})
        self._set(node_id, "error", known["value"], known["max"])

    def _set(self, node_id: str, state: str, value: float, maximum: float) -> None:
        # An entry is replaced, never changed: earlier events share it.
        self._nodes[node_id] = {"value": value, "max": maximum, "state": state, **self._place(node_id)}
        self._emit("progress_state", {"prompt_id": self.prompt_id, "nodes": dict(self._nodes)})

    def _place(self, node_id: str) -> dict[str, Any]:
        return {
            "node_id": node_id,
            "prompt_id": self.prompt_id,
            "display_node_id": self._dynprompt.get_display_node_id(node_id),
            "parent_node_id": self._dynprompt.get_parent_node_id(node_id),
            "real_node_id": self._dynprompt.get_real_node_id(node_id),
        }


_here: ContextVar[ProgressRegistry | None] = ContextVar("progress_registry", default=None)
_running: list[ProgressRegistry] = []


@contextmanager
def reporting_to(registry: ProgressRegistry) -> Iterator[None]:
    """Send the progress of all that runs inside to a registry."""
    from comfy.utils import set_progress_bar_global_hook

    set_progress_bar_global_hook(report_progress)
    token = _here.set(registry)
    _running.append(registry)
    try:
        yield
    finally:
        _running.remove(registry)
        _here.reset(token)


def report_progress(
    value: float, total: float, preview: Any = None, prompt_id: str | None = None, node_id: str | None = None
) -> None:
    """The progress hook; raises the host's interrupt when the user has cancelled.

    A thread that a node started has no context of its own: its reports go to the node started last.
    """
    throw_exception_if_processing_interrupted()
    registry = _here.get() or (_running[-1] if _running else None)
    if registry is None:
        return
    context = get_executing_context()
    node_id = node_id or (context.node_id if context else registry.last_node)
    if node_id is not None:
        registry.update(node_id, value, total, preview)
