"""The connected browsers and scripts, and what is on its way to them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from aiohttp import web

from . import messages

_MOST_OUTDATED = 128
"""Progress and previews that may wait before a slow client misses all but the last of them."""
_MOST_WAITING = 20_000
"""Messages that may wait before a client that reads nothing is disconnected."""
_MOST_WAITING_BYTES = 256 << 20


class _Waiting(NamedTuple):
    message: str | bytes
    is_outdated_soon: bool


class Connection:
    """One WebSocket, and the request that it began as; `flags` are the client's features."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.socket = socket
        self._request = request
        self.flags: Mapping[str, Any] = {}
        self._waiting: deque[_Waiting] = deque()
        self._bytes = self._outdatable = 0
        self._more = asyncio.Event()

    def post(self, message: str | bytes, *, is_outdated_soon: bool = False) -> None:
        """Send a message after those that wait already; to be called in the event loop.

        Args:
            is_outdated_soon: a later one of its kind tells all that this one does.
        """
        if is_outdated_soon and self._outdatable >= _MOST_OUTDATED:
            self._waiting = deque(one for one in self._waiting if not one.is_outdated_soon)
            self._bytes, self._outdatable = sum(len(one.message) for one in self._waiting), 0
        self._waiting.append(_Waiting(message, is_outdated_soon))
        self._bytes += len(message)
        self._outdatable += is_outdated_soon
        self._more.set()
        if len(self._waiting) > _MOST_WAITING or self._bytes > _MOST_WAITING_BYTES:
            self._waiting.clear()
            if self._request.transport is not None:
                self._request.transport.abort()

    async def keep_sending(self) -> None:
        """Write out messages as the client takes them, until the connection breaks."""
        with contextlib.suppress(ConnectionError):  # the reader ends by itself then
            while True:
                while self._waiting:
                    message, is_outdated_soon = self._waiting.popleft()
                    self._bytes -= len(message)
                    self._outdatable -= is_outdated_soon
                    if isinstance(message, str):
                        await self.socket.send_str(message)
                    else:
                        await self.socket.send_bytes(message)
                self._more.clear()
                await self._more.wait()


class Clients:
    """All connections by client id; a duplicated browser tab shares the id of the first.

    The methods that send may be called from any thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._connections: dict[str, set[Connection]] = {}

    def add(self, client_id: str, connection: Connection) -> None:
        self._connections.setdefault(client_id, set()).add(connection)

    def remove(self, client_id: str, connection: Connection) -> None:
        connections = self._connections[client_id]
        connections.discard(connection)
        if not connections:
            del self._connections[client_id]

    async def close(self) -> None:
        """Disconnect everyone: the server goes away."""
        for connection in self._listeners(None):
            await connection.socket.close(code=1001, message=b"the server stops")

    def listen(self, client_id: str | None) -> bool:
        """Whether anyone is there to read messages for this client, or for all with None."""
        return bool(self._connections) if client_id is None else client_id in self._connections

    def send(self, event: str, data: Any, client_id: str | None = None) -> None:
        """Send an event to one client, or to all with None."""
        if self.listen(client_id):
            message = messages.event_message(event, data)
            self.post(message, client_id, is_outdated_soon=event.startswith("progress"))

    def send_preview(
        self, preview: messages.Preview, metadata: Mapping[str, Any], client_id: str | None
    ) -> None:
        """Send a preview in the form that each connection understands."""
        flagged = [
            connection.flags.get("supports_preview_metadata") is True
            for connection in self._listeners(client_id)
        ]
        if True in flagged:
            rich = messages.preview_with_metadata(preview, metadata)
            self.post(rich, client_id, is_outdated_soon=True, with_flag=True)
        if False in flagged:
            self.post(messages.preview_message(preview), client_id, is_outdated_soon=True, with_flag=False)

    def post(
        self,
        message: str | bytes,
        client_id: str | None,
        *,
        is_outdated_soon: bool = False,
        with_flag: bool | None = None,
    ) -> None:
        """Send an encoded message.

        Args:
            is_outdated_soon: a later one of its kind tells all that this one does.
            with_flag: only to connections that do, or do not, know previews with metadata; to all with None.
        """

        def deliver() -> None:
            for connection in self._listeners(client_id):
                knows = connection.flags.get("supports_preview_metadata") is True
                if with_flag in (None, knows):
                    connection.post(message, is_outdated_soon=is_outdated_soon)

        with contextlib.suppress(RuntimeError):  # the loop is closed: the server is on its way out
            self._loop.call_soon_threadsafe(deliver)

    def _listeners(self, client_id: str | None) -> Iterable[Connection]:
        if client_id is not None:
            return list(self._connections.get(client_id, ()))
        return [connection for group in list(self._connections.values()) for connection in list(group)]
