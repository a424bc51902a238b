"""A server in a process of its own, and clients that speak to it."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

NODES = Path(__file__).with_name("server_nodes.py")
PATIENCE = 300.0
"""Seconds: machines that run tests may be busy with other things."""


@dataclass
class Answer:
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """`kinograph serve` below a folder, with the nodes of `server_nodes` and a stub of the editor."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.options = options
        front_end = folder / "front"
        (front_end / "assets").mkdir(parents=True, exist_ok=True)
        (front_end / "index.html").write_text("<title>the editor</title>")
        (front_end / "assets" / "app-1234.js").write_text("export {}")
        for name in ("input", "output", "user"):
            (folder / name).mkdir(exist_ok=True)

    @property
    def command(self) -> list[str]:
        """The command line."""
        command = [sys.executable, "-m", "kinograph.host.cli", "serve", "--port", "0", "--pack", str(NODES)]
        places = {"user-directory": "user", "input": "input", "output": "output", "front-end": "front"}
        for name, place in places.items():
            command += [f"--{name}", str(self.folder / place)]
        return [*command, *self.options]

    def start(self) -> Server:
        """Start the process and wait until it answers."""
        self.log = open(self.folder / "log.txt", "ab")  # noqa: SIM115
        self.process = subprocess.Popen(
            self.command,
            cwd=self.folder,
            env=os.environ | {"OMP_NUM_THREADS": "1", "KINOGRAPH_HOME": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        line = self.process.stdout.readline()
        assert line.startswith("Kinograph: "), (line, (self.folder / "log.txt").read_text())
        self.address = line.split()[1]
        self.url = self.address.partition("/?")[0]
        self.port = int(self.url.rpartition(":")[2])
        return self

    def kill(self) -> None:
        """End the process as a crash does."""
        self.process.kill()
        self._wait()

    def stop(self) -> int:
        """Ask the process to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._wait()

    def _wait(self) -> int:
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        self.log.close()
        return code

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send a request whose path goes out as it is; a body that is no bytes goes as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        content = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        try:
            connection.request(method, path, content, headers or {})
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, headers=headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.request("POST", path, body, headers)

    def queue(self, prompt: dict[str, Any], **fields: Any) -> str:
        """Queue a prompt; its id."""
        answer = self.post("/prompt", {"prompt": prompt, **fields})
        assert answer.status == 200, answer.body
        return answer.json["prompt_id"]

    def wait_for(self, prompt_id: str) -> dict[str, Any]:
        """The history entry of a prompt, once it has one."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if entry := self.get(f"/history/{prompt_id}").json.get(prompt_id):
                return entry
            time.sleep(0.02)
        raise TimeoutError(prompt_id)

    def wait_until_running(self, prompt_id: str) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if [item[1] for item in self.get("/queue").json["queue_running"]] == [prompt_id]:
                return
            time.sleep(0.02)
        raise TimeoutError(prompt_id)


def count(steps: int = 1, seconds: float = 0.0, seed: int = 0) -> dict[str, Any]:
    """A graph of two nodes that shows a number after a while."""
    return {
        "1": {"class_type": "TestSlowCount", "inputs": {"steps": steps, "seconds": seconds, "seed": seed}},
        "2": {"class_type": "TestShow", "inputs": {"number": ["1", 0]}},
    }


class Listener:
    """A WebSocket client."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, client_id: str) -> None:
        self.socket = socket
        self.client_id = client_id

    async def next(self) -> tuple[str, Any] | bytes:
        """The next message: (event, data), or the bytes of a binary one."""
        message = await asyncio.wait_for(self.socket.receive(), PATIENCE)
        if message.type == aiohttp.WSMsgType.BINARY:
            return message.data
        assert message.type == aiohttp.WSMsgType.TEXT, message
        event = json.loads(message.data)
        return event["type"], event["data"]

    async def until_done(self, prompt_id: str) -> list[Any]:
        """Every message up to the end of a prompt."""
        messages = []
        while True:
            messages.append(await self.next())
            if messages[-1] == ("executing", {"node": None, "prompt_id": prompt_id}):
                return messages


@asynccontextmanager
async def listening(
    server: Server, client_id: str | None = None, flags: dict[str, Any] | None = None
) -> AsyncIterator[Listener]:
    """Connect as a client, with features where given."""
    client_id = client_id or uuid.uuid4().hex
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{server.url}/ws?clientId={client_id}", max_msg_size=0) as socket,
    ):
        if flags is not None:
            await socket.send_json({"type": "feature_flags", "data": flags})
        yield Listener(socket, client_id)


def form(name: str, content: bytes, **fields: str) -> tuple[bytes, dict[str, str]]:
    """A multipart form with a file "image": body and headers, the file first, as browsers send it."""
    mark = uuid.uuid4().hex
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode("utf-8", "surrogateescape")
        + content
        + b"\r\n"
    ]
    for key, value in fields.items():
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n'
        parts.append(f"{head}{value}\r\n".encode())
    body = b"".join(parts) + f"--{mark}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={mark}"}
