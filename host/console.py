"""The terminal's view of a running graph: a live line per node, or plain lines where nobody watches."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TextIO

BAR_CELLS = 24
LIVE_SECONDS = 0.1
PLAIN_SECONDS = 5.0
LASTING_SECONDS = 0.1
"""Least time between two redraws of a live line, between two plain lines, and for a node to be listed."""


@dataclass
class _Work:
    """The node at work: when it began, how far it is, and when that was last shown."""

    title: str
    began: float
    shown: float
    value: float = 0
    total: float = 0
    note: str = ""


class Console:
    """Shows the node at work; `started`, `advanced`, `noted` and `finished` are called as it goes on.

    Args:
        stream: where to write; a live line is drawn only where it is a terminal.
        clock: seconds, for tests.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream = stream
        self.live = stream.isatty()
        self.clock = clock
        self._work: _Work | None = None

    def started(self, title: str) -> None:
        """A node begins."""
        now = self.clock()
        self._work = _Work(title, now, now)
        if self.live:
            self._draw()

    def advanced(self, value: float, total: float) -> None:
        """The node has done `value` of `total` units, which are frames unless its text says otherwise."""
        if self._work is None:
            return
        self._work.value, self._work.total = value, total
        now = self.clock()
        if now - self._work.shown >= (LIVE_SECONDS if self.live else PLAIN_SECONDS):
            self._work.shown = now
            self._draw() if self.live else self._write(f"  {self._line()}\n")

    def noted(self, text: str) -> None:
        """The node says what it is doing, e.g. "encoding"."""
        if self._work is not None:
            self._work.note = text.strip().splitlines()[0] if text.strip() else ""

    def finished(self) -> None:
        """The node is done: its live line becomes a lasting one, unless it took no time to speak of."""
        self._end("")

    def stopped(self) -> None:
        """The node has failed or was cancelled."""
        self._end("stopped after ")

    def _end(self, how: str) -> None:
        if self._work is not None:
            seconds = self.clock() - self._work.began
            self._clear()
            if how or seconds >= LASTING_SECONDS:
                self._write(f"  {self._work.title}  {how}{seconds:.1f} s\n")
            self._work = None

    def _draw(self) -> None:
        width = shutil.get_terminal_size().columns
        self._write(f"\r\x1b[K  {self._line()}"[: width + 3])

    def _clear(self) -> None:
        if self.live:
            self._write("\r\x1b[K")

    def _line(self) -> str:
        work = self._work
        parts = [f"{work.title}: {work.note}" if work.note else work.title]
        if work.total:
            share = work.value / work.total
            filled = round(share * BAR_CELLS)
            parts.append("█" * filled + "░" * (BAR_CELLS - filled))
            parts.append(f"{work.value:.0f}/{work.total:.0f}  {share:.0%}")
            if 0 < share < 1:
                parts.append(f"{_clock_time((self.clock() - work.began) * (1 - share) / share)} left")
        return "  ".join(parts)

    def _write(self, text: str) -> None:
        with suppress(OSError):  # the watcher left, as a closed terminal does: the work goes on
            self.stream.write(text)
            self.stream.flush()


def _clock_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
