"""`comfy_execution.progress`: progress of nodes by id, passed on to the host's progress hook."""

from __future__ import annotations

from enum import Enum
from typing import Any


class NodeState(Enum):
    """Where a node stands."""

    Pending = "pending"
    Running = "running"
    Finished = "finished"
    Error = "error"


class ProgressState:
    """Reports a node's progress as `comfy.utils.ProgressBar` does."""

    def update_progress(self, node_id: str, value: float, max_value: float, image: Any = None) -> None:
        """`image` is a preview, (format, PIL image, largest side in pixels), or None."""
        from ..comfy.utils import ProgressBar

        ProgressBar(max_value, node_id=node_id).update_absolute(value, max_value, image)


_STATE = ProgressState()


def get_progress_state() -> ProgressState:
    return _STATE
