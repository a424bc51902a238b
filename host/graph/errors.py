"""What can be wrong with a workflow, said so that a person can act on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class WorkflowError(ValueError):
    """A workflow that cannot be read, converted or changed.

    `problems` lists one sentence per finding; a single finding is the message itself.
    """

    def __init__(self, message: str, problems: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.problems = list(problems) or [message]


@dataclass(frozen=True)
class MissingNode:
    """A node type that the host does not have.

    ids: where it is used, as execution ids ("5:12" is node 12 inside subgraph node 5).
    pack: the registry id or GitHub repository the file names as its origin, None if it names none.
    """

    type: str
    ids: tuple[str, ...]
    pack: str | None = None
    version: str | None = None

    def __str__(self) -> str:
        release = f" {self.version}" if self.version else ""
        origin = f" from {self.pack}{release}" if self.pack else ""
        return f"{self.type}{origin} (node {', '.join(self.ids)})"


class MissingNodes(WorkflowError):
    """Node types in use that `object_info` does not list; `nodes` holds one entry per type."""

    def __init__(self, nodes: Iterable[MissingNode]) -> None:
        self.nodes = list(nodes)
        found = "; ".join(map(str, self.nodes))
        super().__init__(
            f"the workflow uses {len(self.nodes)} node type(s) that are not installed: {found}. "
            "Install the packs that carry them, or mute those nodes.",
            [f"node type not installed: {node}" for node in self.nodes],
        )
