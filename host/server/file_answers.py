"""Files as responses: with the right type, and never as a page of ours that runs their scripts."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

_TYPES = {
    ".avif": "image/avif",
    ".flac": "audio/flac",
    ".glb": "model/gltf-binary",
    ".gltf": "model/gltf+json",
    ".js": "text/javascript",
    ".json": "application/json",
    ".m4a": "audio/mp4",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".mkv": "video/x-matroska",
    ".opus": "audio/ogg",
    ".svg": "image/svg+xml",
    ".vtt": "text/vtt",
    ".wasm": "application/wasm",
    ".webm": "video/webm",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""Types that Python's own table lacks on some systems, or takes from a wrong registry."""

_RUNNABLE = {"text/html", "text/javascript", "application/javascript", "text/css", "message/rfc822"}


def content_type(name: str) -> str:
    """The type of a file by its name."""
    known = _TYPES.get(Path(name).suffix.lower())
    return known or mimetypes.guess_type(name)[0] or "application/octet-stream"


def is_active(type_: str) -> bool:
    """Whether a browser might run what a file of this type holds."""
    base = type_.partition(";")[0].strip().lower()
    return base in _RUNNABLE or "html" in base or "script" in base or base.endswith(("xml", "/xslt"))


def asset(path: Path, cache: str) -> web.FileResponse:
    """A file of the editor or of a pack, which is trusted as their code is."""
    return web.FileResponse(path, headers={"Content-Type": content_type(path.name), "Cache-Control": cache})


def stored_file(request: web.Request, path: Path) -> web.FileResponse:
    """A user's file, in parts where the client asks for a range; what could run is only downloaded.

    A picture of SVG may be shown inside an <img>, where a browser runs no script of it.
    """
    type_, disposition, headers = content_type(path.name), "inline", {"Cache-Control": "no-cache"}
    if is_active(type_):
        headers = {"Vary": "Sec-Fetch-Dest", "Cache-Control": "no-store"}
        if type_ != "image/svg+xml" or request.headers.get("Sec-Fetch-Dest") != "image":
            type_, disposition = "application/octet-stream", "attachment"
    headers |= {"Content-Type": type_, "Content-Disposition": f"{disposition}; {_named(path.name)}"}
    return web.FileResponse(path, headers=headers)


def download(path: Path) -> web.FileResponse:
    """A user's file to be saved, never shown."""
    type_ = content_type(path.name)
    if is_active(type_):
        type_ = "application/octet-stream"
    headers = {
        "Content-Type": type_,
        "Content-Disposition": f"attachment; {_named(path.name)}",
        "Cache-Control": "no-cache",
    }
    return web.FileResponse(path, headers=headers)


def _named(name: str) -> str:
    plain = "".join(
        sign if sign.isascii() and sign.isprintable() and sign not in '"\\' else "_" for sign in name
    )
    return f"filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
