"""The web application: every route, with and without /api, behind the checks."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

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
from .failing import log_malformed_requests_briefly, tell_failures
from .parts import PARTS, Parts
from .requests import MOST_BODY_BYTES
from .security import add_headers, check_origin, host_check, token_check

_LOG = logging.getLogger(__name__)

ROUTE_TABLES = [
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
"""Every route of the protocol; those of the pages are apart, since they take whatever is left."""


def application(parts: Parts, *, host_names: Collection[str], token: str | None) -> web.Application:
    """The application around the server's parts.

    Args:
        host_names: what clients may call this host, beside numeric addresses.
        token: what they must know, None for nothing.
    """
    checks = [host_check(host_names), check_origin]
    if token is not None:
        checks.append(token_check(token))
    log_malformed_requests_briefly()
    app = web.Application(middlewares=[*checks, tell_failures], client_max_size=MOST_BODY_BYTES)
    app[PARTS] = parts
    app.on_response_prepare.append(add_headers)
    for table in ROUTE_TABLES:
        for route in table:
            app.add_routes(_twice(route.method, route.path, route.handler, route.kwargs))
    _add_routes_of_packs(app)
    app.add_routes(routes_pages.routes)
    return app


def _twice(method: str, path: str, handler: Any, options: dict[str, Any]) -> list[web.RouteDef]:
    """A route, and the same below /api."""
    return [web.RouteDef(method, prefix + path, handler, options) for prefix in ("", "/api")]


def _add_routes_of_packs(app: web.Application) -> None:
    """Serve what packs asked for; a route that is taken or leads nowhere is told and left out."""
    for route in PromptServer.instance.routes:
        try:
            if route.method == "STATIC":
                app.router.add_static(route.path, route.handler())
            else:
                app.add_routes(_twice(route.method, route.path, route.handler, route.options))
        except (RuntimeError, ValueError) as error:
            _LOG.error("A pack's route %s is left out: %s", route.path, error)
