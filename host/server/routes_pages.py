"""The editor itself, the official help pages, and the official list of templates."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from aiohttp import web

from ..commands import UsageError
from .file_answers import asset
from .parts import PARTS
from .places import readable_path
from .requests import answer, refusal
from .routes_user import STYLE_SHEET, style_sheet

routes = web.RouteTableDef()

_FOR_EVER = "public, max-age=31536000, immutable"


def front_end_folder(chosen: Path | None) -> Path:
    """The folder of the editor: a chosen one, else that of the installed package.

    Raises:
        UsageError: there is no editor.
    """
    if chosen is None:
        package = importlib.util.find_spec("comfyui_frontend_package")
        if package is None:
            raise UsageError(
                'the editor is missing: pip install "kinograph[host]", or name its folder with --front-end'
            )
        chosen = Path(package.origin).parent / "static"
    if not (chosen / "index.html").is_file():
        raise UsageError(f"{chosen} is not the editor's folder: it has no index.html")
    return chosen.resolve()


@routes.get("/")
async def index(request: web.Request) -> web.StreamResponse:
    """The page that loads the editor."""
    return asset(request.app[PARTS].front_end / "index.html", "no-store, must-revalidate")


@routes.get(f"/{STYLE_SHEET}")
async def user_style(request: web.Request) -> web.StreamResponse:
    """The user's style sheet, at the second address where the page looks for it."""
    return style_sheet()


@routes.get("/templates/{path:.+}")
async def official_templates(request: web.Request) -> web.Response:
    """Empty lists: the official templates need nodes that this host lacks; packs have their own."""
    name = request.match_info["path"]
    if "/" in name or not name.startswith("index") or not name.endswith(".json"):
        raise refusal(web.HTTPNotFound, "there is no such template")
    return answer({} if name == "index_logo.json" else [])


@routes.get("/docs/{path:.+}")
async def official_help(request: web.Request) -> web.StreamResponse:
    """A help page of core's nodes, where the package that has them is installed."""
    package = importlib.util.find_spec("comfyui_embedded_docs")
    if package is not None:
        path = readable_path(str(Path(package.origin).parent / "docs"), request.match_info["path"])
        if path.is_file():
            return asset(path, "no-cache")
    raise refusal(web.HTTPNotFound, "there is no such help page")


@routes.get("/{path:.+}")
async def editor_file(request: web.Request) -> web.StreamResponse:
    """Any other file of the editor; those whose names hold a hash of their content never change."""
    path = request.match_info["path"]
    file = readable_path(str(request.app[PARTS].front_end), path)
    if not file.is_file():
        raise refusal(web.HTTPNotFound, "there is no such file")
    return asset(file, _FOR_EVER if path.startswith("assets/") else "no-cache")
