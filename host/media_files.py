"""Which files FFmpeg may open: those that are complete in themselves."""

from __future__ import annotations

import errno
import functools

LEADING_ELSEWHERE = frozenset(
    {"concat", "dash", "hls", "imf", "rtp", "rtsp", "sap", "sdp", "webm_dash_manifest"}
)
"""FFmpeg's formats that name further files or hosts to read from, inside the input folder or not."""


@functools.cache
def reading_options() -> dict[str, str]:
    """Options for `av.open` by which a playlist is refused before anything that it names is touched."""
    import av

    return {"format_whitelist": ",".join(sorted(av.formats_available - LEADING_ELSEWHERE))}


def why_unreadable(error: OSError) -> str:
    """FFmpeg's reason for not opening a file, with what an invalid argument means here."""
    if error.errno == errno.EINVAL:
        return "it is a playlist, which leads to other files, or damaged"
    return error.strerror
