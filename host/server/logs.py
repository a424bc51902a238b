"""The last lines that the host and its nodes printed, for the editor's log panel."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TextIO

MOST_ENTRIES = 500
_LONGEST_ENTRY = 20_000


class LogBook:
    """Keeps what is written to standard output and error while `recording`.

    Attributes:
        entries: {"t": time as ISO 8601, "m": one line}, oldest first.
        written: called with each piece of a line as an entry; may come from any thread.
        readers: ids of the clients that want each new entry.
    """

    def __init__(self) -> None:
        self.entries: deque[dict[str, str]] = deque(maxlen=MOST_ENTRIES)
        self.written: Callable[[dict[str, str]], None] = lambda entry: None
        self.readers: set[str] = set()
        self._lock = threading.Lock()

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record the process's output, which goes where it went as well."""
        before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = (_Recorded(stream, self._note) for stream in before)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before

    def _note(self, text: str) -> None:
        entry = {"t": datetime.now().isoformat(), "m": text[:_LONGEST_ENTRY]}
        with self._lock:
            open_line = bool(self.entries) and not self.entries[-1]["m"].endswith("\n")
            if open_line and not text.startswith("\r"):
                self.entries[-1] = {**self.entries[-1], "m": (self.entries[-1]["m"] + text)[:_LONGEST_ENTRY]}
            else:
                if open_line:  # a progress bar that draws itself anew takes the place of its last picture
                    self.entries.pop()
                self.entries.append(entry)
        self.written(entry)


class _Recorded:
    """A text stream whose writes are noted."""

    def __init__(self, stream: TextIO, note: Callable[[str], None]) -> None:
        self._stream = stream
        self._note = note

    def write(self, text: str) -> int:
        if text:
            self._note(text)
        return self._stream.write(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
