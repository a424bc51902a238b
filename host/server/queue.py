"""The prompts that wait and the one that runs."""

from __future__ import annotations

import bisect
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .store import Entry, Store

_LOG = logging.getLogger(__name__)

SECRETS = ("auth_token_comfy_org", "api_key_comfy_org")
"""Keys of extra_data that are handed to the nodes and kept nowhere."""


@dataclass
class Item:
    """A queued prompt.

    Attributes:
        seq: its place in the order of arrival, -1 until it is queued.
        number: its priority, the smallest first.
        prompt: nodes by id, validated.
        extra_data: what the client sent beside, and "create_time" in ms since 1970.
        targets: the output nodes to run.
        secrets: of extra_data, what is written nowhere.
        is_checked: whether this process has validated it; one of an earlier process may lack nodes by now.
        is_cancelled: the user wants it stopped; told to the nodes once it has begun.
    """

    number: float
    prompt_id: str
    prompt: dict[str, Any]
    extra_data: dict[str, Any]
    targets: list[str]
    secrets: dict[str, Any] = field(default_factory=dict)
    seq: int = -1
    is_checked: bool = True
    is_cancelled: bool = False

    @property
    def facts(self) -> list[Any]:
        """The item as ComfyUI's clients see it."""
        return [self.number, self.prompt_id, self.prompt, self.extra_data, self.targets]

    @property
    def client_id(self) -> str | None:
        return self.extra_data.get("client_id")


class PromptQueue:
    """The queue, kept in a store; its methods may be called from any thread.

    Args:
        store: what keeps it.
        changed: called after each change.
    """

    def __init__(self, store: Store, changed: Callable[[], None]) -> None:
        self.store = store
        self._changed = changed
        self._awake = threading.Condition()
        self._pending: list[Item] = []
        self._running: Item | None = None
        self._wishes: set[str] = set()
        self._closed = False
        self._numbers = 0

    def next_number(self, front: bool) -> int:
        """The priority of the next prompt: after all others, or before them."""
        with self._awake:
            number = self._numbers
            self._numbers += 1
        return -number if front else number

    def restore(self) -> None:
        """Take up what the last process left: waiting prompts wait again, a running one is told as lost."""
        for kept in self.store.unfinished():
            number, prompt_id, prompt, extra_data, targets = kept.facts
            item = Item(number, prompt_id, prompt, extra_data, targets, seq=kept.seq, is_checked=False)
            if kept.was_running:
                self.store.finished(kept.seq, prompt_id, lost_entry(item))
                _LOG.warning("Prompt %s was running when the server stopped; it is lost", prompt_id)
                continue
            self._pending.append(item)
            self._numbers = max(self._numbers, int(number) + 1)
        if self._pending:
            _LOG.warning("%d prompts that were waiting are queued again", len(self._pending))

    def put(self, item: Item) -> None:
        """Queue a prompt."""
        item.seq = self.store.queued(item.number, item.facts)
        with self._awake:
            bisect.insort(self._pending, item, key=lambda other: (other.number, other.seq))
            self._awake.notify()
        self._changed()

    def get(self, timeout: float | None) -> Item | None:
        """Wait for the next prompt and take it as the running one.

        Returns:
            None after `timeout` seconds, when there are wishes to see to, or when the queue is closed.
        """
        with self._awake:
            self._awake.wait_for(lambda: self._pending or self._wishes or self._closed, timeout)
            if self._closed or not self._pending:
                return None
            self.store.started(self._pending[0].seq)
            self._running = item = self._pending.pop(0)
        self._changed()
        return item

    def finish(self, entry: Entry) -> None:
        """The running prompt has ended; it is still the running one where its entry cannot be kept."""
        with self._awake:
            self.store.finished(self._running.seq, self._running.prompt_id, entry)
            self._running = None
        self._changed()

    def abandon(self) -> None:
        """The running prompt has ended, and its entry cannot be kept; the next process tells it as lost."""
        with self._awake:
            self._running = None
        self._changed()

    def close(self) -> None:
        """Give out no more prompts; those that wait are kept for the next process."""
        with self._awake:
            self._closed = True
            self._awake.notify_all()

    @property
    def is_closed(self) -> bool:
        return self._closed

    def current(self) -> tuple[list[Item], list[Item]]:
        """The running prompt, if any, and the waiting ones in order."""
        with self._awake:
            return [self._running] if self._running else [], list(self._pending)

    def remaining(self) -> int:
        """How many prompts wait or run."""
        return len(self._pending) + (self._running is not None)

    @property
    def status(self) -> dict[str, Any]:
        """How much there is to do, as a `status` event and GET /prompt tell it."""
        return {"exec_info": {"queue_remaining": self.remaining()}}

    def clear(self) -> None:
        """Take out every waiting prompt."""
        self._take_out(lambda item: True)

    def delete(self, prompt_id: str) -> bool:
        """Take a waiting prompt out; False where none has this id."""
        return self._take_out(lambda item: item.prompt_id == prompt_id)

    def _take_out(self, is_unwanted: Callable[[Item], bool]) -> bool:
        with self._awake:
            unwanted = [item for item in self._pending if is_unwanted(item)]
            self._pending = [item for item in self._pending if not is_unwanted(item)]
            self.store.unqueued([item.seq for item in unwanted])
        if unwanted:
            self._changed()
        return bool(unwanted)

    def interrupt(self, prompt_id: str | None = None) -> bool:
        """Ask the running prompt to stop; only the one of this id, where one is given."""
        from comfy.model_management import interrupt_current_processing

        with self._awake:  # else the next prompt might start before the flag is set, and be hit by it
            matches = self._running is not None and prompt_id in (None, self._running.prompt_id)
            if matches:
                self._running.is_cancelled = True
                interrupt_current_processing()
        return matches

    def cancel(self, prompt_id: str) -> bool:
        """Stop a prompt wherever it stands; False where it is neither waiting nor running."""
        return self.delete(prompt_id) or self.interrupt(prompt_id)

    def wish(self, name: str) -> None:
        """Ask the worker to free something between two prompts: "unload_models" or "free_memory"."""
        with self._awake:
            self._wishes.add(name)
            self._awake.notify()

    def take_wishes(self) -> set[str]:
        with self._awake:
            wishes, self._wishes = self._wishes, set()
        return wishes


def lost_entry(item: Item) -> Entry:
    """The history entry of a prompt that ended with its process."""
    return failed_entry(
        item,
        "ServerStopped",
        "The server stopped while this prompt was running. Its unfinished results are lost; queue it again.",
    )


def failed_entry(item: Item, kind: str, message: str, node_errors: Mapping[str, Any] | None = None) -> Entry:
    """The history entry of a prompt that ended outside of its nodes."""
    now = int(time.time() * 1000)
    error = {
        "prompt_id": item.prompt_id,
        "node_id": None,
        "node_type": None,
        "executed": [],
        "exception_message": message,
        "exception_type": kind,
        "traceback": [],
        "current_inputs": {},
        "current_outputs": [],
        "timestamp": now,
    }
    if node_errors:
        error["node_errors"] = node_errors
    return {
        "prompt": item.facts,
        "outputs": {},
        "meta": {},
        "status": {"status_str": "error", "completed": False, "messages": [["execution_error", error]]},
    }
