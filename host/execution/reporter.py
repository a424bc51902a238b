"""Tells a run's client, and its account, what happens: ComfyUI's events in ComfyUI's shapes."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from comfy_execution.graph import DynamicPrompt, ExecutionBlocker

from .errors import CycleError, exception_facts, without_memory
from .inputs import Lists
from .progress import Emit, ProgressRegistry
from .run import Run

_LOG = logging.getLogger(__name__)
_OUT_OF_MEMORY_TIP = "ran out of memory: use a smaller size, fewer frames or a smaller batch."


class Reporter:
    """Reports one run.

    Attributes:
        account: the run so far.
        progress: the state of its nodes.
    """

    def __init__(self, prompt_id: str, dynprompt: DynamicPrompt, emit: Emit) -> None:
        self.account = Run(prompt_id)
        self.progress = ProgressRegistry(prompt_id, dynprompt, emit)
        self._prompt = dynprompt.get_original_prompt()
        self._dynprompt = dynprompt
        self._emit = emit

    def message(self, event: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Emit an event that belongs to the run's history; returns its data."""
        data = {"prompt_id": self.account.prompt_id, **(data or {}), "timestamp": int(time.time() * 1000)}
        self.account.messages.append((event, data))
        self._emit(event, data)
        return data

    def started(self, node_id: str) -> None:
        """A node is about to be called."""
        self.progress.start(node_id)
        self._emit("executing", self._on_node(node_id))

    def showed(self, node_id: str, ui: dict[str, Any] | None, meta: dict[str, Any] | None = None) -> None:
        """A node shows something; `meta` comes with what an earlier run of it has shown."""
        if ui:
            self.account.outputs[node_id] = ui
            self.account.meta[node_id] = meta or {
                "node_id": node_id,
                "display_node": self._dynprompt.get_display_node_id(node_id),
                "parent_node": self._dynprompt.get_parent_node_id(node_id),
                "real_node_id": self._dynprompt.get_real_node_id(node_id),
            }
        self._emit("executed", self._on_node(node_id) | {"output": ui})

    def shown_by(self, node_id: str) -> dict[str, Any] | None:
        """What a node has shown in this run, with its place: {"meta": …, "output": …}."""
        if node_id not in self.account.outputs:
            return None
        return {"meta": self.account.meta[node_id], "output": self.account.outputs[node_id]}

    def finished(self, node_id: str) -> None:
        """A node has run to its end."""
        self.progress.finish(node_id)
        self.account.executed.append(node_id)

    def spent(self, node_id: str, seconds: float) -> None:
        """Add to the time that a node of the prompt, with its expansions, has taken."""
        root = self._dynprompt.get_real_node_id(node_id)
        self.account.node_seconds[root] = self.account.node_seconds.get(root, 0.0) + seconds

    def blocked(self, node_id: str, blocker: ExecutionBlocker) -> ExecutionBlocker:
        """A call is left out; a blocker's message is told once, at the first node that it stops."""
        if blocker.message is None:
            return blocker
        data = {
            "prompt_id": self.account.prompt_id,
            "node_id": node_id,
            "node_type": self._dynprompt.get_node(node_id)["class_type"],
            "executed": list(self.account.executed),
            "exception_message": f"Execution Blocked: {blocker.message}",
            "exception_type": "ExecutionBlocked",
            "traceback": [],
            "current_inputs": [],
            "current_outputs": [],
        }
        self.account.blocked.append(data)
        self._emit("execution_error", data)
        return ExecutionBlocker(None)

    def interrupted(self, node_id: str | None) -> None:
        """The user has cancelled while this node was running."""
        self._stop("interrupted", "execution_interrupted", node_id, {})

    def failed(self, node_id: str, error: Exception | SystemExit, lists: Lists) -> None:
        """A node has raised; `lists` is what it was called with."""
        _LOG.error("Node %s failed", node_id, exc_info=error)
        facts = exception_facts(error, lists)
        place = without_memory(error)
        if place == "device":
            from comfy.model_management import unload_all_models

            unload_all_models()
        if place:
            facts["exception_message"] += f"\nThe {place} {_OUT_OF_MEMORY_TIP}"
        self._stop("error", "execution_error", node_id, facts | {"current_outputs": list(self._prompt)})

    def caught_in_cycle(self, error: CycleError) -> None:
        """Nodes wait for each other; a validated prompt has no cycle, so an expansion has closed it."""
        expanded = [node_id for node_id in error.nodes if self._dynprompt.get_parent_node_id(node_id)]
        facts = {
            "exception_message": str(error),
            "exception_type": "graph.DependencyCycleError",
            "traceback": [],
            "current_inputs": [],
            "current_outputs": list(self._prompt),
        }
        self._stop("error", "execution_error", (expanded or error.nodes)[0], facts)

    def _stop(self, status: Any, event: str, node_id: str | None, facts: dict[str, Any]) -> None:
        root = None
        if node_id is not None:
            self.progress.fail(node_id)
            root = self._dynprompt.get_real_node_id(node_id)
        node_type = self._prompt[root]["class_type"] if root is not None else None
        blame = {"node_id": root, "node_type": node_type, "executed": list(self.account.executed)}
        self.account.status = status
        self.account.error = self.message(event, blame | facts)

    def _on_node(self, node_id: str) -> dict[str, Any]:
        return {
            "node": node_id,
            "display_node": self._dynprompt.get_display_node_id(node_id),
            "prompt_id": self.account.prompt_id,
        }
