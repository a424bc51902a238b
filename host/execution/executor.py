"""The executor: runs validated prompts one after another and keeps results between them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from comfy.model_management import interrupt_current_processing

from .caching import ClassicCache
from .definition import Catalogue, NodeDefinition
from .progress import Emit
from .prompt_run import PromptRun
from .run import Run


class Executor:
    """Runs prompts.

    Args:
        definitions: the known nodes, by class type.
        cache: what keeps results between prompts; a `ClassicCache` where None.
        emit: takes each event's name and data, as ComfyUI's server sends them to a client.
    """

    def __init__(
        self,
        definitions: Mapping[str, NodeDefinition],
        *,
        cache: ClassicCache | None = None,
        emit: Emit | None = None,
    ) -> None:
        self.definitions = definitions
        self.cache = cache if cache is not None else ClassicCache()
        self.emit = emit or (lambda event, data: None)
        self._instances: dict[tuple[str, str], dict[str, Any]] = {}

    def execute(
        self,
        prompt: dict[str, dict[str, Any]],
        *,
        prompt_id: str | None = None,
        extra_data: Mapping[str, Any] | None = None,
        targets: Iterable[str] | None = None,
    ) -> Run:
        """`execute_async` for callers that have no event loop."""
        return asyncio.run(
            self.execute_async(prompt, prompt_id=prompt_id, extra_data=extra_data, targets=targets)
        )

    async def execute_async(
        self,
        prompt: dict[str, dict[str, Any]],
        *,
        prompt_id: str | None = None,
        extra_data: Mapping[str, Any] | None = None,
        targets: Iterable[str] | None = None,
    ) -> Run:
        """Run a prompt; what its nodes raise is told by the result, never raised.

        Args:
            prompt: nodes by id; `validate_prompt` must have accepted `targets`.
            prompt_id: id of this run in events; a new one where None.
            extra_data: "extra_pnginfo" and other values that nodes ask for as hidden inputs.
            targets: the output nodes to run, with all they need; every one of the prompt where None.
        """
        interrupt_current_processing(False)
        catalogue = Catalogue(self.definitions)
        if targets is None:
            targets = [node_id for node_id, node in prompt.items() if catalogue[node["class_type"]].is_output]
        roots = {(node_id, node["class_type"]) for node_id, node in prompt.items()}
        self._instances = {
            root: kept for root, kept in self._instances.items() if root in roots and self.cache.signs
        }
        run = PromptRun(
            catalogue,
            self.cache,
            self._instances,
            self.emit,
            prompt=prompt,
            prompt_id=prompt_id or str(uuid.uuid4()),
            extra_data=extra_data or {},
        )
        return await run.execute(targets)

    def forget(self) -> None:
        """Free every kept result and node instance."""
        self.cache.clear()
        self._instances.clear()
