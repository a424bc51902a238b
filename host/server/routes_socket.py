"""The WebSocket: what a client is told, and the features that both sides know."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from aiohttp import WSMsgType, web

from . import plain_json
from .clients import Connection
from .messages import event_message
from .parts import PARTS, Parts

routes = web.RouteTableDef()

_LONGEST_MESSAGE = 1 << 20
_LONGEST_ID = 200


@routes.get("/ws")
async def listen(request: web.Request) -> web.WebSocketResponse:
    """Keep a client informed until it leaves."""
    parts = request.app[PARTS]
    socket = web.WebSocketResponse(max_msg_size=_LONGEST_MESSAGE, heartbeat=55, compress=False)
    await socket.prepare(request)
    client_id = request.query.get("clientId", "")[:_LONGEST_ID] or uuid.uuid4().hex
    connection = Connection(socket, request)
    connection.post(event_message("status", {"status": parts.queue.status, "sid": client_id}))
    for event, data in parts.worker.running.story(client_id):
        connection.post(event_message(event, data))
    parts.clients.add(client_id, connection)
    sender = asyncio.create_task(connection.keep_sending())
    try:
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                _take(message.data, connection, parts)
    finally:
        sender.cancel()
        parts.clients.remove(client_id, connection)
        parts.log_book.readers.discard(client_id)
    return socket


def _take(text: str, connection: Connection, parts: Parts) -> None:
    """Read a client's message; only its list of features means anything."""
    try:
        message: Any = plain_json.read(text)
    except plain_json.NotPlainError:
        return
    if isinstance(message, dict) and message.get("type") == "feature_flags":
        flags = message.get("data")
        connection.flags = flags if isinstance(flags, dict) else {}
        connection.post(event_message("feature_flags", parts.features))
