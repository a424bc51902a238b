"""Clips that the video autoencoder learns from: procedural ones, and crops of real films."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..nodes.synthetic.sampling import ClipOptions, sample_clip
from ..nodes.synthetic.spec import ClipSpec
from ..nodes.synthetic.stage import Painter

KINDS = ("objects", "objects", "objects", "mixed", "talking_face")
FIRST_UNSEEN_SEED = 2**40
"""Seeds from here on are never trained on."""


def procedural_clip(seed: int, frames: int, size: int) -> np.ndarray:
    """The clip of a seed: uint8 [T,H,W,3]."""
    kind = KINDS[seed % len(KINDS)]
    seconds = max(frames, 2) / 24
    options = ClipOptions(size, size, seconds=seconds, kind=kind, max_objects=3, scene_seconds=0.6)
    return drawn(sample_clip(seed, options), frames)


def drawn(spec: ClipSpec, frames: int) -> np.ndarray:
    """The first frames of a clip: uint8 [T,H,W,3]."""
    painter = Painter(spec)
    return np.stack([painter.frame(i / float(spec.fps)) for i in range(frames)])


def cropped_clip(seed: int, rng: random.Random, frames: int, size: int) -> np.ndarray:
    """A window of a seed's clip rendered at 96 or 128 pixels: uint8 [T,H,W,3]."""
    return cropped(procedural_clip(seed, frames, rng.choice((96, 96, 128))), rng, frames, size)


def cropped(film: np.ndarray, rng: random.Random, frames: int, size: int) -> np.ndarray:
    """A random window of a film [T,H,W,3], sometimes mirrored."""
    t, y, x = (rng.randrange(n - m + 1) for n, m in zip(film.shape, (frames, size, size), strict=False))
    clip = film[t : t + frames, y : y + size, x : x + size]
    return clip[:, :, ::-1] if rng.random() < 0.5 else clip


def read_film(path: Path, height: int = 160) -> np.ndarray:
    """A whole short film, scaled to `height` rows: uint8 [T,H,W,3]."""
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        width = round(stream.width * height / stream.height / 2) * 2
        frames = [f.reformat(width, height, "rgb24").to_ndarray() for f in container.decode(stream)]
    return np.stack(frames)


def clip_batch(
    seed: int, batch: int, frames: int, size: int, films: list[np.ndarray], real_share: float
) -> Tensor:
    """The training clips numbered from `seed` on: float [B,3,T,H,W] in −1..1."""
    clips = []
    for number in range(seed, seed + batch):
        rng = random.Random(number)
        real = bool(films) and rng.random() < real_share
        if real:
            clips.append(cropped(rng.choice(films), rng, frames, size))
        else:
            clips.append(cropped_clip(number, rng, frames, size))
    return to_pixels(np.stack(clips))


def to_pixels(clips: np.ndarray) -> Tensor:
    """uint8 [B,T,H,W,3] → float [B,3,T,H,W] in −1..1."""
    return torch.from_numpy(clips).permute(0, 4, 1, 2, 3).float() / 127.5 - 1


def unseen_clips(count: int, frames: int, size: int) -> Tensor:
    """Procedural clips that training never draws, of one or two objects: float [B,3,T,H,W] in −1..1."""
    options = ClipOptions(size, size, seconds=frames / 24)
    clips = [drawn(sample_clip(FIRST_UNSEEN_SEED + i, options), frames) for i in range(count)]
    return to_pixels(np.stack(clips))


def hard_unseen_clips(count: int, frames: int, size: int) -> Tensor:
    """The same with three objects, talking faces, and cuts every half second, as in training."""
    clips = [procedural_clip(FIRST_UNSEEN_SEED + i, frames, size) for i in range(count)]
    return to_pixels(np.stack(clips))
