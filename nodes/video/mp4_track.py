"""One track of an mp4: what its fragments tell, and the tables that an ordinary file has in their place.

Bodies are those of FFmpeg's muxer at its start: headers of version 0 whose durations are still to come.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

DURATION, SIZE, FLAGS, OFFSET = 0x100, 0x200, 0x400, 0x800
"""What a `trun` may tell of each sample, in this order (8.8.8)."""

NO_SYNC = 0x10000
"""Sample flag of a picture that needs others to be decoded."""

PARENTS = (b"edts", b"mdia", b"minf", b"stbl")
PCM = (b"sowt",)
"""Sound whose samples are single instants rather than packets."""

PRE_ROLL = {b"mp4a": (0, -1), b"Opus": (4, -4)}
"""Codecs that must be decoded from some packets before the wanted one (10.1): packets at the begin
without such packets before them, and the distance."""


class Chunk(NamedTuple):
    """Samples of one track side by side in the file: their first byte, number of bytes and of samples."""

    place: int
    size: int
    samples: int


def box(kind: bytes, body: bytes) -> bytes:
    """A box around a body below 4 GiB."""
    return struct.pack(">I4s", 8 + len(body), kind) + body


def children(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(kind, body) of each box in another's body."""
    begin = 0
    while begin < len(body):
        size, kind = struct.unpack_from(">I4s", body, begin)
        yield kind, body[begin + 8 : begin + size]
        begin += size


def found(body: bytes, *path: bytes) -> bytes:
    """The body of the first box at a path; empty where there is none."""
    for wanted in path:
        body = next((inner for kind, inner in children(body) if kind == wanted), b"")
    return body


class Track:
    """A track's samples in decoding order, gathered fragment by fragment: 13 bytes each."""

    def __init__(self, header: bytes) -> None:
        self.header = header
        self.id = int.from_bytes(found(header, b"tkhd")[12:16], "big")
        self.scale = int.from_bytes(found(header, b"mdia", b"mdhd")[12:16], "big")
        self.codec = found(header, b"mdia", b"minf", b"stbl", b"stsd")[12:16]
        self.sizes, self.durations = array("I"), array("I")
        self.offsets = array("i")  # from decoding to presentation
        self.sync = array("B")
        self.chunks: list[Chunk] = []
        self.end = 0
        self.shown_until: int | None = None

    def extend(self, fragment: bytes, begin: int) -> None:
        """Append the samples of a `traf`, whose `moof` begins at a place in the file."""
        defaults = dict(zip((DURATION, SIZE, FLAGS), _tfhd_defaults(found(fragment, b"tfhd")), strict=True))
        start = int.from_bytes(found(fragment, b"tfdt")[4:], "big")
        if self.durations:  # the muxer may not have known when the next sample comes
            self.durations[-1] += start - self.end
        self.end = start
        for kind, body in children(fragment):
            if kind == b"trun":
                self._extend_run(body, begin, defaults)

    def _extend_run(self, body: bytes, begin: int, defaults: Mapping[int, int]) -> None:
        import numpy as np

        flags, count, place = struct.unpack_from(">IIi", body)
        told = [field for field in (DURATION, SIZE, FLAGS, OFFSET) if flags & field]
        first = 16 if flags & 4 else 12
        rows = np.frombuffer(body, ">u4", count * len(told), first).reshape(count, len(told))

        def column(field: int) -> np.ndarray:
            if field in told:
                return rows[:, told.index(field)].astype(np.uint32)
            return np.full(count, defaults.get(field, 0), np.uint32)

        sizes, durations, sample_flags = column(SIZE), column(DURATION), column(FLAGS)
        if flags & 4:
            sample_flags[0] = int.from_bytes(body[12:16], "big")
        self.sizes.frombytes(sizes.tobytes())
        self.durations.frombytes(durations.tobytes())
        self.offsets.frombytes(column(OFFSET).tobytes())
        self.sync.frombytes((sample_flags & NO_SYNC == 0).tobytes())
        self.end += int(durations.sum())
        samples = int(durations.sum()) if self.codec in PCM else count
        self.chunks.append(Chunk(begin + place, int(sizes.sum()), samples))

    @property
    def _skipped(self) -> int:
        """Ticks before the presentation begins, such as an encoder's priming."""
        edits = _edits(found(self.header, b"edts", b"elst"))
        return next((time for _, time, _ in edits if time >= 0), 0) - self.offsets[0]

    @property
    def is_picture(self) -> bool:
        return found(self.header, b"mdia", b"hdlr")[8:12] == b"vide"

    @property
    def duration(self) -> int:
        """Ticks from the first sample to the end of what is shown.

        Pictures decoded out of their order at a variable rate may take longer to decode than to show.
        """
        return self.end if self.shown_until is None else self.shown_until

    def edited(self, scale: int) -> list[tuple[int, int, int]]:
        """The edit list with its durations, in 1/scale seconds."""
        lasting = -(-(self.duration - self._skipped) * scale // self.scale)
        edits = _edits(found(self.header, b"edts", b"elst"))
        return [(lasting if time >= 0 else empty, time, rate) for empty, time, rate in edits]

    def shown(self, scale: int) -> int:
        """How long the presentation is, in 1/scale seconds."""
        return sum(duration for duration, _, _ in self.edited(scale))


def _tfhd_defaults(header: bytes) -> tuple[int, int, int]:
    """Duration, size and flags of samples that do not tell their own (8.8.7)."""
    flags, _, *rest = struct.unpack(f">{len(header) // 4}I", header)
    told = iter(rest)
    for bit in (0x1, 0x1, 0x2):  # a base offset of two words, a description's index
        if flags & bit:
            next(told)
    return tuple(next(told) if flags & bit else 0 for bit in (0x8, 0x10, 0x20))


def _edits(body: bytes) -> list[tuple[int, int, int]]:
    """(duration in the movie's ticks, media time or -1 where nothing is shown, rate), version 0 (8.6.6)."""
    return list(struct.iter_unpack(">IiI", body[8:]))


def indexed(track: Track, scale: int, places: Mapping[int, int], *, wide: bool) -> bytes:
    """The body of the track's `trak`, with durations and sample tables.

    Args:
        scale: the movie's ticks per second.
        places: where each chunk will be, by where it is.
        wide: whether chunk offsets need 64 bits.
    """
    edits = track.edited(scale)

    def edited(kind: bytes, body: bytes) -> bytes:
        if kind == b"tkhd":
            return body[:20] + struct.pack(">I", track.shown(scale)) + body[24:]
        if kind == b"elst":
            return body[:8] + b"".join(struct.pack(">IiI", *edit) for edit in edits)
        if kind == b"mdhd":
            return _media_header(body, track.duration)
        if kind == b"stbl":
            return _sample_tables(track, found(body, b"stsd"), [places[c.place] for c in track.chunks], wide)
        if kind in PARENTS:
            return b"".join(box(inner, edited(inner, content)) for inner, content in children(body))
        return body

    return b"".join(box(kind, edited(kind, body)) for kind, body in children(track.header))


def _media_header(body: bytes, duration: int) -> bytes:
    if duration < 2**32:
        return body[:16] + struct.pack(">I", duration) + body[20:]
    created, modified, scale = struct.unpack_from(">III", body, 4)
    return struct.pack(">IQQIQ", 1 << 24, created, modified, scale, duration) + body[20:]


def _sample_tables(track: Track, description: bytes, places: list[int], wide: bool) -> bytes:
    """`stbl`'s body (8.5 to 8.7): times, key frames, chunks, sizes and pre-roll."""
    import numpy as np

    sizes, durations = np.asarray(track.sizes), np.asarray(track.durations)
    offsets, keys = np.asarray(track.offsets), np.flatnonzero(track.sync) + 1
    if track.codec in PCM:
        sizes = np.broadcast_to(sizes[:1] // durations[0], int(durations.sum()))
        durations = np.broadcast_to(np.uint32(1), len(sizes))
    tables = [box(b"stsd", description), _table(b"stts", *_runs(durations))]
    if len(keys) < len(track.sync):
        tables.append(_table(b"stss", keys))
    if offsets.any():
        tables.append(_table(b"ctts", *_runs(offsets), version=int(offsets.min() < 0)))
    lengths, samples = _runs(np.array([chunk.samples for chunk in track.chunks]))
    first = 1 + np.cumsum(lengths) - lengths
    tables.append(_table(b"stsc", first, samples, np.ones_like(first)))
    alike = (sizes == sizes[0]).all()
    tables.append(box(b"stsz", struct.pack(">III", 0, sizes[0] if alike else 0, len(sizes))))
    if not alike:
        tables[-1] = box(b"stsz", tables[-1][8:] + sizes.astype(">u4").tobytes())
    tables.append(_table(b"co64" if wide else b"stco", np.array(places), width=8 if wide else 4))
    if track.codec in PRE_ROLL:
        tables += _pre_roll(len(sizes), *PRE_ROLL[track.codec])
    return b"".join(tables)


def _runs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(length, value) of each stretch of equal values."""
    import numpy as np

    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    return np.diff(np.r_[starts, len(values)]), values[starts]


def _table(kind: bytes, *columns: np.ndarray, version: int = 0, width: int = 4) -> bytes:
    """A box that holds a number of rows and the rows."""
    import numpy as np

    rows = np.empty((len(columns[0]), len(columns)), f">i{width}")
    for index, column in enumerate(columns):
        rows[:, index] = column
    return box(kind, struct.pack(">II", version << 24, len(rows)) + rows.tobytes())


def _pre_roll(samples: int, alone: int, distance: int) -> list[bytes]:
    """`sgpd` and `sbgp` of the group "roll": all samples but the first few need those before them."""
    runs = [run for run in ((min(alone, samples), 0), (samples - alone, 1)) if run[0] > 0]
    group = b"".join(struct.pack(">II", *run) for run in runs)
    return [
        box(b"sgpd", struct.pack(">I4sIIh", 1 << 24, b"roll", 2, 1, distance)),
        box(b"sbgp", struct.pack(">I4sI", 0, b"roll", len(runs)) + group),
    ]
