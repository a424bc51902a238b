"""Who may talk to the server.

A page of another site must not reach it through the user's browser: its requests carry that site's Origin
and `Sec-Fetch-Site: cross-site`. A page that has rebound its own host name to this machine carries neither,
but its own name as Host; so only names that are ours are answered.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import socket
from collections.abc import Awaitable, Callable, Collection
from urllib.parse import urlsplit

from aiohttp import web

_LOG = logging.getLogger(__name__)

COOKIE = "kinograph_token"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # The editor compiles nothing from outside, but its libraries use eval, blobs and inline styles.
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
        "font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; "
        "frame-src 'self'; frame-ancestors 'self'; object-src 'self'; base-uri 'self'; form-action 'self'"
    ),
}


def is_loopback(address: str) -> bool:
    """Whether an address to listen on is reached from this machine only."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def own_names(addresses: Collection[str], extra: Collection[str]) -> frozenset[str]:
    """The names that this server answers to, beside numeric addresses, which cannot be rebound."""
    names = {"localhost", *addresses, *extra}
    if not all(is_loopback(address) for address in addresses):
        machine = socket.gethostname().lower()
        names |= {machine, f"{machine}.local"}
    return frozenset(name.lower().rstrip(".") for name in names)


def host_check(names: Collection[str]) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Refuse requests under a host name that is not ours."""

    @web.middleware
    async def check_host(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = _host_name(request.headers.get("Host", ""))
        if host is None or not (_is_number(host) or host in names or host.endswith(".localhost")):
            return _refused(
                request, "the server does not answer to this host name; start it with --allow-host NAME"
            )
        return await handler(request)

    return check_host


@web.middleware
async def check_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse requests that a page of another origin makes; answer OPTIONS without any permission."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site == "cross-site":
        return _refused(request, "the request comes from a page of another site")
    if origin is not None and not _is_own(origin, request.headers.get("Host", ""), site):
        return _refused(request, f"the request comes from a page of {origin:.200}")
    return web.Response() if request.method == "OPTIONS" else await handler(request)


def token_check(token: str) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Refuse requests without the token: as a cookie, `Authorization: Bearer …`, or `?token=…` once."""

    @web.middleware
    async def check_token(request: web.Request, handler: Handler) -> web.StreamResponse:
        asked = request.query.get("token")
        if asked is not None and _equal(asked, token):
            if request.path != "/" or request.method != "GET":
                return await handler(request)
            response = web.HTTPSeeOther("/")
            response.set_cookie(COOKIE, token, httponly=True, samesite="Strict", path="/")
            return response
        kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
        given = bearer.strip() if kind.lower() == "bearer" else request.cookies.get(COOKIE, "")
        if not _equal(given, token):
            message = "the server wants its token: open the address that it printed at its start"
            return web.Response(status=401, text=message, headers={"WWW-Authenticate": "Bearer"})
        return await handler(request)

    return check_token


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Give every response the headers that keep a browser careful with it."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def _refused(request: web.Request, reason: str) -> web.Response:
    _LOG.warning("Refused %s %.200s: %s", request.method, request.path, reason)
    return web.Response(status=403, text=f"Refused: {reason}.")


def _host_name(host: str) -> str | None:
    try:
        parts = urlsplit(f"//{host}")
        return parts.hostname.rstrip(".") if parts.hostname and not (parts.path or parts.username) else None
    except ValueError:
        return None


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_own(origin: str, host: str, site: str | None) -> bool:
    if origin == "null":  # a sandboxed frame or a local file; our own pages never send it
        return site in ("same-origin", "none")
    try:
        theirs, ours = urlsplit(origin), urlsplit(f"//{host}")
        # Some browsers leave out the port in one of the two.
        ports_fit = theirs.port == ours.port or None in (theirs.port, ours.port)
    except ValueError:
        return False
    return theirs.hostname == ours.hostname and ports_fit


def _equal(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())
