"""What the server costs: to start, to stand by, per graph, and whether it loses anything under load.

ready_s: `kinograph serve`, from shell to the first page answered, median.
idle_rss_mb: memory of the process once an editor has asked for all it needs to open; 10^6 bytes.
graph_ms_median: a graph of three nodes that need no torch, from POST /prompt to `execution_success`.
lost_prompts: of 200 prompts that 20 clients queue at once, those that have no successful history entry
in the order of their numbers.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from .machine import machine

CLIENTS = 20
PROMPTS_EACH = 10

_OPENING = (
    *(
        "/",
        "/api/system_stats",
        "/api/settings",
        "/api/users",
        "/api/object_info",
        "/api/extensions",
        "/api/i18n",
    ),
    *("/api/workflow_templates", "/api/global_subgraphs", "/api/queue", "/api/jobs", "/api/features"),
)
"""What the editor asks for at its start."""

_numbers = count()


def run(quick: bool) -> dict[str, Any]:
    """Start servers and ask them; `quick` takes fewer rounds."""
    starts = [_start_seconds() for _ in range(2 if quick else 7)]
    with _server() as (process, address):
        idle, graphs, crowd = asyncio.run(_measured(process, address, 30 if quick else 300))
    return {
        "name": "server",
        "machine": machine(),
        "figures": {
            "ready_s": round(median(starts), 3),
            "idle_rss_mb": round(idle, 1),
            "graph_ms_median": round(median(graphs), 3),
            "lost_prompts": crowd.pop("lost"),
        },
        "rows": [
            {"measure": "ready_s", "min": round(min(starts), 3), "max": round(max(starts), 3)},
            {"measure": "graph_ms", "min": round(min(graphs), 3), "p95": round(_share(graphs, 0.95), 3)},
            {"measure": "crowd", **crowd},
        ],
    }


@contextmanager
def _server() -> Iterator[tuple[subprocess.Popen, str]]:
    """A server on folders of its own, and its address."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "kinograph.host.cli", "serve", "--port", "0"]
        for name in ("user-directory", "input", "output"):
            command += [f"--{name}", str(Path(folder, name))]
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            line = process.stdout.readline()
            if not line.startswith("Kinograph: "):
                raise RuntimeError("the server did not start; try `kinograph serve` by hand")
            yield process, line.split()[1]
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()


def _start_seconds() -> float:
    from urllib.request import urlopen

    began = time.perf_counter()
    with _server() as (_, address), urlopen(address) as page:
        page.read()
        return time.perf_counter() - began


async def _measured(
    process: subprocess.Popen, address: str, rounds: int
) -> tuple[float, list[float], dict[str, Any]]:
    import aiohttp
    import psutil

    memory = psutil.Process(process.pid).memory_info
    async with aiohttp.ClientSession(address) as session:
        for path in _OPENING:
            async with session.get(path) as answer:
                await answer.read()
        idle = memory().rss / 1e6
        graphs = await _graph_times(session, rounds)
        before = memory().rss / 1e6
        crowd = await _crowd(session)
        crowd |= {"rss_before_mb": round(before, 1), "rss_after_mb": round(memory().rss / 1e6, 1)}
    return idle, graphs, crowd


async def _graph_times(session: Any, rounds: int) -> list[float]:
    """Milliseconds per graph, one after another, after ten to warm up."""
    client_id, times = uuid.uuid4().hex, []
    async with session.ws_connect(f"/ws?clientId={client_id}") as socket:
        for _ in range(rounds + 10):
            began = time.perf_counter()
            prompt_id = await _queue(session, client_id)
            await _success(socket, prompt_id)
            times.append((time.perf_counter() - began) * 1e3)
    return times[10:]


async def _queue(session: Any, client_id: str) -> str:
    """Queue a graph whose values are new, so that no result is at hand; its id."""
    prompt = {
        "1": {"class_type": "PrimitiveInt", "inputs": {"value": next(_numbers)}},
        "2": {"class_type": "PrimitiveInt", "inputs": {"value": ["1", 0]}},
        "3": {"class_type": "PreviewAny", "inputs": {"source": ["2", 0]}},
    }
    async with session.post("/prompt", json={"prompt": prompt, "client_id": client_id}) as answer:
        return (await answer.json())["prompt_id"]


async def _success(socket: Any, prompt_id: str) -> None:
    async for message in socket:
        event = json.loads(message.data)
        if event["type"] == "execution_success" and event["data"]["prompt_id"] == prompt_id:
            return
    raise RuntimeError("the server closed the connection")


async def _crowd(session: Any) -> dict[str, Any]:
    began = time.perf_counter()
    ids = await asyncio.gather(*(_client(session) for _ in range(CLIENTS)))
    seconds = time.perf_counter() - began
    async with session.get("/history?max_items=1000000") as answer:
        history = await answer.json()
    wanted = {prompt_id for own in ids for prompt_id in own}
    ended = [entry for prompt_id, entry in history.items() if prompt_id in wanted]
    numbers = [entry["prompt"][0] for entry in ended if entry["status"]["completed"]]
    in_order = sum(number == right for number, right in zip(numbers, sorted(numbers), strict=True))
    return {"lost": CLIENTS * PROMPTS_EACH - in_order, "prompts_per_s": round(len(ended) / seconds, 1)}


async def _client(session: Any) -> list[str]:
    """Queue ten graphs at once and wait until each has ended; their ids."""
    client_id = uuid.uuid4().hex
    async with session.ws_connect(f"/ws?clientId={client_id}") as socket:
        ids = await asyncio.gather(*(_queue(session, client_id) for _ in range(PROMPTS_EACH)))
        waiting = set(ids)
        while waiting:
            event = json.loads((await socket.receive()).data)
            # The end of all work on a prompt, its history entry included.
            if event["type"] == "executing" and event["data"]["node"] is None:
                waiting.discard(event["data"]["prompt_id"])
    return ids


def _share(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
