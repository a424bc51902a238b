"""How much memory this process took at its peak, and how much the machine has left."""

from __future__ import annotations

import sys
from pathlib import Path


def peak_rss_mb() -> float:
    """Peak resident memory of this process in MB (10^6 bytes)."""
    if sys.platform == "linux":  # getrusage would include what the parent held when it started us
        lines = Path("/proc/self/status").read_text().splitlines()
        peak = next(line for line in lines if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024 / 1e6
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def available_mb() -> float:
    """Memory that programs can still take, in MB."""
    import psutil

    return psutil.virtual_memory().available / 1e6
