"""What a client is told when a handler fails: never a traceback, never nothing."""

from __future__ import annotations

import errno
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from .places import BadNameError
from .requests import answer

_LOG = logging.getLogger(__name__)

_STATUS = {
    errno.ENOENT: 404,
    errno.ENOTDIR: 404,
    errno.EISDIR: 400,
    errno.EINVAL: 400,
    errno.ELOOP: 400,
    errno.ENAMETOOLONG: 400,
    errno.ENOSPC: 507,
    errno.EDQUOT: 507,
    errno.EFBIG: 507,
}


def log_malformed_requests_briefly() -> None:
    """Let aiohttp log what is no HTTP in one line: it is the client's mistake, and no trace leads to it."""
    logging.getLogger("aiohttp.server").addFilter(_shorten)


def _shorten(record: logging.LogRecord) -> bool:
    if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
        reason = str(record.exc_info[1]).strip().partition("\n")[0]
        record.msg, record.args = "A request was malformed: %.200s", (reason,)
        record.exc_info = record.exc_text = None
    return True


@web.middleware
async def tell_failures(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn what a handler raises into an answer: a bad name is 400, a full disk 507, our mistake 500."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except BadNameError as error:
        return answer({"error": str(error)}, status=400)
    except OSError as error:
        if isinstance(error, ConnectionError):
            raise
        _LOG.warning("%s %.200s: %s", request.method, request.path, error)
        reason = error.strerror or "the file cannot be read or written"
        return answer({"error": reason}, status=_STATUS.get(error.errno, 500))
    except Exception as error:
        _LOG.exception("%s %.200s failed", request.method, request.path)
        return answer(
            {"error": f"the server failed ({type(error).__name__}); its log tells more"}, status=500
        )
