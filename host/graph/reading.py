"""Read a workflow from a JSON file, a parsed object, or the picture or film that carries it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from .document import Graph, Workflow, parse_workflow
from .embedded import MEDIA_SUFFIXES, embedded_workflow
from .errors import WorkflowError

MAX_BYTES = 64 * 2**20
MAX_DEPTH = 100


def read_workflow(source: str | PathLike[str] | Mapping[str, Any]) -> Workflow:
    """Read what the editor saves, or an API-format prompt.

    Args:
        source: a path (JSON, or an image, video or audio file with the workflow in its metadata),
            or the parsed JSON itself.

    Raises:
        WorkflowError: the file cannot be read, is not JSON, not a workflow, over 64 MiB, nested over
            100 levels, or has a part of the wrong type; the message names the file and the part.
    """
    if isinstance(source, Mapping):
        return _recognised(source)
    path = Path(source)
    try:
        return _recognised(_load(path))
    except OSError as error:
        raise WorkflowError(f"{path}: cannot be read: {error.strerror}") from error
    except WorkflowError as error:
        raise WorkflowError(
            f"{path}: {error}", [f"{path}: {problem}" for problem in error.problems]
        ) from None


def is_prompt(data: Any) -> bool:
    """Whether parsed JSON is in API format: an object of nodes, each with a `class_type`."""
    return (
        isinstance(data, Mapping)
        and bool(data)
        and all(
            isinstance(node, Mapping)
            and isinstance(node.get("class_type"), str)
            and isinstance(node.get("inputs", {}), Mapping)
            for node in data.values()
        )
    )


def parse_json(text: str | bytes) -> Any:
    """Parse JSON of at most 64 MiB, at most 100 levels deep.

    Raises:
        WorkflowError: too large, too deep, or not JSON (with line and column).
    """
    if len(text) > MAX_BYTES:
        raise WorkflowError(f"is larger than {MAX_BYTES // 2**20} MiB; a workflow is never that large")
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise WorkflowError(
            f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except UnicodeDecodeError:
        raise WorkflowError("is not JSON: it is not UTF-8 text") from None
    except ValueError as error:
        raise WorkflowError(f"is not JSON: {error}") from None
    except RecursionError:
        raise WorkflowError(f"is nested deeper than {MAX_DEPTH} levels") from None
    _refuse_depth(data)
    return data


def _load(path: Path) -> Any:
    if path.suffix.lower() in MEDIA_SUFFIXES:
        return parse_json(embedded_workflow(path))
    if path.stat().st_size > MAX_BYTES:
        raise WorkflowError(f"is larger than {MAX_BYTES // 2**20} MiB; a workflow is never that large")
    return parse_json(path.read_bytes())


def _recognised(data: Any) -> Workflow:
    if is_prompt(data):
        _refuse_depth(data)
        _refuse_odd_titles(data)
        return Workflow(Graph({}, {}), prompt={key: {"inputs": {}, **node} for key, node in data.items()})
    if isinstance(data, Mapping) and isinstance(data.get("nodes"), list):
        _refuse_depth(data)
        return parse_workflow(data)
    if isinstance(data, Mapping) and is_prompt(data.get("prompt")):
        return _recognised(data["prompt"])
    raise WorkflowError("is JSON but no workflow: neither a list of nodes nor nodes with a class_type")


def _refuse_odd_titles(prompt: Mapping[str, Any]) -> None:
    for identity, node in prompt.items():
        meta = node.get("_meta", {})
        if not isinstance(meta, Mapping) or not isinstance(meta.get("title") or "", str):
            raise WorkflowError(f'node {identity}: _meta is {meta!r:.60}, not {{"title": a text}}')


def _refuse_depth(data: Any) -> None:
    level = [data]
    for _ in range(MAX_DEPTH):
        level = [child for item in level for child in _children(item)]
        if not level:
            return
    raise WorkflowError(f"is nested deeper than {MAX_DEPTH} levels")


def _children(item: Any) -> list[Any]:
    values = item.values() if isinstance(item, Mapping) else item if isinstance(item, list) else ()
    return [value for value in values if isinstance(value, (Mapping, list))]
