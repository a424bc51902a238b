"""What went wrong with a graph, for people and for scripts: node, input, finding, remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_REMEDIES = {
    "missing_node_type": "load its pack with --pack DIR, or remove the node",
    "prompt_no_outputs": "add a node that saves or shows something, such as Encode Video",
    "required_input_missing": "connect the input, or give it a value with --set",
    "bad_linked_input": "connect the input again in the editor",
    "return_type_mismatch": "connect an output of the type that the input takes",
    "dependency_cycle": "remove one of these links",
    "invalid_input_type": "give another value with --set",
    "value_smaller_than_min": "give a greater value with --set",
    "value_bigger_than_max": "give a smaller value with --set",
    "value_not_in_list": "choose one that is offered, with --set",
}
_BUG = "this looks like a mistake in the node: run again with --traceback, and report it with the graph"
_BUG_TYPES = {
    "AssertionError",
    "AttributeError",
    "IndexError",
    "KeyError",
    "NameError",
    "NotImplementedError",
    "RuntimeError",
    "SystemExit",
    "TypeError",
    "UnboundLocalError",
    "ZeroDivisionError",
}
_OUT_OF_MEMORY = " ran out of memory: "  # the executor has added what to do
_FULL_DISK = ("No space left on device", "File too large", "Disk quota exceeded")


@dataclass(frozen=True)
class Failure:
    """One thing that stops a graph; node, title, type and input are None where it is the graph as a whole.

    remedy: what to do; None where the message says it already.
    """

    message: str
    remedy: str | None = None
    node: str | None = None
    title: str | None = None
    type: str | None = None
    input: str | None = None

    def __str__(self) -> str:
        place = ""
        if self.node is not None:
            kind = f", {self.type}" if self.type not in (None, self.title) else ""
            of_input = f", input {self.input}" if self.input else ""
            place = f"{self.title} (node {self.node}{kind}){of_input}: "
        remedy = f"\n    → {self.remedy}" if self.remedy else ""
        return f"{place}{self.message}{remedy}"


def validation_failures(validation: Any, prompt: Mapping[str, Any]) -> list[Failure]:
    """Everything that `validate_prompt` found, each once.

    Args:
        validation: its answer.
        prompt: the prompt in API format.
    """
    found = [
        _of_problem(problem, prompt, node_id)
        for node_id, entry in validation.node_errors.items()
        for problem in entry["errors"]
    ]
    if not found and validation.error:
        found = [_of_problem(validation.error, prompt, validation.error["extra_info"].get("node_id"))]
    return list(dict.fromkeys(found))


def _of_problem(problem: Mapping[str, Any], prompt: Mapping[str, Any], node_id: str | None) -> Failure:
    name, details = problem["extra_info"].get("input_name"), problem["details"]
    if problem["type"] == "custom_validation_failed" and " - " in details:
        message = details.partition(" - ")[2]  # what the node itself says
    else:
        message = ": ".join(part for part in (problem["message"], details) if part not in ("", name))
    return Failure(message, _REMEDIES.get(problem["type"]), input=name, **_place(prompt, node_id))


def run_failure(error: Mapping[str, Any], prompt: Mapping[str, Any]) -> Failure:
    """The exception that ended a run, from the data of its `execution_error` event."""
    message, kind = error["exception_message"].strip(), error["exception_type"]
    remedy = None
    if any(sign in message for sign in _FULL_DISK):
        remedy = "free some space, or pass --output DIR on a disk that has it; nothing half-written was kept"
    elif message.startswith("[Errno "):
        remedy = "see to this file or folder, or name another with --input or --output"
    elif kind in _BUG_TYPES and _OUT_OF_MEMORY not in message:
        remedy, message = _BUG, f"{kind}: {message}"
    return Failure(message or kind, remedy, **_place(prompt, error["node_id"]))


def title_of(node: Mapping[str, Any]) -> str:
    """A prompt node's title, its type where it has none."""
    return node.get("_meta", {}).get("title") or node["class_type"]


def _place(prompt: Mapping[str, Any], node_id: str | None) -> dict[str, Any]:
    node = prompt.get(node_id)
    if not isinstance(node, Mapping) or not isinstance(node.get("class_type"), str):
        return {"node": node_id, "title": "an entry that is no node"} if node_id else {}
    return {"node": node_id, "title": title_of(node), "type": node["class_type"]}


def saved_files(shown: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(subfolder, file name) of what a node has written to the output folder, from what it showed."""
    for items in shown.values():
        for item in items:
            if isinstance(item, Mapping) and item.get("type") == "output":
                place = item.get("subfolder", ""), item.get("filename")
                if all(isinstance(part, str) for part in place):
                    yield place
