"""The `kinograph` command: picks the sub-command and imports nothing of the others."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence

from .commands import UsageError

COMMANDS = {
    "run": "run a saved graph",
    "convert": "turn saved graphs into the API format",
    "nodes": "list the nodes of the pack, of the host and of --pack folders",
    "systems": "list the published systems that the nodes offer as methods",
    "models": "list, fetch and locate model files",
    "bench": "run a benchmark",
    "doctor": "check this machine and say what to do about each problem",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one sub-command and return its exit code: 0 done, 1 failed, 2 bad arguments or an invalid graph."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a console that lacks a sign is no reason to fail
    options = _parser(given).parse_args(given)
    try:
        return options.run(options)
    except UsageError as error:
        print(f"kinograph {options.command}: {error}", file=sys.stderr)
        if getattr(options, "json", False):
            from .failures import Failure
            from .report import Report

            print(json.dumps(Report("invalid", errors=[Failure(str(error))]).as_dict()))
        return 2
    except KeyboardInterrupt:
        print(f"kinograph {options.command}: cancelled", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output left, as `| head` does: not an error to report
        return 1


def _parser(given: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kinograph", description="Run, convert and inspect video graphs without ComfyUI."
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if given[:1] == [name]:
            module = importlib.import_module(f".commands.{name}", __package__)
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
