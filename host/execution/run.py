"""The account of one execution of a prompt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass
class Run:
    """What came of executing a prompt.

    Attributes:
        prompt_id: id of the execution.
        status: "success", "error" or "interrupted".
        outputs: what each node showed, by node id: {"images": [{"filename": …}], "text": […], …}.
        meta: where each of these belongs, by node id: node_id, display_node, parent_node, real_node_id.
        error: data of the `execution_error` or `execution_interrupted` event, None after a success.
        blocked: data of the errors by which blocked branches were reported; these do not end a run.
        seconds: from start to end.
        node_seconds: per node of the prompt, what it and its expansions took.
        cached: ids of the prompt's nodes whose results were at hand at the start.
        executed: ids of the nodes that ran, in order, those of expansions included.
        messages: (event, data) of the events that make up a history entry.
    """

    prompt_id: str
    status: Literal["success", "error", "interrupted"] = "success"
    outputs: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    meta: dict[str, dict[str, Any]] = field(default_factory=dict)
    error: dict[str, Any] | None = None
    blocked: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    node_seconds: dict[str, float] = field(default_factory=dict)
    cached: list[str] = field(default_factory=list)
    executed: list[str] = field(default_factory=list)
    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
