"""The `kinograph` command: picks the sub-command and imports nothing of the others."""

from __future__ import annotations

import argparse
import atexit
import gc
import importlib
import json
import os
import sys
from collections.abc import Sequence

from .commands import UsageError

COMMANDS = {
    "run": "run a saved graph",
    "convert": "turn saved graphs into the API format",
    "nodes": "list the nodes of the pack, of the host and of --pack folders",
    "systems": "list the published systems that the nodes offer as methods",
    "serve": "open the browser editor",
    "models": "list, fetch and locate model files",
    "bench": "run a benchmark",
    "doctor": "check this machine and say what to do about each problem",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one sub-command and return its exit code: 0 done, 1 failed, 2 bad arguments or an invalid graph."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    _prepare_streams()
    atexit.register(gc.freeze)  # else the collector walks through all of torch at the end, for 0.3 s
    options = None
    try:
        options = _parser(given).parse_args(given)
        code = options.run(options)
    except UsageError as error:
        code = _cut_short(options, "invalid", str(error))
    except KeyboardInterrupt:
        code = _cut_short(options, "cancelled", "cancelled")
    except BrokenPipeError:  # the reader of our output left, as `| head` does: not an error to report
        code = 1
    except OSError as error:
        code = _cut_short(options, "failed", str(error))
    return code if _is_all_out() else 1


def _prepare_streams() -> None:
    # A process without a console has no streams, and one whose console lacks a sign is no reason to fail.
    sys.stdout, sys.stderr = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")


def _cut_short(options: argparse.Namespace | None, status: str, message: str) -> int:
    """Tell why a command ended before its own report, as JSON too where that was asked for."""
    from .failures import Failure
    from .report import Report

    print(f"kinograph {options.command}: {message}" if options else f"kinograph: {message}", file=sys.stderr)
    report = Report(status, errors=[] if status == "cancelled" else [Failure(message)])
    if getattr(options, "json", False):
        print(json.dumps(report.as_dict()))
    return report.exit_code


def _is_all_out() -> bool:
    """Whether standard output took everything; what it did not take is thrown away."""
    try:
        sys.stdout.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            print(f"kinograph: standard output cannot be written: {error}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


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
