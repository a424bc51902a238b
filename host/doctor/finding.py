"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """What was looked at, what was found, and the remedy where something is missing.

    state: "ok"; "absent" for something optional that is not there; "problem" for what a graph needs.
    """

    subject: str
    state: Literal["ok", "absent", "problem"]
    found: str
    remedy: str | None = None
