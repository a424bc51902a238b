"""Files of the input, output and temp folders: shown, and uploaded."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import folder_paths
from aiohttp import web

from . import pictures, plain_json, uploads
from .file_answers import stored_file
from .parts import PARTS
from .places import readable_path
from .requests import answer, refusal, whole_number

routes = web.RouteTableDef()


@routes.get("/view")
async def view(request: web.Request) -> web.StreamResponse:
    """A file, or its picture made small (`preview`, `res`) or reduced to some channels (`channel`)."""
    path = _named_file(request.query)
    channel = request.query.get("channel", "")
    try:
        if "preview" in request.query:
            side = whole_number(request, "res", None)
            made = asyncio.to_thread(pictures.preview, path, request.query["preview"], channel, side)
            body, type_ = await made
            return web.Response(body=body, content_type=type_, headers={"Cache-Control": "no-cache"})
        if channel in ("rgb", "a"):
            reduce = pictures.colours if channel == "rgb" else pictures.alpha
            return web.Response(body=await asyncio.to_thread(reduce, path), content_type="image/png")
    except pictures.NoPictureError as error:
        raise refusal(web.HTTPUnsupportedMediaType, str(error)) from error
    return stored_file(request, path)


def _named_file(named: Any, default_type: str = "output") -> Path:
    """The existing file that "filename", "subfolder" and "type" name."""
    filename, folder = folder_paths.annotated_filepath(str(named.get("filename") or ""))
    folder = folder or folder_paths.get_directory_by_type(str(named.get("type") or default_type))
    if not filename or folder is None:
        raise refusal(web.HTTPBadRequest, "name a file, and input, output or temp as its type")
    subfolder = str(named.get("subfolder") or "")
    path = readable_path(folder, f"{subfolder}/{filename}" if subfolder else filename)
    if not path.is_file():
        raise refusal(web.HTTPNotFound, "there is no such file")
    return path


@routes.post("/upload/image")
async def upload(request: web.Request) -> web.Response:
    """Store a file of any kind that loaders read; the answer has the name that it got."""
    received = await uploads.receive(request, request.app[PARTS].most_upload_bytes)
    return await _kept(received)


@routes.post("/upload/mask")
async def upload_mask(request: web.Request) -> web.Response:
    """Store a picture with the alpha channel of the uploaded one; `original_ref` names the picture."""
    received = await uploads.receive(request, request.app[PARTS].most_upload_bytes)
    try:
        reference = plain_json.read(received.fields.get("original_ref", ""))
        if not isinstance(reference, dict):
            raise plain_json.NotPlainError("original_ref must be a JSON object")
        original = _named_file(reference)
        masked = await asyncio.to_thread(pictures.with_alpha, original, received.path)
        received.path.write_bytes(masked)
    except (plain_json.NotPlainError, pictures.NoPictureError) as error:
        received.path.unlink(missing_ok=True)
        raise refusal(web.HTTPBadRequest, str(error)) from error
    except BaseException:
        received.path.unlink(missing_ok=True)
        raise
    return await _kept(received)


async def _kept(received: uploads.Upload) -> web.Response:
    try:
        name = await asyncio.to_thread(uploads.keep, received)
    finally:
        received.path.unlink(missing_ok=True)
    return answer({"name": name, "subfolder": received.subfolder, "type": received.type})
