"""The thread that runs prompts, one after another."""

from __future__ import annotations

import asyncio
import gc
import logging
import sqlite3
import sys
import threading
import time
from typing import Any

from comfy.model_management import interrupt_current_processing
from server import PromptServer

from ..execution.executor import Executor
from ..execution.progress import PREVIEW
from ..execution.run import Run
from ..execution.validation import validate_prompt_async
from . import messages
from .clients import Clients
from .queue import Item, PromptQueue, failed_entry
from .running import RunningPrompt
from .store import Entry

_LOG = logging.getLogger(__name__)

_TIDY_SECONDS = 10.0
_PAUSE_SECONDS = 5.0


class Worker(threading.Thread):
    """Takes prompts from the queue, runs them, and tells their clients.

    Args:
        queue: where prompts come from and where their histories go.
        executor: runs them; its `emit` is set here.
        clients: who is told.
    """

    def __init__(self, queue: PromptQueue, executor: Executor, clients: Clients) -> None:
        super().__init__(name="prompts", daemon=True)
        self.running = RunningPrompt()
        self._queue = queue
        self._executor = executor
        self._clients = clients
        self._item: Item | None = None
        self._is_tidy = True
        executor.emit = self._emit
        PromptServer.instance.send_hook = self._send

    def run(self) -> None:
        """Work until the queue is closed."""
        loop = asyncio.new_event_loop()
        while not self._queue.is_closed:
            try:
                item = self._queue.get(None if self._is_tidy else _TIDY_SECONDS)
            except sqlite3.Error as error:
                _LOG.error("The queue waits: its file cannot be written: %s", error)
                time.sleep(_PAUSE_SECONDS)
                continue
            if item is not None:
                self._keep(item, loop.run_until_complete(self._entry(item)))
                self._leave(item)
            self._tidy_up(is_idle=item is None)
        loop.close()

    def _keep(self, item: Item, entry: Entry) -> None:
        try:
            self._queue.finish(entry)
        except (TypeError, ValueError, RecursionError) as error:
            message = f"A node showed what cannot be written as JSON: {error}"
            self._queue.finish(failed_entry(item, type(error).__name__, message))
        except sqlite3.Error as error:
            _LOG.error(
                "The history of prompt %s is lost, its file cannot be written: %s", item.prompt_id, error
            )
            self._queue.abandon()

    async def _entry(self, item: Item) -> Entry:
        """Run a prompt; the result is its history entry, whatever happens."""
        self._enter(item)
        try:
            if not item.is_checked and (refusal := await self._refused(item)):
                return refusal
            run = await self._executor.execute_async(
                item.prompt,
                prompt_id=item.prompt_id,
                extra_data=item.extra_data | item.secrets,
                targets=item.targets,
            )
            return _entry(item, run)
        except Exception as error:  # a mistake of the host: nodes' errors are told by the run
            _LOG.exception("Prompt %s failed outside of its nodes", item.prompt_id)
            entry = failed_entry(item, type(error).__name__, f"The host failed: {error}")
            self._emit(*entry["status"]["messages"][0])
            return entry

    async def _refused(self, item: Item) -> Entry | None:
        """Validate a prompt that an earlier process has accepted: its nodes may be gone."""
        validation = await validate_prompt_async(item.prompt, self._executor.definitions, item.targets)
        item.targets = validation.outputs
        if validation.error is None:
            return None
        entry = failed_entry(
            item, "PromptNotValid", validation.error["message"], node_errors=validation.node_errors
        )
        self._emit(*entry["status"]["messages"][0])
        return entry

    def _enter(self, item: Item) -> None:
        self._item, self._is_tidy = item, False
        self.running.begin(item.client_id)
        PromptServer.instance.client_id = item.client_id
        PromptServer.instance.last_prompt_id = item.prompt_id
        PromptServer.instance.last_node_id = None

    def _leave(self, item: Item) -> None:
        self.running.end()
        self._item = None
        if item.client_id is not None:
            self._clients.send("executing", {"node": None, "prompt_id": item.prompt_id}, item.client_id)

    def _emit(self, event: str, data: dict[str, Any]) -> None:
        """Take an event of the executor; a prompt without a client has nobody to tell but of its end."""
        item = self._item
        if event == "execution_start" and item.is_cancelled:
            interrupt_current_processing()  # cancelled between leaving the queue and beginning
        if event == "executing":
            PromptServer.instance.last_node_id = data["node"]
        if event == PREVIEW:
            if item.client_id is not None:
                self._clients.send_preview(data["image"], data["metadata"], item.client_id)
            return
        self.running.note(event, data)
        if item.client_id is not None or event == "execution_interrupted":
            self._clients.send(event, data, item.client_id)

    def _send(self, event: str | int, data: Any, client_id: str | None) -> None:
        """Take what a node sends through `PromptServer.send_sync`."""
        if not self._clients.listen(client_id):
            return
        if event == "progress_text":
            self._clients.post(messages.text_message(data["nodeId"], data["text"]), client_id)
        elif event == messages.PREVIEW_WITH_METADATA and isinstance(data, tuple):
            self._clients.send_preview(*data, client_id)
        elif event in (messages.PREVIEW_IMAGE, messages.UNENCODED_PREVIEW_IMAGE) and isinstance(data, tuple):
            self._clients.post(messages.preview_message(data), client_id)
        elif isinstance(event, int):
            self._clients.post(messages.binary_message(event, bytes(data)), client_id)
        else:
            self._clients.send(event, data, client_id)

    def _tidy_up(self, is_idle: bool) -> None:
        wishes = self._queue.take_wishes()
        if wishes:
            from comfy.model_management import unload_all_models

            unload_all_models()
        if "free_memory" in wishes:
            self._executor.forget()
        if wishes or (is_idle and not self._is_tidy):
            gc.collect()
            if "torch" in sys.modules:
                from comfy.model_management import soft_empty_cache

                soft_empty_cache()
            self._is_tidy = True


def _entry(item: Item, run: Run) -> Entry:
    succeeded = run.status == "success"
    _LOG.info("Prompt %s: %s in %.2f s", item.prompt_id, run.status, run.seconds)
    return {
        "prompt": item.facts,
        "outputs": run.outputs,
        "meta": run.meta,
        "status": {
            "status_str": "success" if succeeded else "error",
            "completed": succeeded,
            "messages": [[event, data] for event, data in run.messages],
        },
    }
