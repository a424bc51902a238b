"""Pull an iterator in a thread of its own, a bounded number of items ahead."""

from __future__ import annotations

import contextlib
import contextvars
import queue
import threading
from collections.abc import Generator, Iterator
from typing import TypeVar

T = TypeVar("T")

DEPTH = 8
"""Items held: enough to ride over slow ones, few enough to stay small."""

_END = object()


def read_ahead(items: Generator[T, None, None], depth: int = DEPTH) -> Iterator[T]:
    """Yield `items` in order, pulled by a thread that runs up to `depth` ahead.

    The thread starts at the first item and keeps the caller's context variables. An exception in it is
    raised here, in its place. Closing this iterator, or dropping it, closes `items` and ends the thread.
    """
    reader = _Reader(items, depth)
    try:
        while (item := reader.queue.get()) is not _END:
            yield item
        if reader.error is not None:
            raise reader.error
    finally:
        reader.stop()


class _Reader:
    def __init__(self, items: Generator[T, None, None], depth: int) -> None:
        self.queue: queue.Queue = queue.Queue(depth)
        self.error: BaseException | None = None
        self._stopping = threading.Event()
        context = contextvars.copy_context()
        self._thread = threading.Thread(
            target=context.run, args=(self._run, items), name="kinograph reader", daemon=True
        )
        self._thread.start()

    def _run(self, items: Generator[T, None, None]) -> None:
        try:
            for item in items:
                self.queue.put(item)
                if self._stopping.is_set():
                    break
            items.close()
        except BaseException as error:
            self.error = error
        self.queue.put(_END)

    def stop(self) -> None:
        """End the thread: it is at most one item away from noticing."""
        self._stopping.set()
        while self._thread.is_alive():
            with contextlib.suppress(queue.Empty):
                self.queue.get_nowait()
            self._thread.join(0.02)
