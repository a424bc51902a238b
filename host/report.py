"""What came of `kinograph run`, for people and for scripts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from signal import SIGINT
from typing import Any, Literal, TextIO

from .failures import Failure
from .memory import peak_rss_mb

_EXIT_CODES = {"done": 0, "failed": 1, "invalid": 2}


@dataclass
class Report:
    """The account of one run.

    outputs: paths of the files written to the output folder.
    texts: what nodes showed as text, by node id.
    errors: what stopped the graph; with --partial also what was left out of it.
    signal: the number of the signal that cancelled it.
    """

    status: Literal["done", "failed", "invalid", "cancelled"]
    outputs: list[str] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    errors: list[Failure] = field(default_factory=list)
    seconds: float = 0.0
    node_seconds: dict[str, float] = field(default_factory=dict)
    signal: int | None = None

    @property
    def exit_code(self) -> int:
        """0 done, 1 a node failed, 2 an invalid graph, 128 + the signal's number when cancelled."""
        if self.status == "cancelled":
            return 128 + (self.signal or SIGINT)
        return _EXIT_CODES[self.status]

    def as_dict(self) -> dict[str, Any]:
        """The object that `--json` prints; seconds are rounded to milliseconds."""
        return {
            "status": self.status,
            "outputs": self.outputs,
            "seconds": round(self.seconds, 3),
            "peak_rss_mb": round(peak_rss_mb(), 1),
            "node_seconds": {node: round(seconds, 3) for node, seconds in self.node_seconds.items()},
            "texts": self.texts,
            "errors": [asdict(failure) for failure in self.errors],
        }

    def show(self, out: TextIO, err: TextIO) -> None:
        """Errors to one stream, results to the other."""
        for failure in self.errors:
            print(failure, file=err)
        for lines in self.texts.values():
            print("\n".join(lines), file=out)
        for path in self.outputs:
            print(path, file=out)
        if self.status == "cancelled":
            print("cancelled; nothing half-written was kept", file=err)
        elif self.status == "done":
            print(f"done in {self.seconds:.1f} s", file=err)
