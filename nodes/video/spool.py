"""Frames that were dear to make, kept in a temporary file so that they are made once."""

from __future__ import annotations

import tempfile
import threading
from array import array
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from .pixels import Converter, bit_depth, copy_colour, has_alpha, is_rgb
from .recipe import Frame, Recipe, VideoError, VideoSpec

if TYPE_CHECKING:
    import av
    import numpy as np


@dataclass(frozen=True)
class Spool(Recipe):
    """The source, whose frames are computed once and then read from disk: for recipes with a model in them.

    A pull that begins where frames are already kept, or at 0, reads those and goes on computing and keeping;
    several pulls, also in several threads, share the work. One that begins further on computes for itself.
    The frames are kept losslessly (FFV1) in a file without a name, which vanishes with the recipe, with the
    process, or when the first pull is abandoned. The sound is the source's.

    directory: where the file is made; the system's temporary folder where it is None.
    """

    source: Recipe
    directory: str | None = None
    _tape: _Tape = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_tape", _Tape(self.source, self.directory))

    @property
    def spec(self) -> VideoSpec:
        return self.source.spec

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        position = self._tape.position_of(start)
        return self.source.frames(start) if position is None else self._tape.frames(position)

    def audio(self, start: Fraction = Fraction(0)) -> Iterator[np.ndarray]:
        return self.source.audio(start)

    def fingerprint(self) -> str:
        return self.source.fingerprint()

    @property
    def notes(self) -> tuple[str, ...]:
        return self.source.notes


class _Tape:
    """The kept frames, and the pull that still makes more of them."""

    def __init__(self, source: Recipe, directory: str | None) -> None:
        self._source = source
        self._directory = directory
        self._to_kept = Converter(pixel_format=kept_format(source.spec.pixel_format))
        self._lock = threading.Lock()
        self._readers = 0
        self._rewind()

    def _rewind(self) -> None:
        self._file = None
        self._making: Generator[Frame, None, None] | None = None
        self._complete = False
        self._packets = array("Q")
        self._times: list[Fraction] = []
        self._encoder: av.VideoCodecContext | None = None
        self._reference: av.VideoFrame | None = None

    def position_of(self, start: Fraction) -> int | None:
        """Number of the kept frame on screen at `start`; None where frames in between are missing."""
        from bisect import bisect_right

        with self._lock:
            if start <= 0:
                return 0
            if not self._times or (start > self._times[-1] and not self._complete):
                return None
            return bisect_right(self._times, start) - 1

    def frames(self, position: int) -> Iterator[Frame]:
        reader = None
        with self._lock:
            self._readers += 1
        try:
            while True:
                with self._lock:
                    if position == len(self._times) and not self._made_another():
                        return
                    reader = reader or _FrameReader(self._encoder, self._source.spec, self._reference)
                    packet, time = self._packet(position), self._times[position]
                yield Frame(reader.image(packet), time)
                position += 1
        finally:
            with self._lock:
                self._readers -= 1
                if not self._readers and not self._complete:
                    self._abandon()

    def _made_another(self) -> bool:
        """Compute and keep one more frame; False at the end."""
        if self._complete:
            return False
        if self._making is None:
            self._making = self._source.frames()
            self._file = tempfile.TemporaryFile(prefix="kinograph-", dir=self._directory)  # noqa: SIM115
        frame = next(self._making, None)
        if frame is None:
            self._complete = True
            return False
        self._keep(frame)
        return True

    def _keep(self, frame: Frame) -> None:
        from av import VideoFrame

        if self._encoder is None:
            self._encoder = _encoder(self._source.spec)
            self._reference = copy_colour(frame.image, VideoFrame(16, 16, frame.image.format.name))
        image = self._to_kept(frame.image)
        image.pts, image.time_base = len(self._times), Fraction(1, 1000)
        (packet,) = self._encoder.encode(image)
        try:
            self._packets.extend((self._file.seek(0, 2), packet.size))
            self._file.write(bytes(packet))
            self._file.flush()  # a full disk shows here, not at a later read
        except OSError as error:
            raise VideoError(
                f"frames cannot be kept in the temporary folder ({error}); free disk space"
            ) from error
        self._times.append(frame.time)

    def _packet(self, position: int) -> bytes:
        offset, size = self._packets[2 * position : 2 * position + 2]
        self._file.seek(offset)
        return self._file.read(size)

    def _abandon(self) -> None:
        if self._making is not None:
            self._making.close()
            self._file.close()
        self._rewind()


class _FrameReader:
    """Decodes kept frames for one pull; each stands alone."""

    def __init__(self, encoder: av.VideoCodecContext, spec: VideoSpec, reference: av.VideoFrame) -> None:
        from av import CodecContext

        self._decoder = CodecContext.create("ffv1", "r")
        self._decoder.extradata = encoder.extradata
        self._decoder.width, self._decoder.height = spec.width, spec.height
        self._decoder.pix_fmt = encoder.pix_fmt
        self._decoder.thread_count = 1
        self._to_given = Converter(pixel_format=spec.pixel_format)
        self._reference = reference

    def image(self, packet: bytes) -> av.VideoFrame:
        from av import Packet

        (kept,) = self._decoder.decode(Packet(packet))
        return self._to_given(copy_colour(self._reference, kept))


def kept_format(pixel_format: str) -> str:
    """The format FFV1 keeps a pixel format in: itself, or one that loses nothing of it."""
    from av import Codec

    if pixel_format in {known.name for known in Codec("ffv1", "w").video_formats}:
        return pixel_format
    if is_rgb(pixel_format):
        deep, alpha = bit_depth(pixel_format) > 8, has_alpha(pixel_format)
        return ("rgba64le" if alpha else "rgb48le") if deep else ("bgra" if alpha else "bgr0")
    return "yuva444p16le" if has_alpha(pixel_format) else "yuv444p16le"


def _encoder(spec: VideoSpec) -> av.VideoCodecContext:
    from av import CodecContext

    encoder = CodecContext.create("ffv1", "w")
    encoder.width, encoder.height = spec.width, spec.height
    encoder.pix_fmt = kept_format(spec.pixel_format)
    encoder.time_base = Fraction(1, 1000)
    encoder.gop_size = 1
    encoder.thread_count = 1
    encoder.options = {"level": "3"}
    return encoder
