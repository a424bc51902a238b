"""The web application: every route, with and without /api, behind the checks."""

from __future__ import annotations

from collections.abc import Collection

from aiohttp import web
from server import PromptServer

from . import (
    routes_files,
    routes_jobs,
    routes_models,
    routes_nodes,
    routes_pages,
    routes_prompt,
    routes_socket,
    routes_system,
    routes_user,
)
from .failing import tell_failures
from .parts import PARTS, Parts
from .security import add_headers, check_origin, host_check, token_check

_TABLES = [
    module.routes
    for module in (
        routes_socket,
        routes_prompt,
        routes_jobs,
        routes_files,
        routes_user,
        routes_nodes,
        routes_models,
        routes_system,
    )
]


def application(parts: Parts, *, host_names: Collection[str], token: str | None) -> web.Application:
    """The application around the server's parts.

    Args:
        host_names: what clients may call this host, beside numeric addresses.
        token: what they must know, None for nothing.
    """
    checks = [host_check(host_names), check_origin]
    if token is not None:
        checks.append(token_check(token))
    app = web.Application(middlewares=[*checks, tell_failures], client_max_size=1 << 30)
    app[PARTS] = parts
    app.on_response_prepare.append(add_headers)
    for table in _TABLES:
        for route in table:
            _add(app, route.method, route.path, route.handler)
    _add_routes_of_packs(app)
    app.add_routes(routes_pages.routes)
    return app


def _add(app: web.Application, method: str, path: str, handler: object) -> None:
    for prefix in ("", "/api"):
        app.router.add_route(method, prefix + path, handler)


def _add_routes_of_packs(app: web.Application) -> None:
    for route in PromptServer.instance.routes:
        if route.method == "STATIC":
            app.router.add_static(route.path, route.handler())
        else:
            _add(app, route.method, route.path, route.handler)
