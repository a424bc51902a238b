"""Benchmarks, one module per subject, run by `kinograph bench NAME`.

A subject offers `run(quick: bool) -> dict` with "name", "machine", "figures" (the few numbers that matter,
under stable names) and "rows" (the table behind them). `quick` measures the same on less.
"""

SUBJECTS = (
    "attention",
    "executor",
    "interpolation",
    "quality",
    "sampling",
    "server",
    "synthetic",
    "vae",
    "vae_memory",
    "video",
)
