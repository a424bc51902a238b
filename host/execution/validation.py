"""Validation of a prompt, with ComfyUI's error types and shapes.

Every output is judged for itself: what is wrong upstream of one does not stop another.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from comfy_execution.graph import ExecutionBlocker
from comfy_execution.graph_utils import is_link

from .calls import bound_method, call_over_lists, settled
from .definition import Catalogue, NodeDefinition
from .dynamic import InputSpec, LiveInputs
from .errors import exception_type, problem
from .inputs import gather, hidden_values
from .values import (
    InvalidInput,
    bad_link,
    check_options,
    check_range,
    converted,
    missing,
    type_mismatch,
    types_fit,
)

Prompt = dict[str, dict[str, Any]]

_LONGEST_CYCLE_SHOWN = 50


@dataclass(frozen=True)
class Validation:
    """What a prompt is good for.

    Attributes:
        error: why nothing of it can run, None where something can.
        outputs: ids of the output nodes that can run, in the prompt's order.
        node_errors: by node id: {"errors": […], "dependent_outputs": [ids], "class_type": …}.
    """

    error: dict[str, Any] | None
    outputs: list[str] = field(default_factory=list)
    node_errors: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every output that was asked for can run."""
        return self.error is None and not self.node_errors


def validate_prompt(
    prompt: Any, definitions: Mapping[str, NodeDefinition], targets: Iterable[str] | None = None
) -> Validation:
    """`validate_prompt_async` for callers that have no event loop."""
    return asyncio.run(validate_prompt_async(prompt, definitions, targets))


async def validate_prompt_async(
    prompt: Any, definitions: Mapping[str, NodeDefinition], targets: Iterable[str] | None = None
) -> Validation:
    """Check a prompt before it is run; values are converted in place, as the executor wants them.

    Args:
        prompt: {node id: {"class_type": …, "inputs": {name: value or [node id, slot]}}}; may be hostile.
        definitions: the known nodes.
        targets: the output nodes to run, all where None.
    """
    catalogue = Catalogue(definitions)
    malformed = _malformed(prompt, catalogue)
    if malformed:
        return Validation(malformed)
    wanted = None if targets is None else set(targets)
    outputs = [
        node_id
        for node_id, node in prompt.items()
        if catalogue[node["class_type"]].is_output and (wanted is None or node_id in wanted)
    ]
    if not outputs:
        return Validation(problem("prompt_no_outputs", "Prompt has no outputs"))
    checker = _Checker(prompt, catalogue)
    for output in outputs:
        await checker.check(output)
    return _verdict(prompt, outputs, checker)


def _malformed(prompt: Any, catalogue: Catalogue) -> dict[str, Any] | None:
    if not isinstance(prompt, dict):
        return problem("invalid_prompt", f"A prompt must be an object of nodes, got {type(prompt).__name__}")
    for node_id, node in prompt.items():
        where = f"Node ID '#{node_id}'"
        if not isinstance(node, dict):
            return problem("invalid_prompt", f"A node must be an object, got {type(node).__name__}", where)
        title = _title(node)
        class_type = node.get("class_type")
        facts = {"node_id": node_id, "class_type": class_type, "node_title": title}
        if not isinstance(class_type, str):
            return problem(
                "missing_node_type", f"Node '{title or node_id}' has no class_type", where, **facts
            )
        if class_type not in catalogue:
            message = f"Node '{title or class_type}' not found: install the pack that has {class_type}"
            return problem("missing_node_type", message, where, **facts)
        if not isinstance(node.get("inputs"), dict):
            return problem("invalid_prompt", f"Node '{title or class_type}' has no object of inputs", where)
    return None


def _title(node: Mapping[str, Any]) -> str | None:
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, Mapping) else None
    return title if isinstance(title, str) else None


def _verdict(prompt: Prompt, outputs: list[str], checker: _Checker) -> Validation:
    bad = {output: checker.errors_above(output) for output in outputs}
    node_errors: dict[str, dict[str, Any]] = {}
    for output, culprits in bad.items():
        for node_id in culprits:
            entry = {
                "errors": checker.errors[node_id],
                "dependent_outputs": [],
                "class_type": prompt[node_id]["class_type"],
            }
            node_errors.setdefault(node_id, entry)["dependent_outputs"].append(output)
    good = [output for output in outputs if not bad[output]]
    if good:
        return Validation(None, good, node_errors)
    found = (entry for culprit in node_errors.values() for entry in culprit["errors"])
    details = "\n".join(f"{entry['message']}: {entry['details']}" for entry in found)
    error = problem("prompt_outputs_failed_validation", "Prompt outputs failed validation", details)
    return Validation(error, [], node_errors)


class _Checker:
    """Checks the nodes that outputs depend on, each once, without recursion: graphs may be deep."""

    def __init__(self, prompt: Prompt, catalogue: Catalogue) -> None:
        self.prompt = prompt
        self.catalogue = catalogue
        self.errors: dict[str, list[dict[str, Any]]] = {}
        self.sources: dict[str, list[str]] = {}
        self.cyclic: set[str] = set()

    async def check(self, output: str) -> None:
        """Check a node and all it depends on."""
        if output in self.errors:
            return
        await self._check_node(output, is_root=True)
        path = {output: iter(self.sources[output])}
        while path:
            node_id, remaining = next(reversed(path.items()))
            source = next(remaining, None)
            if source is None:
                del path[node_id]
            elif source in path:
                self._report_cycle(source, list(path))
            elif source not in self.errors:
                await self._check_node(source, is_root=False)
                path[source] = iter(self.sources[source])

    def errors_above(self, output: str) -> list[str]:
        """The faulty nodes among `output` and those it depends on."""
        seen, stack = {output}, [output]
        while stack:
            fresh = [source for source in self.sources[stack.pop()] if source not in seen]
            seen.update(fresh)
            stack += fresh
        return [node_id for node_id in self.prompt if node_id in seen and self.errors[node_id]]

    def _report_cycle(self, source: str, path: list[str]) -> None:
        nodes = path[path.index(source) :][::-1][:_LONGEST_CYCLE_SHOWN]
        named = [f"{node_id} ({self.prompt[node_id]['class_type']})" for node_id in [*nodes, nodes[0]]]
        for node_id in nodes:
            if node_id not in self.cyclic:  # one cycle per node is enough: there may be very many
                self.cyclic.add(node_id)
                entry = problem(
                    "dependency_cycle",
                    "Dependency cycle detected",
                    " -> ".join(named),
                    node_id=node_id,
                    cycle_nodes=nodes,
                )
                self.errors[node_id].append(entry)

    async def _check_node(self, node_id: str, *, is_root: bool) -> None:
        self.sources[node_id] = [
            value[0]
            for value in self.prompt[node_id]["inputs"].values()
            if is_link(value) and value[0] in self.prompt
        ]
        try:
            self.errors[node_id] = await self._errors_of(node_id)
        except Exception as error:  # the node's own code, which may raise anything
            kind = "exception_during_validation" if is_root else "exception_during_inner_validation"
            entry = problem(
                kind,
                "Exception when validating node" if is_root else "Exception when validating inner node",
                str(error),
                exception_message=str(error),
                exception_type=exception_type(error),
                traceback=traceback.format_tb(error.__traceback__),
            )
            self.errors[node_id] = [entry]

    async def _errors_of(self, node_id: str) -> list[dict[str, Any]]:
        node = self.prompt[node_id]
        definition = self.catalogue[node["class_type"]]
        live = self.catalogue.live_inputs(node)
        found = [
            missing(name, definition.is_v3)
            for name, spec in live.specs.items()
            if spec.required and name not in node["inputs"]
        ]
        linked_types: dict[str, Any] = {}
        for name, value in list(node["inputs"].items()):
            spec = live.specs.get(name)
            try:
                if isinstance(value, list) and (spec or is_link(value)):
                    linked_types[name] = self._linked_type(definition, name, value, spec)
                elif spec:
                    node["inputs"][name] = _accepted(definition, name, value, spec)
            except InvalidInput as refusal:
                found.append(refusal.problem)
        if definition.validator and not found:
            declared = {name: kind for name, kind in linked_types.items() if name in live.specs}
            return await self._custom_errors(node_id, definition, live, declared)
        return found

    def _linked_type(
        self, definition: NodeDefinition, name: str, link: list[Any], spec: InputSpec | None
    ) -> Any:
        if len(link) != 2:
            raise bad_link(name, link, spec, f"a list of {len(link)}")
        source, slot = link
        if not isinstance(source, str) or source not in self.prompt:
            raise bad_link(name, link, spec, f"there is no node {source!r} in the prompt")
        class_type = self.prompt[source]["class_type"]
        offered = self.catalogue[class_type].return_types
        if type(slot) is not int or not 0 <= slot < len(offered):
            raise bad_link(name, link, spec, f"node {source} ({class_type}) has no output {slot!r}")
        judges_types = "input_types" in definition.validated_names
        if spec is not None and not judges_types and not types_fit(offered[slot], spec.type):
            raise type_mismatch(name, link, offered[slot], spec)
        return offered[slot]

    async def _custom_errors(
        self, node_id: str, definition: NodeDefinition, live: LiveInputs, linked_types: dict[str, Any]
    ) -> list[dict[str, Any]]:
        given = gather(self.prompt[node_id]["inputs"], live, hidden_values(live, node_id), definition.is_v3)
        lists = {name: values for name, values in given.lists.items() if definition.validates(name)}
        places = {name: place for name, place in live.places.items() if definition.validates(name)}
        checked = [name for name in lists if name in live.specs]
        if "input_types" in definition.validated_names:
            lists["input_types"] = [linked_types]
        method = bound_method(definition, definition.validator, given.hidden)
        replies = await settled(await call_over_lists(definition, method, lists, places))
        return [
            problem(
                "custom_validation_failed",
                "Custom validation failed for node",
                name if reply is False else f"{name} - {reply}",
                input_name=name,
            )
            for name in checked or ["input_types"]
            for reply in replies
            if reply is not True and not isinstance(reply, ExecutionBlocker)
        ]


def _accepted(definition: NodeDefinition, name: str, value: Any, spec: InputSpec) -> Any:
    value = converted(name, value, spec)
    if not definition.validates(name) or "." in name:
        check_range(name, value, spec)
        check_options(name, value, spec)
    return value
