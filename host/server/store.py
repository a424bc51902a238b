"""What outlives the process: the queue and the history, in one SQLite file of the user folder.

Each change is one transaction of a write-ahead log, so a killed process leaves the file whole. The file is
locked while a server has it open: a second one on the same user folder would take the first one's running
prompt for lost.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..commands import UsageError
from . import plain_json
from .jobs import finished_job

_LOG = logging.getLogger(__name__)

MOST_HISTORY = 10_000
"""Entries kept; the oldest go first, as in ComfyUI."""

_TABLES = """
CREATE TABLE IF NOT EXISTS queue (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, number REAL NOT NULL, facts TEXT NOT NULL,
    running INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS history (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, prompt_id TEXT NOT NULL UNIQUE, entry TEXT NOT NULL,
    job TEXT NOT NULL, status TEXT NOT NULL, workflow_id TEXT, created INTEGER NOT NULL, took INTEGER NOT NULL
);
"""

Entry = dict[str, Any]
"""A history entry as ComfyUI shows it: {"prompt": […], "outputs": {…}, "status": {…}, "meta": {…}}."""


class Kept(NamedTuple):
    """A prompt that the last process left unfinished; facts: [number, id, prompt, extra_data, targets]."""

    seq: int
    facts: list[Any]
    was_running: bool


class Store:
    """The queue's and the history's file; its methods may be called from any thread.

    Raises:
        UsageError: another server has the file open.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        try:
            self._db = _opened(path)
        except sqlite3.OperationalError as error:
            raise UsageError(
                f"{path} cannot be opened ({error}): another server may use this folder; "
                "stop it, or name another with --user-directory DIR"
            ) from error
        except sqlite3.DatabaseError as error:
            aside = path.with_name(f"{path.name}.broken-{int(time.time())}")
            path.rename(aside)
            _LOG.error("The history %s is damaged (%s): kept as %s, a new one begins", path, error, aside)
            self._db = _opened(path)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def unfinished(self) -> list[Kept]:
        """What the last process left in its queue, in order."""
        rows = self._rows("SELECT seq, facts, running FROM queue ORDER BY running DESC, number, seq")
        return [Kept(seq, json.loads(facts), bool(running)) for seq, facts, running in rows]

    def queued(self, number: float, facts: list[Any]) -> int:
        """Keep a prompt that was queued; returns its place in the order of arrival."""
        row = (number, json.dumps(facts))
        with self._lock:
            return self._db.execute("INSERT INTO queue (number, facts) VALUES (?, ?)", row).lastrowid

    def started(self, seq: int) -> None:
        self._change("UPDATE queue SET running = 1 WHERE seq = ?", seq)

    def unqueued(self, seqs: list[int]) -> None:
        """Forget prompts that were taken out of the queue."""
        with self._lock:
            self._db.executemany("DELETE FROM queue WHERE seq = ?", [(seq,) for seq in seqs])

    def finished(self, seq: int, prompt_id: str, entry: Entry) -> None:
        """Move a prompt from the queue to the history."""
        job = finished_job(prompt_id, entry)
        took = job.get("execution_end_time", 0) - job.get("execution_start_time", 0)
        row = (prompt_id, plain_json.write(entry), plain_json.write(job), job["status"])
        facts = (job.get("workflow_id"), job.get("create_time", 0), took)
        with self._lock, self._db:
            self._db.execute("BEGIN")
            self._db.execute("DELETE FROM queue WHERE seq = ?", (seq,))
            self._db.execute(
                "INSERT OR REPLACE INTO history (prompt_id, entry, job, status, workflow_id, created, took)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                row + facts,
            )
            self._db.execute(
                "DELETE FROM history"
                " WHERE seq <= (SELECT seq FROM history ORDER BY seq DESC LIMIT 1 OFFSET ?)",
                (MOST_HISTORY,),
            )

    def history(self, most: int | None = None, offset: int = -1) -> dict[str, str]:
        """Entries by prompt id, oldest first, each as JSON.

        Args:
            most: how many at most.
            offset: how many of the oldest to leave out; with -1, the `most` newest are given.
        """
        limit = -1 if most is None else most
        if offset >= 0 or most is None:
            rows = self._rows(
                "SELECT prompt_id, entry FROM history ORDER BY seq LIMIT ? OFFSET ?", limit, max(offset, 0)
            )
        else:
            rows = self._rows("SELECT prompt_id, entry FROM history ORDER BY seq DESC LIMIT ?", limit)[::-1]
        return dict(rows)

    def entry(self, prompt_id: str) -> Entry | None:
        """The history entry of a prompt."""
        rows = self._rows("SELECT entry FROM history WHERE prompt_id = ?", prompt_id)
        return json.loads(rows[0][0]) if rows else None

    def jobs(self, statuses: list[str], workflow_id: str | None, order: str, most: int) -> Iterator[Entry]:
        """Finished jobs.

        Args:
            statuses: of these only.
            workflow_id: of this workflow only, of all where None.
            order: "created" or "took", with " DESC" where the greatest come first.
            most: how many, -1 for all.
        """
        marks = ",".join("?" * len(statuses))
        rows = self._rows(
            f"SELECT job FROM history WHERE status IN ({marks}) AND (? IS NULL OR workflow_id = ?)"
            f" ORDER BY {order}, seq DESC LIMIT ?",
            *statuses,
            workflow_id,
            workflow_id,
            most,
        )
        return (json.loads(job) for (job,) in rows)

    def count_jobs(self, statuses: list[str], workflow_id: str | None) -> int:
        """How many finished jobs `jobs` would give without a limit."""
        marks = ",".join("?" * len(statuses))
        where = f"status IN ({marks}) AND (? IS NULL OR workflow_id = ?)"
        rows = self._rows(f"SELECT count(*) FROM history WHERE {where}", *statuses, workflow_id, workflow_id)
        return rows[0][0]

    def forget(self, prompt_id: str) -> None:
        """Remove a history entry."""
        self._change("DELETE FROM history WHERE prompt_id = ?", prompt_id)

    def forget_all(self) -> None:
        """Remove every history entry."""
        self._change("DELETE FROM history")

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def _change(self, statement: str, *values: Any) -> None:
        with self._lock:
            self._db.execute(statement, values)


def _opened(path: Path) -> sqlite3.Connection:
    # isolation_level None: every statement is a transaction of its own, unless one begins explicitly.
    db = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(
            "PRAGMA synchronous = NORMAL"
        )  # a killed process loses nothing; a power cut the last second
        db.executescript(_TABLES)
    except sqlite3.Error:
        db.close()
        raise
    return db
