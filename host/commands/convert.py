"""`kinograph convert`: saved graphs into the API format."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ..whole_file import whole_file
from . import UsageError, add_pack_option


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The graphs, where they go, and whose nodes they are made of."""
    parser.add_argument("workflows", nargs="+", type=Path, metavar="WORKFLOW.json", help="a saved graph")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE|DIR",
        help="a file, or a folder for several (default: standard output)",
    )
    nodes = parser.add_mutually_exclusive_group()
    nodes.add_argument(
        "--object-info", type=Path, metavar="FILE", help="a saved /object_info of the ComfyUI to convert for"
    )
    add_pack_option(nodes)


def run(options: argparse.Namespace) -> int:
    """Convert every graph that can be; 2 where one cannot."""
    object_info = _object_info(options)
    targets = _targets(options)
    failures = 0
    for workflow, target in zip(options.workflows, targets, strict=True):
        failures += not _convert(workflow, target, object_info)
    if len(targets) > 1:
        print(f"{len(targets) - failures} of {len(targets)} converted", file=sys.stderr)
    return 2 if failures else 0


def _object_info(options: argparse.Namespace) -> dict[str, Any]:
    from ..graph import WorkflowError, parse_json

    if options.object_info is None:
        from ..session import open_session

        session = open_session(packs=options.pack)
        for problem in session.problems:
            print(f"warning: {problem}", file=sys.stderr)
        return session.object_info()
    try:
        found = parse_json(options.object_info.read_bytes())
    except (OSError, WorkflowError) as error:
        raise UsageError(
            f"--object-info {options.object_info}: {error}; save http://…/object_info"
        ) from error
    if not isinstance(found, dict) or not all(map(_describes_a_node, found.values())):
        raise UsageError(
            f"--object-info {options.object_info} does not describe nodes; save http://…/object_info"
        )
    return found


def _describes_a_node(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("input"), dict)


def _targets(options: argparse.Namespace) -> list[Path | None]:
    """Where each graph goes; None is standard output."""
    if options.output is None:
        return [None] * len(options.workflows)
    output = Path(options.output)
    if len(options.workflows) == 1 and not output.is_dir() and not options.output.endswith(("/", "\\")):
        return [output]
    if output.is_file():
        raise UsageError(
            f"-o {output} is a file, and there are {len(options.workflows)} graphs; name a folder"
        )
    targets = [output / workflow.with_suffix(".json").name for workflow in options.workflows]
    twice = {target.name for target in targets if targets.count(target) > 1}
    if twice:
        raise UsageError(f"several graphs are named {', '.join(sorted(twice))}; convert them one by one")
    return targets


def _convert(workflow: Path, target: Path | None, object_info: dict[str, Any]) -> bool:
    from ..graph import WorkflowError, read_workflow, to_prompt

    try:
        prompt = to_prompt(read_workflow(workflow), object_info)
    except WorkflowError as error:
        for problem in error.problems:
            print(problem if str(workflow) in problem else f"{workflow}: {problem}", file=sys.stderr)
        return False
    text = json.dumps(prompt, indent=2, ensure_ascii=False)
    if target is None:
        print(text)
        return True
    target.parent.mkdir(parents=True, exist_ok=True)
    place = target.resolve()
    if place == workflow.resolve():
        raise UsageError(f"{workflow} would be overwritten; name another file or folder with -o")
    is_device = place.exists() and not place.is_file()  # /dev/null must not be replaced by a file
    with nullcontext(place) if is_device else whole_file(str(place)) as path:
        Path(path).write_text(f"{text}\n", encoding="utf-8", errors="backslashreplace")
    return True
