"""From a saved graph to its results: read, change, validate, execute."""

from __future__ import annotations

import glob
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from .cancel import cancel_on_signals
from .commands import UsageError
from .console import Console
from .failures import Failure, run_failure, saved_files, title_of, validation_failures
from .report import Report
from .session import Session
from .writable import obstacle

if TYPE_CHECKING:
    from .execution.run import Run

Prompt = dict[str, Any]

_RUNS_HERE = f"run_{platform.node()}_"
"""How the temp folders of runs on this machine begin; others, with names like it, may share the disk."""


def run_workflow(
    session: Session,
    workflow: Path,
    *,
    settings: Iterable[str] = (),
    partial: bool = False,
    disable_metadata: bool = False,
    stream: TextIO | None = None,
) -> Report:
    """Run a saved graph in an opened session.

    Args:
        workflow: what the editor saves, or the API format.
        settings: changes, each as NODE.INPUT=VALUE.
        partial: run the valid outputs of a graph that has invalid ones too.
        disable_metadata: do not write the graph into the files.
        stream: where to show progress, None for nowhere.
    """
    from comfy.cli_args import args

    from .execution.validation import validate_prompt
    from .graph import WorkflowError

    args.disable_metadata = disable_metadata
    try:
        prompt, document = read_prompt(workflow, session, settings)
    except WorkflowError as error:
        return Report("invalid", errors=[Failure(problem) for problem in error.problems])
    validation = validate_prompt(prompt, session.definitions)
    errors = validation_failures(validation, prompt)
    if validation.error or (errors and not partial):
        return Report("invalid", errors=errors)
    extra_data = {"extra_pnginfo": {"workflow": document}} if document else {}
    report = _execute(session, prompt, validation.outputs, extra_data, stream)
    report.errors[:0] = errors
    return report


def read_prompt(
    workflow: Path, session: Session, settings: Iterable[str] = ()
) -> tuple[Prompt, dict[str, Any] | None]:
    """A saved graph in API format, changed as asked, and the editor's document where it is one.

    Raises:
        WorkflowError: the file is no graph, or uses nodes that are not loaded, or lacks what is set.
    """
    from .graph import apply_overrides, read_workflow, to_prompt

    graph = read_workflow(workflow)
    object_info = session.object_info()
    prompt = to_prompt(graph, object_info, now=datetime.now(), prompt_seed=0)
    return apply_overrides(prompt, object_info, settings), graph.document


@contextmanager
def temporary_folder() -> Iterator[None]:
    """A temp folder for the nodes of one run, on the disk of the others, removed at the end.

    Raises:
        UsageError: the temp directory cannot be written.
    """
    import folder_paths

    home = folder_paths.get_temp_directory()
    if reason := obstacle(Path(home)):
        raise UsageError(f"no temporary files in {home}: {reason}; set KINOGRAPH_HOME to a folder of yours")
    _remove_abandoned(Path(home))
    folder = _new_folder(home)
    folder_paths.set_temp_directory(folder)
    try:
        yield
    finally:
        folder_paths.set_temp_directory(home)
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # another run has its folder there
            os.rmdir(home)


def _new_folder(home: str) -> str:
    while True:
        os.makedirs(home, exist_ok=True)
        with suppress(FileNotFoundError):  # another run has just ended, and removed the empty directory
            return tempfile.mkdtemp(prefix=f"{_RUNS_HERE}{os.getpid()}_", dir=home)


def _remove_abandoned(home: Path) -> None:
    """Remove what runs of this machine left behind that were killed before they could."""
    for folder in home.glob(f"{glob.escape(_RUNS_HERE)}*"):
        process = folder.name.removeprefix(_RUNS_HERE).partition("_")[0]
        if process.isdecimal() and not _is_alive(int(process)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process: int) -> bool:
    import psutil

    return psutil.pid_exists(process)


def _execute(
    session: Session, prompt: Prompt, targets: list[str], extra_data: dict[str, Any], stream: TextIO | None
) -> Report:
    from server import PromptServer

    from .execution.caching import NoCache
    from .execution.executor import Executor

    watcher = _Watcher(prompt, Console(stream)) if stream else None
    PromptServer.instance.send_hook = watcher and (lambda event, data, client: watcher(event, data))
    # There is no next prompt to keep results for, so each is freed after its last use.
    executor = Executor(session.definitions, cache=NoCache(), emit=watcher)
    # What nodes print is no part of our output.
    with temporary_folder(), redirect_stdout(sys.stderr), cancel_on_signals() as cancellation:
        try:
            run = executor.execute(prompt, extra_data=extra_data, targets=targets)
        except KeyboardInterrupt:
            if watcher:
                watcher.console.stopped()
            return Report("cancelled", signal=cancellation.signal)
    report = _report(run, prompt)
    report.signal = cancellation.signal if report.status == "cancelled" else None
    return report


def _report(run: Run, prompt: Prompt) -> Report:
    import folder_paths

    output = folder_paths.get_output_directory()
    status = {"success": "done", "error": "failed", "interrupted": "cancelled"}[run.status]
    errors = [*run.blocked, run.error] if status == "failed" else run.blocked
    shown = run.outputs.values()
    return Report(
        status,
        outputs=[os.path.join(output, *file) for items in shown for file in saved_files(items)],
        texts={node: [*map(str, items["text"])] for node, items in run.outputs.items() if "text" in items},
        errors=[run_failure(error, prompt) for error in errors],
        seconds=run.seconds,
        node_seconds=run.node_seconds,
    )


class _Watcher:
    """Turns the executor's events into the console's lines."""

    def __init__(self, prompt: Prompt, console: Console) -> None:
        self.prompt = prompt
        self.console = console

    def __call__(self, event: str, data: dict[str, Any]) -> None:
        if event == "executing":
            self.console.finished()
            self.console.started(title_of(self.prompt[data["display_node"]]))
        elif event == "progress":
            self.console.advanced(data["value"], data["max"])
        elif event == "progress_text":
            self.console.noted(data["text"])
        elif event == "execution_success":
            self.console.finished()
        elif event in ("execution_error", "execution_interrupted"):
            self.console.stopped()
