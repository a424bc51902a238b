"""`server`: the web server as packs reach it, `PromptServer.instance`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from .absent import refusal

_LOG = logging.getLogger(__name__)


class Route(NamedTuple):
    """A web route that a pack asked for; `options` are the decorator's further arguments."""

    method: str
    path: str
    handler: Callable[..., Any]
    options: dict[str, Any]


class Routes(list):
    """`@routes.get("/path")` and its like: a list of `Route`, for a web server to serve."""

    def route(self, method: str, path: str, **options: Any) -> Callable[[Callable], Callable]:
        def record(handler: Callable) -> Callable:
            self.append(Route(method.upper(), path, handler, options))
            return handler

        return record

    def get(self, path: str, **options: Any) -> Callable[[Callable], Callable]:
        return self.route("GET", path, **options)

    def post(self, path: str, **options: Any) -> Callable[[Callable], Callable]:
        return self.route("POST", path, **options)

    def put(self, path: str, **options: Any) -> Callable[[Callable], Callable]:
        return self.route("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Callable[[Callable], Callable]:
        return self.route("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Callable[[Callable], Callable]:
        return self.route("DELETE", path, **options)

    def head(self, path: str, **options: Any) -> Callable[[Callable], Callable]:
        return self.route("HEAD", path, **options)

    def view(self, path: str, **options: Any) -> Callable[[Callable], Callable]:
        return self.route("*", path, **options)

    def static(self, prefix: str, path: str, **options: Any) -> None:
        self.append(Route("STATIC", prefix, lambda: path, options))


class PromptServer:
    """Carries messages from nodes to whoever listens.

    `send_hook(event, data, sid)`, where set, receives every message; `event` is a name such as
    "executed", or a number for binary messages, and `sid` a client or None for all.
    """

    instance: PromptServer

    def __init__(self) -> None:
        self.routes = Routes()
        self.client_id: str | None = None
        self.last_node_id: str | None = None
        self.last_prompt_id: str | None = None
        self.send_hook: Callable[[str | int, Any, str | None], None] | None = None
        self.on_prompt_handlers: list[Callable[[dict], dict]] = []

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(refusal(f"server.PromptServer.instance.{name}"), name=name)

    def send_sync(self, event: str | int, data: Any, sid: str | None = None) -> None:
        """Send a message; safe from any thread if the hook is."""
        if self.send_hook is not None:
            self.send_hook(event, data, sid)

    def send_progress_text(self, text: str | bytes, node_id: str, sid: str | None = None) -> None:
        """Show a line of text on a node."""
        line = text.decode() if isinstance(text, bytes) else text
        self.send_sync("progress_text", {"nodeId": node_id, "text": line}, sid or self.client_id)

    def add_on_prompt_handler(self, handler: Callable[[dict], dict]) -> None:
        """Let a function see and change each request to queue a prompt."""
        self.on_prompt_handlers.append(handler)

    def trigger_on_prompt(self, json_data: dict) -> dict:
        """The request as the handlers leave it; one that fails is logged and changes nothing."""
        for handler in self.on_prompt_handlers:
            try:
                json_data = handler(json_data)
            except Exception:
                _LOG.exception("A pack's handler of prompts failed")
        return json_data


PromptServer.instance = PromptServer()
