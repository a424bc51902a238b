"""The order of execution: a node is ready once all that it needs, and nothing else, has run."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable

from .errors import CycleError

_POLL_SECONDS = 0.1


class Schedule:
    """Nodes that are to run, and which of them wait for which.

    Args:
        sources: the nodes whose results a node needs before it is called.
        has_result: whether a node's result is at hand already.
        is_urgent: nodes to prefer as soon as they are ready: outputs, so that people see something, and
            asynchronous ones, so that they wait together.
        interrupted: called now and then while only asynchronous nodes are at work; raises to stop.
    """

    def __init__(
        self,
        sources: Callable[[str], list[str]],
        has_result: Callable[[str], bool],
        is_urgent: Callable[[str], bool],
        interrupted: Callable[[], None],
    ) -> None:
        self._sources = sources
        self._has_result = has_result
        self._is_urgent = is_urgent
        self._interrupted = interrupted
        self._waits_for: dict[str, set[str]] = {}
        self._wanted_by: dict[str, set[str]] = {}
        self._order: dict[str, int] = {}
        self._ready: list[tuple[int, int, str]] = []
        self._at_work: set[str] = set()
        self._finished_work = asyncio.Event()

    @property
    def is_empty(self) -> bool:
        """Whether every node that was added is done."""
        return not self._waits_for

    def add(self, node_id: str) -> None:
        """Let a node run, after all that it needs."""
        stack, added = [node_id], []
        while stack:
            node_id = stack.pop()
            if node_id in self._waits_for:
                continue
            self._waits_for[node_id] = set()
            self._order.setdefault(node_id, len(self._order))
            added.append(node_id)
            for source in reversed(self._sources(node_id)):
                if not self._has_result(source):
                    self._waits_for[node_id].add(source)
                    self._wanted_by.setdefault(source, set()).add(node_id)
                    stack.append(source)
        for node_id in added:
            self._offer(node_id)

    def require(self, node_id: str, source: str) -> None:
        """Let a node that was added already wait for one more, which is added where it is not."""
        if not self._has_result(source):
            self._waits_for[node_id].add(source)
            self._wanted_by.setdefault(source, set()).add(node_id)
            self.add(source)

    def set_to_work(self, node_id: str, work: asyncio.Future) -> None:
        """Keep a node from being chosen until its asynchronous work has ended."""
        self._at_work.add(node_id)

        def ended(_: asyncio.Future) -> None:
            self._at_work.discard(node_id)
            self._finished_work.set()
            self._offer(node_id)

        work.add_done_callback(ended)

    def retry(self, node_id: str) -> None:
        """Offer the chosen node again, as soon as nothing it waits for is left."""
        self._offer(node_id)

    def complete(self, node_id: str) -> None:
        """The chosen node is done; nodes that waited for it may be ready."""
        del self._waits_for[node_id]
        for user in self._wanted_by.pop(node_id, ()):
            self._waits_for[user].discard(node_id)
            self._offer(user)

    async def choose(self) -> str:
        """The next node to run.

        Raises:
            CycleError: the nodes that are left wait for each other.
        """
        while not self._ready:
            if not self._at_work:
                raise CycleError(self._cycle())
            self._finished_work.clear()
            try:
                await asyncio.wait_for(self._finished_work.wait(), _POLL_SECONDS)
            except asyncio.TimeoutError:
                self._interrupted()
        return heapq.heappop(self._ready)[2]

    def _offer(self, node_id: str) -> None:
        if self._waits_for.get(node_id) == set() and node_id not in self._at_work:
            heapq.heappush(self._ready, (self._distance_to_urgent(node_id), self._order[node_id], node_id))

    def _distance_to_urgent(self, node_id: str) -> int:
        if self._is_urgent(node_id):
            return 0
        users = self._wanted_by.get(node_id, ())
        if any(map(self._is_urgent, users)):
            return 1
        return (
            2
            if any(map(self._is_urgent, (far for user in users for far in self._wanted_by.get(user, ()))))
            else 3
        )

    def _cycle(self) -> list[str]:
        node_id, path = next(iter(self._waits_for)), {}
        while node_id not in path:
            path[node_id] = len(path)
            node_id = min(self._waits_for[node_id])
        return list(path)[path[node_id] :][::-1]
