"""A lazy video: what it is (`VideoSpec`) and how to pull it (`Recipe`), with nothing held in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import av
    import numpy as np


@dataclass(frozen=True)
class AudioSpec:
    """The sound of a video: `audio()` yields float32 [channels, samples] at this rate."""

    sample_rate: int
    channels: int


@dataclass(frozen=True)
class VideoSpec:
    """What a recipe yields, known without decoding.

    width, height: pixels as shown (rotation flags already applied).
    fps: frames per second; for a variable rate, the average.
    frame_count: exact where `exact_count`, else the best estimate.
    duration: seconds of picture, from the first frame's start to the last frame's end.
    pixel_format: FFmpeg name of the yielded frames' format, e.g. "yuv420p", "yuv420p10le", "yuva420p".
    """

    width: int
    height: int
    fps: Fraction
    frame_count: int
    duration: Fraction
    pixel_format: str
    exact_count: bool = True
    variable_rate: bool = False
    audio: AudioSpec | None = None


class Frame(NamedTuple):
    """A decoded picture and the time, in seconds from the video's start, at which it appears.

    The same picture may be yielded twice and read by others: make a new one, never change its pixels.
    """

    image: av.VideoFrame
    time: Fraction


class Recipe(ABC):
    """A deterministic description of a video. Frozen dataclasses implement it.

    Every call of `frames` or `audio` starts an independent pull, so a recipe may be read twice, or by
    two threads. An iterator frees its decoder when it is exhausted or closed.
    """

    @property
    @abstractmethod
    def spec(self) -> VideoSpec:
        """Size, rate, length and sound, without decoding the picture.

        A recipe over another caches it: asked twice per step, a chain of n steps would take 2^n questions.
        """

    @abstractmethod
    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        """Frames in order, from the one on screen at `start` seconds (times stay those of the whole)."""

    @abstractmethod
    def audio(self, start: Fraction = Fraction(0)) -> Iterator[np.ndarray]:
        """Sound from `start` seconds on, as float32 [channels, samples] pieces without gaps.

        The pieces together last exactly as long as the picture from `start` on: shorter sound is
        padded with silence, longer sound is cut. Nothing is yielded where `spec.audio` is None.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """A string that changes when the result would (the source file's size and time included)."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was adapted to make this possible, in sentences for the user; those of its sources first."""
        return ()


def from_on_screen(frames: Iterator[Frame], start: Fraction) -> Iterator[Frame]:
    """Drop the frames before the one on screen at `start`."""
    on_screen = None
    for frame in frames:
        if frame.time <= start:
            on_screen = frame
            continue
        if on_screen is not None:
            yield on_screen
            on_screen = None
        yield frame
    if on_screen is not None:
        yield on_screen


class VideoError(ValueError):
    """A video that cannot be read, made or written: what was found, and what to do about it."""
