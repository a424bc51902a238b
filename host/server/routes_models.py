"""The model files and what they say of themselves."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import folder_paths
from aiohttp import web

from . import pictures
from .places import readable_path
from .requests import answer, refusal

routes = web.RouteTableDef()

_NOT_MODELS = {"configs", "custom_nodes"}
_LONGEST_HEADER = 32 << 20
_PREVIEW_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".preview.png", ".preview.jpg", ".preview.webp")


@routes.get("/models")
async def kinds(request: web.Request) -> web.Response:
    """The kinds of model folders."""
    return answer(list(folder_paths.folder_names_and_paths))


@routes.get("/models/{folder}")
async def names(request: web.Request) -> web.Response:
    """The files of a kind."""
    return answer(await asyncio.to_thread(folder_paths.get_filename_list, _kind(request)))


@routes.get("/experiment/models")
async def folders(request: web.Request) -> web.Response:
    """The kinds with their folders and extensions."""
    return answer(
        [
            {"name": kind, "folders": places, "extensions": sorted(extensions)}
            for kind, (places, extensions) in folder_paths.folder_names_and_paths.items()
            if kind not in _NOT_MODELS
        ]
    )


@routes.get("/experiment/models/{folder}")
async def files(request: web.Request) -> web.Response:
    """The files of a kind with their sizes and times."""
    return answer(await asyncio.to_thread(_file_facts, _kind(request)))


@routes.get("/experiment/models/preview/{folder}/{path_index}/{filename:.+}")
async def preview(request: web.Request) -> web.Response:
    """The picture that lies beside a model file."""
    places, number = folder_paths.get_folder_paths(_kind(request)), request.match_info["path_index"]
    if not number.isdecimal() or len(number) > 4 or int(number) >= len(places):
        raise refusal(web.HTTPNotFound, "there is no such folder")
    stem, _ = os.path.splitext(request.match_info["filename"])
    for ending in _PREVIEW_ENDINGS:
        path = readable_path(places[int(number)], stem + ending)
        if path.is_file():
            try:
                body, type_ = await asyncio.to_thread(pictures.preview, path, "webp", "rgba", 1024)
            except pictures.NoPictureError as error:
                raise refusal(web.HTTPNotFound, str(error)) from error
            return web.Response(body=body, content_type=type_)
    raise refusal(web.HTTPNotFound, "no picture lies beside this model")


@routes.get("/view_metadata/{folder}")
async def metadata(request: web.Request) -> web.Response:
    """What the header of a safetensors file says beside its tensors."""
    name = request.query.get("filename", "")
    path = folder_paths.get_full_path(_kind(request), name) if name.endswith(".safetensors") else None
    found = await asyncio.to_thread(_safetensors_metadata, Path(path)) if path else None
    if found is None:
        raise refusal(web.HTTPNotFound, "there is no such file, or it says nothing")
    return answer(found)


def _kind(request: web.Request) -> str:
    kind = folder_paths.map_legacy(request.match_info["folder"])
    if kind not in folder_paths.folder_names_and_paths:
        raise refusal(web.HTTPNotFound, "there is no such kind of model")
    return kind


def _file_facts(kind: str) -> list[dict[str, Any]]:
    facts = []
    for index, folder in enumerate(folder_paths.get_folder_paths(kind)):
        extensions = folder_paths.supported_pt_extensions
        names, _ = folder_paths.recursive_search(folder, excluded_dir_names=[".git"])
        for name in folder_paths.filter_files_extensions(names, extensions):
            if not os.path.isfile(path := os.path.join(folder, name)):
                continue  # a link to a file that is gone
            stat = os.stat(path)
            times = {"modified": stat.st_mtime, "created": stat.st_ctime}
            facts.append({"name": name, "pathIndex": index, **times, "size": stat.st_size})
    return facts


def _safetensors_metadata(path: Path) -> dict[str, Any] | None:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(_LONGEST_HEADER, path.stat().st_size):
            return None
        try:
            header = json.loads(file.read(length))
        except (ValueError, RecursionError):
            return None
    found = header.get("__metadata__") if isinstance(header, dict) else None
    return found if isinstance(found, dict) else None
