"""`kinograph run`: execute a saved graph."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

from ..session import open_session
from . import add_pack_option


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The graph, changes to it, the folders, and the form of the report."""
    add = parser.add_argument
    add(
        "workflow",
        type=Path,
        metavar="WORKFLOW.json",
        help="what the editor saves, the API format, or a picture or film that carries its graph",
    )
    add(
        "--set",
        action="append",
        default=[],
        metavar="NODE.INPUT=VALUE",
        help="change a value; NODE is an id or a title (may be given several times)",
    )
    add(
        "--input",
        type=Path,
        metavar="DIR",
        help="where loaders look (default: $KINOGRAPH_HOME/input or ./input)",
    )
    add("--output", type=Path, metavar="DIR", help="where savers write (default: …/output)")
    add_pack_option(parser)
    add("--partial", action="store_true", help="run the valid outputs of a graph that has invalid ones too")
    add("--disable-metadata", action="store_true", help="do not write the graph into the files")
    add("--quiet", action="store_true", help="show no progress")
    add("--traceback", action="store_true", help="show where in the code a node failed")
    add("--json", action="store_true", help="end with one line of JSON")


def run(options: argparse.Namespace) -> int:
    """Run the graph: 0 done, 1 a node failed, 2 an invalid graph, 130 or 143 cancelled."""
    from ..runner import run_workflow

    _configure_logging(options.traceback)
    session = open_session(options.pack, input_folder=options.input, output_folder=options.output)
    for problem in session.problems:
        print(f"warning: {problem}", file=sys.stderr)
    report = run_workflow(
        session,
        options.workflow,
        settings=options.set,
        partial=options.partial,
        disable_metadata=options.disable_metadata,
        stream=None if options.quiet else sys.stderr,
    )
    report.show(sys.stdout, sys.stderr)
    if options.json:
        print(json.dumps(report.as_dict()))
    return report.exit_code


def _configure_logging(with_tracebacks: bool) -> None:
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    if not with_tracebacks:  # the report says which node failed and why
        logging.getLogger("kinograph.host.execution.reporter").setLevel(logging.CRITICAL)
