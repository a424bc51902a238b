"""Videos one after the other, by cuts or cross-fades, their sizes, rates and sounds reconciled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from .blend import blended
from .constant_rate import ConstantRate
from .describe import counted
from .pixels import Converter, Recolour, copy_colour, matrix_of
from .recipe import AudioSpec, Frame, Recipe, VideoError, VideoSpec
from .resize import Resize
from .sound import PIECE, Reader, exactly, resampled, sample_at, silence

if TYPE_CHECKING:
    import av
    import numpy as np


@dataclass(frozen=True)
class Concatenate(Recipe):
    """Clips in order, as the first one is: its size (others are padded), rate, pixel format and sound.

    clips: one or more.
    cross_fade: seconds that neighbours overlap, snapped to whole frames; picture and sound are mixed
        linearly. 0 is a cut.
    width, height: pixels; 0 is the first clip's.
    fps: frames per second; 0 is the first clip's (its average where it varies).

    Raises:
        VideoError: no clip, or one that is too short for its cross-fades.
    """

    clips: tuple[Recipe, ...]
    cross_fade: Fraction = Fraction(0)
    width: int = 0
    height: int = 0
    fps: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if not self.clips:
            raise VideoError("there is nothing to concatenate; wire at least one video")
        for index, clip in enumerate(self.fitted):
            fades = (index > 0) + (index < len(self.clips) - 1)
            if clip.spec.duration < fades * self.overlap:
                raise VideoError(
                    f"clip {index + 1} lasts {float(clip.spec.duration):.2f} s, too short for {fades} "
                    f"cross-fades of {float(self.overlap):.2f} s; shorten the cross-fade"
                )

    @cached_property
    def fitted(self) -> tuple[Recipe, ...]:
        """The clips at the common size and rate."""
        first = self.clips[0].spec
        size = (self.width or first.width, self.height or first.height)
        fps = self.fps or first.fps
        return tuple(_at_rate(_at_size(clip, *size), fps) for clip in self.clips)

    @property
    def overlap(self) -> Fraction:
        """The cross-fade on whole frames, in seconds."""
        fps = self.fitted[0].spec.fps
        return round(self.cross_fade * fps) / fps

    @cached_property
    def starts(self) -> tuple[Fraction, ...]:
        """When each clip begins, in seconds."""
        starts = [Fraction(0)]
        for clip in self.fitted[:-1]:
            starts.append(starts[-1] + clip.spec.duration - self.overlap)
        return tuple(starts)

    @cached_property
    def spec(self) -> VideoSpec:
        specs = [clip.spec for clip in self.fitted]
        lost = round(self.overlap * specs[0].fps) * (len(specs) - 1)
        return replace(
            specs[0],
            frame_count=sum(spec.frame_count for spec in specs) - lost,
            duration=self.starts[-1] + specs[-1].duration,
            exact_count=all(spec.exact_count for spec in specs),
            audio=self._sound,
        )

    @property
    def _sound(self) -> AudioSpec | None:
        return next((clip.spec.audio for clip in self.clips if clip.spec.audio), None)

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        if start >= self.spec.duration:
            return
        first = max(index for index, begun in enumerate(self.starts) if begun <= start)
        if first and start < self.starts[first] + self.overlap:
            first -= 1
        unified = _Unified(self.fitted[0].spec.pixel_format, self._colours)
        lead = self.fitted[first].frames(start - self.starts[first])
        for index in range(first, len(self.fitted)):
            lead = yield from self._until_next(index, lead, start, unified)

    @cached_property
    def _colours(self) -> av.VideoFrame:
        """A small frame tagged like the first clip's: its picture is decoded for that once."""
        from av import VideoFrame

        first = next(self.fitted[0].frames()).image
        tagged = copy_colour(first, VideoFrame(16, 16, first.format.name))
        if not first.format.is_rgb:
            tagged.colorspace = matrix_of(first)  # the guess for an untagged one depends on its height
        return tagged

    def _until_next(
        self, index: int, lead: Iterator[Frame], start: Fraction, unified: _Unified
    ) -> Iterator[Frame]:
        """Yield clip `index` and the cross-fade at its end; return the next clip's remaining frames."""
        begun, clip = self.starts[index], self.fitted[index]
        if index + 1 == len(self.fitted):
            yield from (Frame(unified(image), begun + time) for image, time in lead)
            return None
        fade = clip.spec.duration - self.overlap
        follow = self.fitted[index + 1].frames(max(Fraction(0), start - self.starts[index + 1]))
        for image, time in lead:
            picture = unified(image)
            if time >= fade:
                share = (time - fade + 1 / (2 * clip.spec.fps)) / self.overlap
                picture = blended(picture, unified(next(follow).image), float(share))
            yield Frame(picture, begun + time)
        return follow

    def audio(self, start: Fraction = Fraction(0)) -> Iterator[np.ndarray]:
        sound = self._sound
        if sound is None or start >= self.spec.duration:
            return
        rate = sound.sample_rate
        begin = sample_at(start, rate)
        wanted = sample_at(self.spec.duration, rate) - begin
        yield from exactly(self._faded(sound, begin), sound.channels, wanted)

    def _faded(self, sound: AudioSpec, begin: int) -> Iterator[np.ndarray]:
        """The clips' sounds from sample `begin` on, each mixed into the end of the one before."""
        marks = [sample_at(mark, sound.sample_rate) for mark in self.starts]
        marks.append(sample_at(self.spec.duration, sound.sample_rate))
        fade = sample_at(self.overlap, sound.sample_rate)
        first = max(index for index, mark in enumerate(marks[:-1]) if mark <= begin)
        if first and begin < marks[first] + fade:
            first -= 1
        position = begin
        lead = self._reader(first, sound, marks, begin)
        for index in range(first, len(self.fitted)):
            yield from lead.pieces(marks[index + 1] - position)
            position = max(position, marks[index + 1])
            if index + 1 < len(self.fitted):
                follow = self._reader(index + 1, sound, marks, begin)
                yield from _mixed(lead, follow, position - marks[index + 1], fade)
                position = max(position, marks[index + 1] + fade)
                lead = follow

    def _reader(self, index: int, sound: AudioSpec, marks: list[int], begin: int) -> Reader:
        """Clip `index`'s sound in the common form, silent where it has none, from sample `begin` on."""
        clip = self.fitted[index]
        skipped = max(0, begin - marks[index])
        length = sample_at(clip.spec.duration, sound.sample_rate) - skipped
        if clip.spec.audio is None:
            return Reader(silence(sound.channels, length), sound.channels)
        pieces = resampled(clip.audio(Fraction(skipped, sound.sample_rate)), clip.spec.audio, sound)
        return Reader(exactly(pieces, sound.channels, length), sound.channels)

    def fingerprint(self) -> str:
        clips = ", ".join(clip.fingerprint() for clip in self.clips)
        return f"concatenate([{clips}], {self.cross_fade}, {self.width}, {self.height}, {self.fps})"

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(chain.from_iterable(self._notes_of(index) for index in range(len(self.clips))))

    def _notes_of(self, index: int) -> Iterator[str]:
        given, made = self.clips[index].spec, self.fitted[index].spec
        yield from self.clips[index].notes
        if (given.width, given.height) != (made.width, made.height):
            yield f"clip {index + 1}: {given.width}x{given.height} is padded to {made.width}x{made.height}"
        if given.fps != made.fps or given.variable_rate:
            varied = "a variable rate of about " if given.variable_rate else ""
            told = f"{varied}{float(given.fps):.3f} becomes {float(made.fps):.3f} frames per second"
            yield f"clip {index + 1}: {told}"
        if self._sound and given.audio is None:
            yield f"clip {index + 1}: it has no sound and is silent"
        elif given.audio != self._sound:
            sound = f"{self._sound.sample_rate} Hz, {counted(self._sound.channels, 'channel')}"
            yield f"clip {index + 1}: its sound is resampled to {sound}"


class _Unified:
    """Frames of several clips in one pixel format, colour matrix and range."""

    def __init__(self, pixel_format: str, reference: av.VideoFrame) -> None:
        self._convert = Converter(pixel_format=pixel_format)
        self._recolour = Recolour(reference)

    def __call__(self, image: av.VideoFrame) -> av.VideoFrame:
        return self._recolour(self._convert(image))


def _at_size(clip: Recipe, width: int, height: int) -> Recipe:
    if (clip.spec.width, clip.spec.height) == (width, height):
        return clip
    return Resize(clip, width, height, "pad", multiple_of=1)


def _at_rate(clip: Recipe, fps: Fraction) -> Recipe:
    return clip if clip.spec.fps == fps and not clip.spec.variable_rate else ConstantRate(clip, fps)


def _mixed(lead: Reader, follow: Reader, done: int, fade: int) -> Iterator[np.ndarray]:
    """Samples `done` to `fade` of a linear cross-fade."""
    import numpy as np

    while done < fade:
        count = min(PIECE, fade - done)
        share = ((np.arange(done, done + count) + 0.5) / fade).astype(np.float32)
        yield lead.take(count) * (1 - share) + follow.take(count) * share
        done += count
