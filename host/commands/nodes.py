"""`kinograph nodes`: what a graph can be made of."""

from __future__ import annotations

import argparse
import json
import sys

from . import add_pack_option


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Further packs, and the form of the list."""
    add_pack_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")


def run(options: argparse.Namespace) -> int:
    """List every node by category; 1 where a node or a pack could not be loaded."""
    from ..session import open_session

    session = open_session(options.pack)
    info = session.object_info()
    rows = [
        {
            "id": node_id,
            "display_name": facts["display_name"] or node_id,
            "category": facts["category"],
            "pack": session.pack_of[node_id],
            "output_node": facts["output_node"],
            "description": facts["description"],
        }
        for node_id, facts in info.items()
    ]
    rows.sort(key=lambda row: (row["category"], row["id"]))
    for problem in session.problems:
        print(f"kinograph nodes: {problem}", file=sys.stderr)
    if options.json:
        print(json.dumps({"nodes": rows, "problems": session.problems}))
    else:
        for row in rows:
            print(f"{row['category']:28} {row['id']:28} {row['display_name']}")
        print(f"{len(rows)} nodes")
    return 1 if session.problems else 0
