"""`kinograph bench NAME`: run one benchmark and print its figures."""

from __future__ import annotations

import argparse
import importlib
import json
from typing import Any

from ...benchmarks import SUBJECTS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The benchmark, and how much of it."""
    parser.add_argument("name", choices=SUBJECTS, metavar="NAME", help=f"one of {', '.join(SUBJECTS)}")
    parser.add_argument("--quick", action="store_true", help="the same figures from a smaller run")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")


def run(options: argparse.Namespace) -> int:
    """Measure and report; 0 once the figures are printed."""
    subject = importlib.import_module(f"...benchmarks.{options.name}", __package__)
    report = subject.run(quick=options.quick)
    _show(report)
    if options.json:
        print(json.dumps(report))
    return 0


def _show(report: dict[str, Any]) -> None:
    machine = ", ".join(f"{key} {value}" for key, value in report["machine"].items())
    print(f"{report['name']} on {machine}")
    for name, value in report["figures"].items():
        print(f"  {name:32} {value}")
    for row in report["rows"]:
        print("  ", "  ".join(f"{key}={value}" for key, value in row.items()))
