"""The server's parts, as the handlers of requests reach them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from ..session import Session
from .clients import Clients
from .intake import Intake
from .logs import LogBook
from .queue import PromptQueue
from .store import Store
from .worker import Worker


@dataclass(frozen=True)
class Parts:
    """The server's parts.

    Attributes:
        session: the loaded packs.
        front_end: the editor's folder.
        most_upload_bytes: of one uploaded file.
    """

    session: Session
    clients: Clients
    store: Store
    queue: PromptQueue
    worker: Worker
    log_book: LogBook
    intake: Intake
    front_end: Path
    most_upload_bytes: int

    @property
    def features(self) -> dict[str, Any]:
        """What this server can do, for clients that ask."""
        return {
            "supports_preview_metadata": True,
            "max_upload_size": self.most_upload_bytes,
            "extension": {"manager": {"supports_v4": False}},
            "node_replacements": True,
            "assets": False,
        }


PARTS: web.AppKey[Parts] = web.AppKey("parts", Parts)
