"""Three pictures of a procedural clip, evenly apart in time, as latents on disk: what bridges learn from."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..nodes.synthetic.sampling import ClipOptions, sample_clip
from ..nodes.synthetic.stage import Painter
from ..nodes.vae.streaming import VideoAutoencoder
from .t2v_clips import normalised_latents
from .vae_clips import FIRST_UNSEEN_SEED, to_pixels

SIDE = 96
SHARD = 512
"""Triplets in a file."""
KINDS = ("objects", "objects", "objects", "talking_face")
GAPS = (1, 1, 2, 2, 3, 4)
"""Frames of 1/24 s from one picture to the next."""
MOST_SECONDS = 1.0


def triplet(seed: int) -> np.ndarray:
    """The pictures of a seed: uint8 [3,H,W,3], before, in the middle and after."""
    rng = random.Random(f"bridge {seed}")
    options = ClipOptions(SIDE, SIDE, seconds=MOST_SECONDS, kind=rng.choice(KINDS), max_objects=3)
    spec = sample_clip(seed, options)
    gap = rng.choice(GAPS) / 24
    start = rng.uniform(0, MOST_SECONDS - 2 * gap - 1 / 24)
    painter = Painter(spec)
    pictures = np.stack([painter.frame(start + gap * index) for index in range(3)])
    return pictures[:, :, ::-1].copy() if rng.random() < 0.5 else pictures


def triplet_pixels(seeds: range) -> Tensor:
    """Float [N,3 pictures,3,H,W] in −1..1."""
    return torch.stack([to_pixels(triplet(seed)[:, None])[:, :, 0] for seed in seeds])


def triplet_latents(vae: VideoAutoencoder, pixels: Tensor) -> Tensor:
    """[N,3,3,H,W] → normalised latents [N,3,Z,h,w], each picture a film of its own."""
    pictures = pixels.flatten(0, 1)[:, :, None]
    latents = torch.cat([normalised_latents(vae, group) for group in pictures.split(32)])
    return latents[:, :, 0].unflatten(0, (-1, 3))


def unseen_triplets(count: int) -> Tensor:
    """Pixels that training never draws, [count,3,3,H,W]."""
    return triplet_pixels(range(FIRST_UNSEEN_SEED, FIRST_UNSEEN_SEED + count))


class LatentTriplets:
    """Latents of the triplets 0 … count − 1, computed once and kept on disk.

    Args:
        folder: one safetensors file per `SHARD` triplets; files that are there are believed.
    """

    def __init__(self, folder: Path, vae: VideoAutoencoder) -> None:
        self.folder, self.vae = folder, vae
        self.latents = torch.empty(0)  # [N,3,Z,h,w] half floats

    def load(self, count: int) -> Iterator[int]:
        """Read the triplets, and compute those that are missing; yields how many are there, file by file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        read: list[Tensor] = []
        for first in range(0, count, SHARD):
            path = self.folder / f"{first:07d}.safetensors"
            if not path.exists():
                self._write(path, first)
            read.append(load_file(path)["latents"])
            yield sum(map(len, read))
        self.latents = torch.cat(read)[:count]

    def _write(self, path: Path, first: int) -> None:
        latents = triplet_latents(self.vae, triplet_pixels(range(first, first + SHARD)))
        save_file({"latents": latents.half().contiguous()}, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def batch(self, rng: random.Random, size: int) -> Tensor:
        """Random triplets, a half of them backwards: [size,3,Z,h,w]."""
        chosen = self.latents[[rng.randrange(len(self.latents)) for _ in range(size)]].float()
        back = size // 2
        return torch.cat([chosen[:back].flip(1), chosen[back:]])
