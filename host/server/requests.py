"""What a request brings, read with suspicion, and answers in JSON."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from . import plain_json

MOST_BODY_BYTES = 100 << 20
"""Of a request other than an upload, as in ComfyUI."""
BODY_SECONDS = 60.0
"""How long a client may take to send a body of JSON."""


def answer(value: Any, status: int = 200) -> web.Response:
    """A JSON response."""
    return web.Response(text=plain_json.write(value), status=status, content_type="application/json")


def refusal(kind: type[web.HTTPException], message: str) -> web.HTTPException:
    """An error response to raise, {"error": message}."""
    return kind(text=plain_json.write({"error": message}), content_type="application/json")


async def body(request: web.Request) -> bytes:
    """The body of a request.

    Raises:
        HTTPBadRequest, HTTPRequestEntityTooLarge, HTTPRequestTimeout: it is cut off, too long, or slow.
    """
    if (request.content_length or 0) > MOST_BODY_BYTES:
        raise web.HTTPRequestEntityTooLarge(MOST_BODY_BYTES, request.content_length)
    try:
        return await asyncio.wait_for(request.read(), BODY_SECONDS)
    except (asyncio.TimeoutError, TimeoutError) as error:
        raise refusal(web.HTTPRequestTimeout, f"the body took longer than {BODY_SECONDS:g} s") from error
    except web.RequestPayloadError as error:
        raise refusal(web.HTTPBadRequest, f"the body cannot be read: {error}") from error


async def json_body(request: web.Request) -> Any:
    """The body as JSON.

    Raises:
        HTTPBadRequest: it is none.
    """
    try:
        return plain_json.read(await body(request))
    except plain_json.NotPlainError as error:
        raise refusal(web.HTTPBadRequest, str(error)) from error


async def json_object(request: web.Request) -> dict[str, Any]:
    """The body as a JSON object.

    Raises:
        HTTPBadRequest: it is something else.
    """
    found = await json_body(request)
    if not isinstance(found, dict):
        raise refusal(web.HTTPBadRequest, f"the body must be a JSON object, not {type(found).__name__}")
    return found


def text_list(value: Any, name: str) -> list[str]:
    """A list of strings from a body.

    Raises:
        HTTPBadRequest: it is something else.
    """
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise refusal(web.HTTPBadRequest, f"{name} must be a list of strings")
    return value


def whole_number(request: web.Request, name: str, default: int | None) -> int | None:
    """A number of the query string, in the range of 64 bits.

    Raises:
        HTTPBadRequest: it is no whole number.
    """
    given = request.query.get(name)
    if given is None:
        return default
    try:
        number = int(given[:20])
    except ValueError as error:
        raise refusal(web.HTTPBadRequest, f"{name} must be a whole number") from error
    return max(min(number, 2**63 - 1), -(2**63))


def is_true(request: web.Request, name: str, default: bool = False) -> bool:
    """A yes or no of the query string."""
    given = request.query.get(name)
    return default if given is None else given.lower() in ("true", "1")
