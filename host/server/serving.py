"""From the command line's options to a server that runs, and its orderly end."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import folder_paths
from aiohttp import web
from server import PromptServer

from ..commands import UsageError
from ..execution.caching import ClassicCache
from ..execution.executor import Executor
from ..session import Session
from .app import application
from .clients import Clients
from .intake import Intake
from .logs import LogBook
from .parts import Parts
from .queue import PromptQueue
from .routes_pages import front_end_folder
from .security import is_loopback, own_names
from .store import Store
from .user_files import make_home
from .worker import Worker

_LOG = logging.getLogger(__name__)

_SECONDS_TO_STOP = 5.0


@dataclass(frozen=True)
class Options:
    """How to serve.

    Attributes:
        listen: addresses to listen on.
        port: 0 for any that is free.
        token: what clients must know; None for nothing.
        host_names: further names under which this host is reached.
        front_end: the editor's folder; None for the installed package's.
        most_upload_bytes: of one uploaded file.
        cache: what keeps results between prompts.
    """

    listen: tuple[str, ...] = ("127.0.0.1",)
    port: int = 8188
    token: str | None = None
    host_names: tuple[str, ...] = ()
    front_end: Path | None = None
    most_upload_bytes: int = 2 << 30
    cache: ClassicCache = field(default_factory=ClassicCache)


async def serve(session: Session, options: Options, ready: Callable[[str], None]) -> None:
    """Serve until a signal asks for the end.

    Args:
        ready: called with the server's address once it answers.

    Raises:
        UsageError: there is no editor, the address is taken, or another server uses the user folder.
    """
    parts = _parts(session, options)
    names = own_names(options.listen, options.host_names)
    app = application(parts, host_names=names, token=options.token)
    PromptServer.instance.app, PromptServer.instance.loop = app, asyncio.get_running_loop()
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=_SECONDS_TO_STOP,
    )
    await runner.setup()
    try:
        ready(await _listen(runner, options))  # before the recording: the address may hold the token
        with parts.log_book.recording():
            parts.worker.start()
            await _told_to_stop()
    finally:
        await _stop(parts, runner)


def _parts(session: Session, options: Options) -> Parts:
    loop = asyncio.get_running_loop()
    front_end = front_end_folder(options.front_end)
    make_home()
    store = Store(Path(folder_paths.get_system_user_directory("kinograph"), "server.db"))
    clients, log_book = Clients(loop), LogBook()
    queue = PromptQueue(store, lambda: clients.send("status", {"status": queue.status}))
    queue.restore()
    worker = Worker(queue, Executor(session.definitions, cache=options.cache), clients)
    log_book.written = lambda entry: _send_log(clients, log_book, entry)
    intake = Intake(session.definitions, queue)
    return Parts(
        session, clients, store, queue, worker, log_book, intake, front_end, options.most_upload_bytes
    )


def _send_log(clients: Clients, log_book: LogBook, entry: dict[str, str]) -> None:
    for client_id in list(log_book.readers):
        clients.send("logs", {"entries": [entry], "size": None}, client_id)


async def _listen(runner: web.AppRunner, options: Options) -> str:
    port = options.port
    for address in options.listen:
        try:
            site = web.TCPSite(runner, address, port)
            await site.start()
        except (OSError, OverflowError) as error:
            raise UsageError(
                f"{address} port {port} cannot be listened on ({error}); choose another with --port"
            ) from error
        port = port or runner.addresses[0][1]
    host = options.listen[0]
    if not all(is_loopback(address) for address in options.listen) and options.token is None:
        _LOG.warning(
            "Everyone who reaches this machine at %s can run graphs and read their results: "
            "start with --token TOKEN where you do not trust them all",
            ", ".join(options.listen),
        )
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}" + (f"/?token={quote(options.token, safe='')}" if options.token else "")


async def _told_to_stop() -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        if sys.platform == "win32":
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))
        else:
            loop.add_signal_handler(number, stopped.set)
    # Windows wakes a waiting loop for no signal; so it looks by itself now and then.
    while not stopped.is_set():
        try:
            await asyncio.wait_for(stopped.wait(), 1.0 if sys.platform == "win32" else None)
        except (asyncio.TimeoutError, TimeoutError):
            continue


async def _stop(parts: Parts, runner: web.AppRunner) -> None:
    """Stop taking requests, ask the running prompt to end, and keep what waits for the next start."""
    parts.queue.close()
    parts.queue.interrupt()
    if parts.worker.is_alive():
        await asyncio.to_thread(parts.worker.join, _SECONDS_TO_STOP)
    await parts.clients.close()
    await runner.cleanup()
    parts.intake.close()
    if not parts.worker.is_alive():
        parts.store.close()
    PromptServer.instance.send_hook = None
