"""Taking in prompts: read, validate, queue; one after another, in the order they came."""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from server import PromptServer

from ..execution.definition import NodeDefinition
from ..execution.errors import problem
from ..execution.validation import Validation, validate_prompt_async
from . import plain_json
from .queue import SECRETS, Item, PromptQueue
from .replacements import replace_missing


class RefusedError(Exception):
    """A prompt that is not queued; `error` and `node_errors` as ComfyUI's clients read them."""

    def __init__(self, error: dict[str, Any], node_errors: dict[str, Any] | None = None) -> None:
        super().__init__(error["message"])
        self.error = error
        self.node_errors = node_errors or {}


class Intake:
    """One thread that validates prompts, since a node's own validator may read files for seconds.

    Args:
        definitions: the known nodes.
        queue: where valid prompts go.
    """

    def __init__(self, definitions: Mapping[str, NodeDefinition], queue: PromptQueue) -> None:
        self._definitions = definitions
        self._queue = queue
        self._thread = ThreadPoolExecutor(1, "intake")
        self._loop = asyncio.new_event_loop()

    async def take(self, text: bytes) -> tuple[Item, Validation]:
        """Queue the prompt of a request to POST /prompt.

        Raises:
            NotPlainError: the text is no JSON.
            RefusedError: nothing of the prompt can run, or the request is malformed.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._take, text)

    def close(self) -> None:
        """Finish what has begun."""
        self._thread.shutdown(cancel_futures=True)
        self._loop.close()

    def _take(self, text: bytes) -> tuple[Item, Validation]:
        given = plain_json.read(text)
        if not isinstance(given, dict):
            raise RefusedError(problem("invalid_prompt", "The request must be a JSON object"))
        given = PromptServer.instance.trigger_on_prompt(given)
        if "prompt" not in given:
            raise RefusedError(problem("no_prompt", "No prompt provided", "No prompt provided"))
        number = self._number(given)
        prompt_id = _prompt_id(given.get("prompt_id"))
        extra_data, secrets = _extra_data(given)
        prompt = replace_missing(given["prompt"], self._definitions)
        checking = validate_prompt_async(prompt, self._definitions, _targets(given))
        validation = self._loop.run_until_complete(checking)
        if validation.error:
            raise RefusedError(validation.error, validation.node_errors)
        item = Item(number, prompt_id, prompt, extra_data, validation.outputs, secrets)
        self._queue.put(item)
        return item, validation

    def _number(self, given: dict[str, Any]) -> float:
        if "number" not in given:
            return self._queue.next_number(front=bool(given.get("front")))
        try:
            number = float(given["number"])
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            raise RefusedError(problem("invalid_prompt", "number must be a finite number"))
        return number


def _prompt_id(given: Any) -> str:
    if given is None:
        return str(uuid.uuid4())
    if not is_uuid(given):
        details = "give a UUID in lower case with hyphens, or leave it out"
        raise RefusedError(problem("invalid_prompt_id", "prompt_id must be a valid UUID", details))
    return given


def is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value
    except ValueError:
        return False


def _extra_data(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the client sent beside the prompt: what is kept, and what is not."""
    extra_data = given.get("extra_data") or {}
    if not isinstance(extra_data, dict):
        raise RefusedError(problem("invalid_prompt", "extra_data must be an object"))
    if "client_id" in given:
        extra_data["client_id"] = given["client_id"]
    if not isinstance(extra_data.get("client_id"), str):
        extra_data.pop("client_id", None)
    secrets = {name: extra_data.pop(name) for name in SECRETS if name in extra_data}
    extra_data["create_time"] = int(time.time() * 1000)
    return extra_data, secrets


def _targets(given: dict[str, Any]) -> list[str] | None:
    targets = given.get("partial_execution_targets")
    if targets is None or (isinstance(targets, list) and all(isinstance(item, str) for item in targets)):
        return targets
    raise RefusedError(problem("invalid_prompt", "partial_execution_targets must be a list of node ids"))
