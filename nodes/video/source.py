"""Videos read from a file or from bytes in memory: every frame at its exact time, from any start."""

from __future__ import annotations

import hashlib
import os
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from .freed_memory import return_freed_memory
from .hidden_tracks import PICTURE, SOUND, HiddenTracks
from .media import (
    MediaFacts,
    decoded,
    media_facts,
    opened,
    picture_decoder,
    picture_stream,
    read_only,
    sound_stream,
)
from .recipe import Frame, Recipe, VideoError, VideoSpec, from_on_screen
from .sound import exactly, layout_of, placed, sample_at
from .upright import FilterChain

if TYPE_CHECKING:
    import av
    import numpy as np

REWINDS = (Fraction(0), Fraction(2), Fraction(10))
"""Seconds to seek back further when a container's index lands behind the wanted picture."""

AUDIO_RUN_UP = Fraction(1, 5)
"""Seconds decoded before a seek target, because the first frames of AAC or Opus build on those before."""

AUDIO_TOLERANCE = Fraction(1, 20)
"""Seconds that sound may drift from its timestamps before a gap is filled or an overlap cut."""


class MediaSource(Recipe):
    """A recipe that decodes a media file; subclasses say where its bytes are."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What errors call it."""

    @property
    @abstractmethod
    def facts(self) -> MediaFacts:
        """Everything known about the file."""

    @abstractmethod
    def _opened(self, without: bytes) -> AbstractContextManager[av.container.InputContainer]:
        """Open it for one pull that leaves out a kind of track, `PICTURE` or `SOUND`."""

    @property
    def spec(self) -> VideoSpec:
        return self.facts.spec

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        if start < self.spec.duration:
            yield from from_on_screen(self._frames_around(start), start)

    def _frames_around(self, start: Fraction) -> Iterator[Frame]:
        """Frames from one at or before `start` to the end."""
        if start > 0 and not self.facts.timeline.counted:
            for rewind in REWINDS:
                target = start - rewind
                if target <= 0:
                    break
                frames = self._decoded_from(target)
                first = next(frames, None)
                if first is not None and first.time <= start:
                    yield first
                    yield from frames
                    return
                frames.close()
        yield from self._decoded_from(None)

    def _decoded_from(self, target: Fraction | None) -> Iterator[Frame]:
        """Decode from the key frame before `target`, or from the very beginning where it is None."""
        facts = self.facts
        timeline, shown = facts.timeline, FilterChain(facts.filters)
        time = Fraction(-1)
        with self._opened(without=SOUND) as container:
            stream = picture_stream(self.name, container)
            read_only(stream)
            if target is not None:
                container.seek(int((timeline.first + target) / stream.time_base), stream=stream)
            pictures = decoded(self.name, container, stream, picture_decoder(stream))
            for position, picture in enumerate(pictures):
                if timeline.counted:
                    time = position / timeline.fps
                else:
                    time = timeline.time_of(picture.pts * stream.time_base)
                yield Frame(_conformed(shown(picture), facts.spec), time)
        if 0 <= time < timeline.last or (time < 0 and target is None):
            raise VideoError(
                f"{self.name} is cut short: its pictures end at {float(max(time, 0)):.2f} s, its index at "
                f"{float(timeline.last):.2f} s; fetch it again, or trim it to the part that is there"
            )

    def audio(self, start: Fraction = Fraction(0)) -> Iterator[np.ndarray]:
        spec = self.spec.audio
        if spec is None or start >= self.spec.duration:
            return
        begin = sample_at(start, spec.sample_rate)
        wanted = sample_at(self.spec.duration, spec.sample_rate) - begin
        tolerance = sample_at(AUDIO_TOLERANCE, spec.sample_rate)
        with self._opened(without=PICTURE) as container:
            timed = ((index - begin, piece) for index, piece in self._sound_around(container, start))
            yield from exactly(placed(timed, spec.channels, tolerance), spec.channels, wanted)

    def _sound_around(
        self, container: av.container.InputContainer, start: Fraction
    ) -> Iterator[tuple[int, np.ndarray]]:
        """(sample index counted from the first picture, piece), from shortly before `start` on."""
        from av import AudioResampler

        spec = self.spec.audio
        stream = sound_stream(container)
        read_only(stream)
        first = self.facts.timeline.first
        if (target := start - AUDIO_RUN_UP) > 0:
            container.seek(int((first + target) / stream.time_base), stream=stream)
        resampler = AudioResampler("fltp", layout_of(spec.channels), spec.sample_rate)
        joins_by = first + start if target > 0 else None
        for frame in decoded(self.name, container, stream, stream.codec_context, joins_by=joins_by):
            seconds = frame.pts * frame.time_base - first
            index = sample_at(seconds, spec.sample_rate)
            for made in resampler.resample(frame):
                yield index, made.to_ndarray()
                index += made.samples


def _conformed(image: av.VideoFrame, spec: VideoSpec) -> av.VideoFrame:
    """Scale a picture whose stream changes its size or format midway to the first one's."""
    if (image.width, image.height, image.format.name) == (spec.width, spec.height, spec.pixel_format):
        return image
    return image.reformat(spec.width, spec.height, spec.pixel_format)


@lru_cache(maxsize=256)
def _facts_of_file(path: str, size: int, mtime_ns: int) -> MediaFacts:
    return media_facts(Path(path).name, path)


@dataclass(frozen=True)
class FileSource(MediaSource):
    """A video file, as it was when the recipe was made: `FileSource.of(path)`.

    Raises:
        VideoError: when read, if the file is gone, changed since, damaged or no video.
    """

    path: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> FileSource:
        """Take note of a file's size and time; nothing is read yet."""
        try:
            status = os.stat(path)
        except (OSError, ValueError) as error:
            raise VideoError(
                f"{os.fspath(path)!r} cannot be read ({error}); choose an existing file"
            ) from error
        return cls(os.path.abspath(path), status.st_size, status.st_mtime_ns)

    @property
    def name(self) -> str:
        return Path(self.path).name

    @property
    def facts(self) -> MediaFacts:
        self._check_unchanged()
        if self.size == 0:
            raise VideoError(f"{self.name} is empty (0 bytes); fetch or export it again")
        return _facts_of_file(self.path, self.size, self.mtime_ns)

    @contextmanager
    def _opened(self, without: bytes) -> Iterator[av.container.InputContainer]:
        self._check_unchanged()
        partial = HiddenTracks(self.path, without)
        with partial, opened(self.name, partial if partial.hidden else self.path) as container:
            if partial.hidden:
                return_freed_memory()
            yield container

    def _check_unchanged(self) -> None:
        now = FileSource.of(self.path)
        if (now.size, now.mtime_ns) != (self.size, self.mtime_ns):
            raise VideoError(
                f"the source changed: {self.name} was {self.size} bytes when it was loaded and has been "
                f"written since ({now.size} bytes); run the graph again to load it anew"
            )

    def fingerprint(self) -> str:
        return f"file({self.path!r}, {self.size}, {self.mtime_ns})"


@dataclass(frozen=True)
class BytesSource(MediaSource):
    """A video file held in memory, as some nodes hand over (a `BytesIO`)."""

    data: bytes = field(repr=False)

    @property
    def name(self) -> str:
        return f"a video of {len(self.data)} bytes in memory"

    @cached_property
    def facts(self) -> MediaFacts:
        return media_facts(self.name, self.data)

    def _opened(self, without: bytes) -> AbstractContextManager[av.container.InputContainer]:
        return opened(self.name, self.data)

    def fingerprint(self) -> str:
        return self._digest

    @cached_property
    def _digest(self) -> str:
        return f"bytes({hashlib.blake2b(self.data, digest_size=16).hexdigest()})"
