"""A function on IMAGE batches applied to a video chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from .pixels import (
    Converter,
    copy_colour,
    frames_of_images,
    has_alpha,
    images_of_frames,
    opaque_format,
    rgb_format,
)
from .reader_thread import read_ahead
from .recipe import Frame, Recipe, VideoError, VideoSpec, from_on_screen

if TYPE_CHECKING:
    import numpy as np
    import torch

MAX_CHUNK = 8
"""Frames given to the function at a time, its overlap aside: more costs memory and gains nothing."""


@dataclass(frozen=True)
class ImageFunction(Recipe):
    """`function` applied to RGB floats, at most `chunk` frames at a time, the sound untouched.

    function: [B, H, W, 3] float 0..1 -> [B * rate, H', W', 3]; output `j` belongs at input `j / rate`.
        It may run in another thread than the caller's, under `torch.inference_mode`.
    key: what the function is and how it is set, for the fingerprint, e.g. "rife(4.6, factor=2)".
    chunk: frames per call, 1 to 8.
    overlap: frames of context given before and after each chunk where the video has them; what the
        function makes of them is dropped.
    rate: output frames per input frame; the duration stays.
    width, height: the output's size where the function changes it, 0 where it does not.

    Transparency is passed around the function where size and rate stay, and dropped otherwise (`notes`).
    """

    source: Recipe
    function: Callable[[torch.Tensor], torch.Tensor] = field(compare=False)
    key: str
    chunk: int = MAX_CHUNK
    overlap: int = 0
    rate: int = 1
    width: int = 0
    height: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.chunk <= MAX_CHUNK or self.overlap < 0 or self.rate < 1:
            raise VideoError(
                f"{self.key}: chunk must be 1 to {MAX_CHUNK}, overlap at least 0 and rate at least 1; "
                f"got {self.chunk}, {self.overlap} and {self.rate}"
            )
        if self.rate > 1 and self.source.spec.variable_rate:
            raise VideoError(
                f"{self.key} makes frames in between and needs a constant rate; retime the video first"
            )

    @cached_property
    def spec(self) -> VideoSpec:
        whole = self.source.spec
        return replace(
            whole,
            width=self.width or whole.width,
            height=self.height or whole.height,
            fps=whole.fps * self.rate,
            frame_count=whole.frame_count * self.rate,
            pixel_format=whole.pixel_format if self._keeps_alpha else opaque_format(whole.pixel_format),
        )

    @property
    def _keeps_alpha(self) -> bool:
        given = self.source.spec
        same_size = self.width in (0, given.width) and self.height in (0, given.height)
        return same_size and self.rate == 1 and has_alpha(given.pixel_format)

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        return from_on_screen(self._made(start), start)

    def _made(self, start: Fraction) -> Iterator[Frame]:
        to_given = Converter(pixel_format=self.spec.pixel_format)
        for held, begin, end in self._windows(start):
            made = self._applied(held)[begin * self.rate : end * self.rate]
            for position, picture in enumerate(frames_of_images(made, self._rgb)):
                given = held[begin + position // self.rate]
                time = given.time + position % self.rate / self.spec.fps
                yield Frame(to_given(copy_colour(given.image, picture)), time)

    @property
    def _rgb(self) -> str:
        """The RGB format that the function's results pass through."""
        return rgb_format(self.spec.pixel_format)

    def _windows(self, start: Fraction) -> Iterator[tuple[list[Frame], int, int]]:
        """Frames in RGB with their context, and where in them the chunk begins and ends."""
        context = start - self.overlap / self.source.spec.fps
        frames = read_ahead(self._as_rgb(max(Fraction(0), context)), depth=self.chunk)
        held: list[Frame] = []
        begin = 0
        while True:
            held += islice(frames, begin + self.chunk + self.overlap - len(held))
            end = min(begin + self.chunk, len(held))
            if begin == end:
                return
            yield held, begin, end
            dropped = max(0, end - self.overlap)
            held = held[dropped:]
            begin = end - dropped

    def _as_rgb(self, start: Fraction) -> Iterator[Frame]:
        to_rgb = Converter(pixel_format=rgb_format(self.source.spec.pixel_format))
        for image, time in self.source.frames(start):
            yield Frame(copy_colour(image, to_rgb(image)), time)

    def _applied(self, held: list[Frame]) -> torch.Tensor:
        """Run the function on a window; [B * rate, H', W', 3 or 4]."""
        import torch

        with torch.inference_mode():
            batch = images_of_frames([image for image, _ in held])
            made = self.function(batch[..., :3])
            expected = [len(held) * self.rate, self.spec.height, self.spec.width, 3]
            if list(made.shape) != expected:
                raise VideoError(
                    f"{self.key} returned images of shape {list(made.shape)} and declared {expected}"
                )
            return torch.cat([made, batch[..., 3:].to(made)], dim=-1) if self._keeps_alpha else made

    def audio(self, start: Fraction = Fraction(0)) -> Iterator[np.ndarray]:
        return self.source.audio(start)

    def fingerprint(self) -> str:
        how = f"{self.key}, {self.chunk}, {self.overlap}, {self.rate}, {self.width}, {self.height}"
        return f"images({self.source.fingerprint()}, {how})"

    @property
    def notes(self) -> tuple[str, ...]:
        if self._keeps_alpha or not has_alpha(self.source.spec.pixel_format):
            return self.source.notes
        return (*self.source.notes, f"{self.key} drops the transparency: it changes the size or the rate")
