"""The user's settings and files: /settings, /userdata, /v2/userdata, /users."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from aiohttp import web

from . import user_files
from .file_answers import download
from .requests import answer, body, is_true, json_body, json_object, refusal

routes = web.RouteTableDef()


STYLE_SHEET = "user.css"


def style_sheet() -> web.StreamResponse:
    """The user's own style sheet, an empty one where there is none: the editor always asks for it."""
    path = user_files.existing(STYLE_SHEET)
    if not path.is_file():
        return web.Response(content_type="text/css")
    return web.FileResponse(path, headers={"Content-Type": "text/css", "Cache-Control": "no-cache"})


@routes.get("/users")
async def users(request: web.Request) -> web.Response:
    """There is one user, whose files the server keeps."""
    return answer({"storage": "server", "migrated": user_files.home().exists()})


@routes.post("/users")
async def add_user(request: web.Request) -> web.Response:
    """Refused: there is one user."""
    raise refusal(web.HTTPBadRequest, "this server keeps the files of one user only")


@routes.get("/settings")
async def settings(request: web.Request) -> web.Response:
    return answer(await asyncio.to_thread(user_files.settings))


@routes.get("/settings/{id}")
async def setting(request: web.Request) -> web.Response:
    """One setting, null where it was never set."""
    found = await asyncio.to_thread(user_files.settings)
    return answer(found.get(request.match_info["id"]))


@routes.post("/settings")
async def change_settings(request: web.Request) -> web.Response:
    await asyncio.to_thread(user_files.change_settings, await json_object(request))
    return web.Response()


@routes.post("/settings/{id}")
async def change_setting(request: web.Request) -> web.Response:
    change = {request.match_info["id"]: await json_body(request)}
    await asyncio.to_thread(user_files.change_settings, change)
    return web.Response()


@routes.get("/userdata")
async def list_files(request: web.Request) -> web.Response:
    """The files of the folder `dir`: names, name and parts (`split`), or facts (`full_info`)."""
    name = request.query.get("dir", "")
    if not name:
        raise refusal(web.HTTPBadRequest, "name a folder in dir")
    folder = user_files.existing(name)
    if not folder.is_dir():
        raise refusal(web.HTTPNotFound, "there is no such folder")
    found = await asyncio.to_thread(user_files.files, folder, recurse=is_true(request, "recurse"))
    if is_true(request, "full_info"):
        return answer([user_files.facts(path, folder) for path in found])
    names = [user_files.relative(path, folder) for path in found]
    return answer([[name, *name.split("/")] for name in names] if is_true(request, "split") else names)


@routes.get("/v2/userdata")
async def list_tree(request: web.Request) -> web.Response:
    """Everything below the folder `path`."""
    name = request.query.get("path", "")
    folder = user_files.existing(name) if name else user_files.home()
    if not folder.exists():
        if not name:
            return answer([])
        raise refusal(web.HTTPNotFound, "there is no such folder")
    if not folder.is_dir():
        raise refusal(web.HTTPBadRequest, "this is a file, not a folder")
    return answer(await asyncio.to_thread(user_files.tree, folder))


@routes.get("/userdata/{file}")
async def read_file(request: web.Request) -> web.StreamResponse:
    """A file of the user, to be saved; only user.css is shown, as the style sheet that it is."""
    if request.match_info["file"] == STYLE_SHEET:
        return style_sheet()
    return download(_existing_file(request))


@routes.post("/userdata/{file}")
async def write_file(request: web.Request) -> web.Response:
    """Store the body as a file of the user."""
    content, may = await body(request), is_true(request, "overwrite", default=True)
    try:
        path = await asyncio.to_thread(user_files.write, request.match_info["file"], content, overwrite=may)
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise refusal(web.HTTPConflict, "File already exists") from error
    return answer(_told(request, path))


@routes.delete("/userdata/{file}")
async def delete_file(request: web.Request) -> web.Response:
    _existing_file(request).unlink()
    return web.Response(status=204)


@routes.post("/userdata/{file}/move/{dest}")
async def move_file(request: web.Request) -> web.Response:
    """Give a file of the user another name."""
    may = is_true(request, "overwrite", default=True)
    try:
        path = user_files.move(_existing_file(request), request.match_info["dest"], overwrite=may)
    except (FileExistsError, NotADirectoryError) as error:
        raise refusal(web.HTTPConflict, "File already exists") from error
    return answer(_told(request, path))


def _existing_file(request: web.Request) -> Path:
    path = user_files.existing(request.match_info["file"])
    if not path.is_file():
        raise refusal(web.HTTPNotFound, "there is no such file")
    return path


def _told(request: web.Request, path: Path) -> Any:
    home = user_files.home()
    return user_files.facts(path, home) if is_true(request, "full_info") else user_files.relative(path, home)
