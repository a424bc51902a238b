"""Queueing prompts, and what became of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from aiohttp import web

from . import plain_json
from .intake import RefusedError
from .parts import PARTS
from .requests import answer, body, json_object, refusal, text_list, whole_number
from .store import Store

_LOG = logging.getLogger(__name__)

routes = web.RouteTableDef()


@routes.get("/prompt")
async def status(request: web.Request) -> web.Response:
    """How much there is to do."""
    return answer(request.app[PARTS].queue.status)


@routes.post("/prompt")
async def queue_prompt(request: web.Request) -> web.Response:
    """Validate a prompt and queue its valid outputs."""
    parts = request.app[PARTS]
    text = await body(request)
    try:
        item, validation = await parts.intake.take(text)
    except plain_json.NotPlainError as error:
        raise refusal(web.HTTPBadRequest, str(error)) from error
    except RefusedError as error:
        _LOG.warning("A prompt was refused: %s", error)
        return answer({"error": error.error, "node_errors": error.node_errors}, status=400)
    facts = {"prompt_id": item.prompt_id, "number": item.number, "node_errors": validation.node_errors}
    return answer(facts)


@routes.get("/queue")
async def show_queue(request: web.Request) -> web.Response:
    """The running and the waiting prompts."""
    running, pending = request.app[PARTS].queue.current()
    return answer(
        {"queue_running": [item.facts for item in running], "queue_pending": [item.facts for item in pending]}
    )


@routes.post("/queue")
async def change_queue(request: web.Request) -> web.Response:
    """Take prompts out of the queue: {"clear": true} or {"delete": [ids]}."""
    queue = request.app[PARTS].queue
    return await _taken_out(request, queue.clear, queue.delete)


@routes.post("/interrupt")
async def interrupt(request: web.Request) -> web.Response:
    """Stop the running prompt; with {"prompt_id": …} only where it is this one."""
    try:
        given = plain_json.read(await body(request))
    except plain_json.NotPlainError:  # scripts post it without a body
        given = None
    prompt_id = given.get("prompt_id") if isinstance(given, dict) else None
    request.app[PARTS].queue.interrupt(prompt_id if prompt_id else None)
    return web.Response()


@routes.post("/free")
async def free(request: web.Request) -> web.Response:
    """Unload models, and forget results, before the next prompt."""
    given = await json_object(request)
    for wish in ("unload_models", "free_memory"):
        if given.get(wish):
            request.app[PARTS].queue.wish(wish)
    return web.Response()


@routes.get("/history")
async def show_history(request: web.Request) -> web.Response:
    """Finished prompts by id, oldest first: the newest `max_items`, or that many from `offset` on."""
    most, offset = whole_number(request, "max_items", None), whole_number(request, "offset", -1)
    most = None if most is None else max(most, 0)
    text = await asyncio.to_thread(_history, request.app[PARTS].store, most, offset)
    return web.Response(text=text, content_type="application/json")


def _history(store: Store, most: int | None, offset: int) -> str:
    # The entries are JSON already: reading and writing them again would take seconds where there are many.
    entries = store.history(most, offset).items()
    return "{" + ",".join(f"{plain_json.write(prompt_id)}:{entry}" for prompt_id, entry in entries) + "}"


@routes.get("/history/{prompt_id}")
async def show_entry(request: web.Request) -> web.Response:
    """One finished prompt, {id: entry}; {} while it has not finished."""
    prompt_id = request.match_info["prompt_id"]
    entry = request.app[PARTS].store.entry(prompt_id)
    return answer({prompt_id: entry} if entry else {})


@routes.post("/history")
async def change_history(request: web.Request) -> web.Response:
    """Forget finished prompts: {"clear": true} or {"delete": [ids]}."""
    store = request.app[PARTS].store
    return await _taken_out(request, store.forget_all, store.forget)


async def _taken_out(
    request: web.Request, clear: Callable[[], Any], delete: Callable[[str], Any]
) -> web.Response:
    given = await json_object(request)
    if given.get("clear"):
        clear()
    for prompt_id in text_list(given.get("delete") or [], "delete"):
        delete(prompt_id)
    return web.Response()
