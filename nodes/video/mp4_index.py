"""Make an ordinary mp4 or mov of a fragmented one, in place (ISO/IEC 14496-12).

FFmpeg's muxer holds about 135 bytes a packet until an ordinary mp4 is closed, but of a fragmented one only
the open fragment. So a film is written in fragments, which keeps memory constant however long it is, and
then gets its index: the tables of the fragments become those of one `moov` in front, the media data move
together behind it. The result is laid out as FFmpeg's own `faststart` would have it.
"""

from __future__ import annotations

import os
import struct
from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from .mp4_track import Chunk, Track, box, children, found, indexed

FRAGMENTED = {
    "movflags": "use_metadata_tags+delay_moov+default_base_moof+skip_trailer",
    "frag_duration": "500000",  # microseconds: how far picture and sound lie apart in the file
    "frag_size": str(1 << 23),
}
"""Muxer options for files that `index_fragments` takes; `delay_moov` has edit lists written."""

WIDE = 2**32 - 2**28
"""Bytes of media from which chunk offsets get 64 bits: they and an index below 256 MiB fit no 32."""

BLOCK = 1 << 20


def index_fragments(path: Path, picture_end: Fraction | None = None) -> None:
    """Rewrite a file that was muxed with `FRAGMENTED` as an ordinary one, in place.

    What it takes beyond the file's own length on disk is at most the length of its new index. Cut short,
    it leaves a damaged file.

    Args:
        picture_end: seconds at which the last picture shown ends; where its samples end if None.
    """
    with open(path, "r+b") as file:
        brands, movie, tracks = _read(file)
        for track in tracks.values():
            if track.is_picture and picture_end is not None:
                track.shown_until = round(picture_end * track.scale)
        chunks = sorted(chunk for track in tracks.values() for chunk in track.chunks)
        length = sum(chunk.size for chunk in chunks)
        kind = box(b"ftyp", _ordinary(brands, tracks.values()))
        data = struct.pack(">I4sQ", 1, b"mdat", 16 + length)
        ahead = len(kind) + len(_moov(movie, tracks, chunks, 0)) + len(data)
        _gather(file, [kind + _moov(movie, tracks, chunks, ahead) + data], chunks)


def _ordinary(brands: bytes, tracks: Iterable[Track]) -> bytes:
    """The body of `ftyp` without the brands that fragments need; a mov has none of them."""
    codec = b"avc1" if any(track.codec == b"avc1" for track in tracks) else b""
    return brands.replace(b"iso5", b"isom").replace(b"iso6", b"iso2" + codec)


def _read(file: BinaryIO) -> tuple[bytes, bytes, dict[int, Track]]:
    """The bodies of `ftyp` and `moov`, and what all fragments tell of each track."""
    brands = movie = b""
    tracks: dict[int, Track] = {}
    for kind, begin, body, end in _boxes(file):
        if kind in (b"ftyp", b"moov", b"moof"):
            file.seek(body)
            content = file.read(end - body)
        if kind == b"ftyp":
            brands = content
        elif kind == b"moov":
            movie = content
            tracks = {track.id: track for track in map(Track, _bodies(movie, b"trak"))}
        elif kind == b"moof":
            for fragment in _bodies(content, b"traf"):
                header = found(fragment, b"tfhd")
                tracks[int.from_bytes(header[4:8], "big")].extend(fragment, begin)
    return brands, movie, tracks


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int, int]]:
    """(kind, begin, begin of the body, end) of each box at the file's top level."""
    begin, length = 0, os.fstat(file.fileno()).st_size
    while begin < length:
        file.seek(begin)
        size, kind = struct.unpack(">I4s", file.read(8))
        body = begin + 8
        if size == 1:
            size, body = int.from_bytes(file.read(8), "big"), begin + 16
        yield kind, begin, body, begin + size
        begin += size


def _bodies(content: bytes, wanted: bytes) -> list[bytes]:
    return [body for kind, body in children(content) if kind == wanted]


def _moov(movie: bytes, tracks: dict[int, Track], chunks: list[Chunk], ahead: int) -> bytes:
    """The whole `moov`, for media data that follow `ahead` bytes after the file's begin."""
    scale = int.from_bytes(found(movie, b"mvhd")[12:16], "big")
    places, position = {}, ahead
    for chunk in chunks:
        places[chunk.place] = position
        position += chunk.size
    parts = []
    for kind, body in children(movie):
        if kind == b"mvhd":
            longest = max(track.shown(scale) for track in tracks.values())
            parts.append(box(kind, body[:16] + struct.pack(">I", longest) + body[20:]))
        elif kind == b"trak":
            track = tracks[Track(body).id]
            parts.append(box(kind, indexed(track, scale, places, wide=position - ahead > WIDE)))
        elif kind != b"mvex":  # which announces fragments
            parts.append(box(kind, body))
    return box(b"moov", b"".join(parts))


def _gather(file: BinaryIO, waiting: Iterable[bytes], chunks: list[Chunk]) -> None:
    """Write `waiting` and then the chunks from the file's begin on; nothing unread is written over."""
    queue, written = deque(waiting), 0
    for chunk in chunks:
        end = chunk.place + chunk.size
        for begin in range(chunk.place, end, BLOCK):
            file.seek(begin)
            queue.append(file.read(min(BLOCK, end - begin)))
            read = begin + len(queue[-1])
            while queue and written + len(queue[0]) <= read:
                file.seek(written)
                written += file.write(queue.popleft())
    file.seek(written)
    for block in queue:
        written += file.write(block)
    file.truncate(written)
