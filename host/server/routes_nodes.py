"""What the editor can build graphs of: nodes, translations, templates, blueprints, extensions."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import folder_paths
from aiohttp import web

from ..execution.definition import object_info
from . import pack_files
from .file_answers import asset
from .parts import PARTS, Parts
from .places import readable_path
from .replacements import registered
from .requests import answer, refusal

routes = web.RouteTableDef()


@routes.get("/object_info")
async def all_nodes(request: web.Request) -> web.Response:
    """Every node's description; lists of files in it are those of this moment."""
    return answer(await asyncio.to_thread(_described, request.app[PARTS], None))


@routes.get("/object_info/{node_class}")
async def one_node(request: web.Request) -> web.Response:
    """One node's description, {} where there is no such node."""
    node_class = request.match_info["node_class"]
    return answer(await asyncio.to_thread(_described, request.app[PARTS], node_class))


def _described(parts: Parts, node_class: str | None) -> dict[str, Any]:
    definitions = parts.session.definitions
    if node_class is not None:
        definitions = {name: one for name, one in definitions.items() if name == node_class}
    return object_info(definitions)


@routes.get("/embeddings")
async def embeddings(request: web.Request) -> web.Response:
    """Names of the text embeddings, without their extensions."""
    names = await asyncio.to_thread(folder_paths.get_filename_list, "embeddings")
    return answer([os.path.splitext(name)[0] for name in names])


@routes.get("/extensions")
async def extensions(request: web.Request) -> web.Response:
    """Addresses of the browser modules to load."""
    return answer(await asyncio.to_thread(pack_files.browser_modules, request.app[PARTS].front_end))


@routes.get("/extensions/{pack}/{path:.+}")
async def extension_file(request: web.Request) -> web.StreamResponse:
    """A file of a pack's web folder, or of the editor's own extensions."""
    pack, path = request.match_info["pack"], request.match_info["path"]
    folder = pack_files.web_folder(pack)
    if folder is None:
        folder, path = str(request.app[PARTS].front_end / "extensions"), f"{pack}/{path}"
    file = readable_path(folder, path)
    if not file.is_file():
        raise refusal(web.HTTPNotFound, "there is no such file")
    return asset(file, "no-cache")


@routes.get("/i18n")
async def translations(request: web.Request) -> web.Response:
    return answer(await asyncio.to_thread(pack_files.translations))


@routes.get("/workflow_templates")
async def templates(request: web.Request) -> web.Response:
    """Names of the packs' templates, by pack."""
    return answer(await asyncio.to_thread(pack_files.templates))


@routes.get("/workflow_templates/{pack}/{file}")
async def template(request: web.Request) -> web.StreamResponse:
    """A template, or its thumbnail: the picture of the same name."""
    for folder in pack_files.template_folders(request.match_info["pack"]):
        path = readable_path(str(folder), request.match_info["file"])
        if path.is_file() and path.suffix in (".json", ".jpg", ".png", ".webp"):
            return asset(path, "no-cache")
    raise refusal(web.HTTPNotFound, "there is no such template")


@routes.get("/global_subgraphs")
async def blueprints(request: web.Request) -> web.Response:
    """The packs' subgraphs by id, without their graphs."""
    found = await asyncio.to_thread(pack_files.blueprints)
    return answer({key: blueprint.facts for key, blueprint in found.items()})


@routes.get("/global_subgraphs/{id}")
async def blueprint(request: web.Request) -> web.Response:
    """One subgraph with its graph, null where there is none of this id."""
    found = pack_files.blueprints().get(request.match_info["id"])
    return answer(found and {**found.facts, "data": found.path.read_text(encoding="utf-8")})


@routes.get("/node_replacements")
async def node_replacements(request: web.Request) -> web.Response:
    return answer(registered())
