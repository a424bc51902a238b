"""The last lines that the host and its nodes printed, for the editor's log panel."""

from __future__ import annotations

import logging
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
    """Keeps what is logged, and written to standard output and error, while `recording`.

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
        handler = _Noting(self._note)  # the handlers that are there write to the streams of before
        logging.getLogger().addHandler(handler)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(handler)
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


class _Noting(logging.Handler):
    """Notes what is logged."""

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__()
        self._note = note

    def emit(self, record: logging.LogRecord) -> None:
        self._note(f"{self.format(record)}\n")


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
