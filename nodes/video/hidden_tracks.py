"""Read an mp4's picture or sound without memory for the index of the other."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

PICTURE, SOUND = b"vide", b"soun"
"""Handler types (ISO/IEC 14496-12, 8.4.3)."""

FREE = b"free"
"""The type of boxes that readers pass over."""

NONE = (b"", 0, 0)
"""Stands for a box that is not there."""


class HiddenTracks(io.FileIO):
    """A file in which the tracks of one kind read as free space; every other byte is as on disk.

    FFmpeg keeps about 60 bytes for each packet that an mp4 lists, also of streams that nobody reads, and a
    film's picture and sound are read by themselves: for an hour of both that is 34 MB, with the other
    kind hidden from each 20, and with `return_freed_memory` after opening 11.

    hidden: where the types of the hidden boxes stand; empty also for fragmented files and other formats.
    """

    def __init__(self, path: str, kind: bytes) -> None:
        super().__init__(path)
        with open(path, "rb") as file:
            self.hidden = [place + 4 for place, handler in _tracks(file) if handler == kind]

    def read(self, size: int = -1) -> bytes:
        begin = self.tell()
        data = super().read(size)
        for place in self.hidden:
            first, last = max(place, begin), min(place + 4, begin + len(data))
            if first < last:
                types = FREE[first - place : last - place]
                data = data[: first - begin] + types + data[last - begin :]
        return data


def _tracks(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Where each `trak` begins, and its handler type; none in a fragmented file or another format."""
    boxes = _boxes(file, 0, os.fstat(file.fileno()).st_size)
    if next(boxes, NONE)[0] != b"ftyp":
        return
    _, begin, end = next((box for box in boxes if box[0] == b"moov"), NONE)
    inside = list(_boxes(file, begin, end))
    if any(kind == b"mvex" for kind, _, _ in inside):
        return
    for kind, begin, end in inside:
        if kind == b"trak":
            _, *media = next((box for box in _boxes(file, begin, end) if box[0] == b"mdia"), NONE)
            _, handler, _ = next((box for box in _boxes(file, *media) if box[0] == b"hdlr"), NONE)
            file.seek(handler + 8)
            yield begin - 8, file.read(4)


def _boxes(file: BinaryIO, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(type, begin of the body, end) of each box, as far as they make sense."""
    while begin + 8 <= end:
        file.seek(begin)
        size, kind = struct.unpack(">I4s", file.read(8))
        body = begin + 8
        if size == 1 and begin + 16 <= end:
            size, body = int.from_bytes(file.read(8), "big"), begin + 16
        if begin + size < body or begin + size > end:
            return
        yield kind, body, begin + size
        begin += size
