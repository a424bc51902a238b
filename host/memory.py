"""How much memory this process took at its peak, and how much the machine has left."""

from __future__ import annotations

import sys
from pathlib import Path


def peak_rss_mb() -> float | None:
    """Peak resident memory of this process in MB (10^6 bytes), or None where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would include what the parent held when it started us
        return _kilobytes(status, "VmHWM") / 1000
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def available_mb() -> float | None:
    """Memory that programs can still take, in MB, or None where the system does not tell."""
    facts = Path("/proc/meminfo")
    return _kilobytes(facts, "MemAvailable") / 1000 if facts.exists() else None


def _kilobytes(table: Path, name: str) -> float:
    """A line such as `VmHWM:  123 kB` of a /proc table, in units of 1000 bytes."""
    line = next(line for line in table.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1.024
