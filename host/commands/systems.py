"""`kinograph systems`: the published systems that the pack's nodes offer as methods."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Only the form of the list."""
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")


def run(options: argparse.Namespace) -> int:
    """List every registered method."""
    from ... import comfy_entrypoint
    from ..api.install import install

    install()
    extension = asyncio.run(comfy_entrypoint())
    rows = [_row(method) for method in asyncio.run(extension.get_methods())]
    if options.json:
        print(json.dumps({"systems": rows}))
        return 0
    places = [f"{row['node']}.{row['method']}" for row in rows]
    widest = max(map(len, places), default=0)
    for row, place in zip(rows, places, strict=True):
        source = f"{row['paper']} ({row['year']})"
        needs = f"  needs {row['weights']}" if row["weights"] else ""
        print(f"{row['system'] or '-':24} {place:{widest}}  {source}{needs}  {row['test']}")
    systems = {row["system"] for row in rows} - {None}
    print(f"{len(rows)} methods of {len(systems)} published systems and others")
    return 0


def _row(method: Any) -> dict[str, Any]:
    return {
        "system": method.system,
        "node": method.node,
        "method": method.key,
        "paper": method.paper,
        "year": method.year,
        "weights": method.weights,
        "test": method.test,
    }
