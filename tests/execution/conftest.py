from __future__ import annotations

from typing import Any

import pytest
from execution.execution_nodes import all_nodes
from kinograph.host.execution.definition import define
from kinograph.host.execution.executor import Executor
from kinograph.host.execution.run import Run
from kinograph.host.execution.validation import validate_prompt


class Host:
    """An executor over the test nodes that validates first and keeps the events of its last run."""

    def __init__(self, cache: Any = None) -> None:
        self.definitions = define(all_nodes())
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.executor = Executor(self.definitions, cache=cache, emit=self.hear)

    def hear(self, event: str, data: dict[str, Any]) -> None:
        self.events.append((event, data))

    def validate(self, prompt: Any, targets: Any = None) -> Any:
        return validate_prompt(prompt, self.definitions, targets)

    def run(self, prompt: dict[str, Any], targets: Any = None, **options: Any) -> Run:
        validation = self.validate(prompt, targets)
        assert validation.complete, (validation.error, validation.node_errors)
        self.events.clear()
        return self.executor.execute(prompt, targets=validation.outputs, **options)

    def heard(self, event: str) -> list[dict[str, Any]]:
        return [data for name, data in self.events if name == event]


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture(scope="session")
def make_host() -> type[Host]:
    return Host


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


@pytest.fixture(name="node")
def node_fixture() -> Any:
    """Builds a prompt's node: `node("Add", a=["1", 0], b=2)`."""
    return node
