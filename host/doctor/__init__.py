"""`kinograph doctor`: what this machine has, and what to do about what it lacks."""

from __future__ import annotations

from collections.abc import Iterator

from .finding import Finding


def examine() -> Iterator[Finding]:
    """Every finding, one by one, since importing torch and its back ends takes seconds."""
    from . import backends, software, surroundings

    yield from software.findings()
    yield from backends.findings()
    yield from surroundings.findings()


__all__ = ["Finding", "examine"]
