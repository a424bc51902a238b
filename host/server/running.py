"""What a client that comes late must be told of the running prompt."""

from __future__ import annotations

import threading
from typing import Any

_KEPT_ALL = {"execution_start", "execution_cached", "executed", "execution_error"}
_KEPT_LAST = {"progress_state", "executing"}


class RunningPrompt:
    """The messages of the running prompt that a reloaded page needs to stand where it stood."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.client_id: str | None = None
        self._story: list[tuple[str, Any]] = []
        self._latest: dict[str, Any] = {}

    def begin(self, client_id: str | None) -> None:
        """Another prompt runs."""
        with self._lock:
            self.client_id, self._story, self._latest = client_id, [], {}

    def end(self) -> None:
        """No prompt runs."""
        self.begin(None)

    def note(self, event: str, data: Any) -> None:
        """Remember an event that was sent."""
        with self._lock:
            if event in _KEPT_ALL:
                self._story.append((event, data))
            elif event in _KEPT_LAST:
                self._latest[event] = data

    def story(self, client_id: str) -> list[tuple[str, Any]]:
        """The events to tell a client that has just connected; none where the prompt is not its own."""
        with self._lock:
            return [*self._story, *self._latest.items()] if client_id == self.client_id else []
