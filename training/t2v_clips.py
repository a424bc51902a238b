"""Captioned procedural clips as latents, on disk: what the text-to-video transformer learns from."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..nodes.synthetic.captions import captions
from ..nodes.synthetic.held_back import HELD_BACK
from ..nodes.synthetic.sampling import ClipOptions, sample_clip
from ..nodes.synthetic.spec import ClipSpec
from ..nodes.synthetic.stage import Painter
from ..nodes.vae.streaming import VideoAutoencoder
from .vae_clips import to_pixels

FRAMES = 17
SIDE = 96
SHARD = 512
"""Clips in a file."""


def training_spec(seed: int) -> ClipSpec:
    """The clip of a seed: mostly one plain object before a still camera, of every kind now and then."""
    rng = random.Random(f"text to video {seed}")
    options = ClipOptions(
        SIDE,
        SIDE,
        max_objects=1 if rng.random() < 0.75 else 2,
        textures=("solid",) if rng.random() < 0.5 else ClipOptions.textures,
        cameras=("static",) if rng.random() < 0.75 else ClipOptions.cameras,
        hold_out=HELD_BACK,
    )
    return sample_clip(seed, options)


def rendered(spec: ClipSpec) -> Tensor:
    """A clip's frames: float [1,3,T,H,W] in −1..1."""
    painter = Painter(spec)
    frames = [torch.from_numpy(painter.frame(i / float(spec.fps))) for i in range(FRAMES)]
    return to_pixels(torch.stack(frames)[None].numpy())


class LatentClips:
    """Latents and captions of the training clips 0 … count − 1, computed once and kept on disk.

    Args:
        folder: one safetensors file per `SHARD` clips; files that are there are believed.
        vae: gives the latents, normalised by its published mean and deviation.
    """

    def __init__(self, folder: Path, vae: VideoAutoencoder) -> None:
        self.folder, self.vae = folder, vae
        self.latents = torch.empty(0)
        self.captions: list[list[str]] = []

    def load(self, count: int) -> Iterator[int]:
        """Read the clips, and compute those that are missing; yields how many are there, shard by shard."""
        self.folder.mkdir(parents=True, exist_ok=True)
        parts = []
        for first in range(0, count, SHARD):
            path = self.folder / f"{first:07d}.safetensors"
            if not path.exists():
                self._write(path, first)
            parts.append(load_file(path)["latents"])
            self.captions += json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            yield len(self.captions)
        self.latents = torch.cat(parts)[:count]  # [N,Z,T,h,w] half floats

    def _write(self, path: Path, first: int) -> None:
        specs = [training_spec(seed) for seed in range(first, first + SHARD)]
        latents = torch.cat([normalised_latents(self.vae, rendered(spec)).half() for spec in specs])
        told = json.dumps([captions(spec) for spec in specs])
        path.with_suffix(".json").write_text(told, encoding="utf-8")
        save_file({"latents": latents}, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def batch(self, rng: random.Random, size: int) -> tuple[Tensor, list[str]]:
        """Random clips: latents [B,Z,T,h,w] float32, and one of each one's captions."""
        numbers = rng.sample(range(len(self.latents)), size)
        return self.latents[numbers].float(), [rng.choice(self.captions[number]) for number in numbers]


def fingerprint(path: Path) -> str:
    """Tells a file from others by what is in it: latents are of one autoencoder's weights."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


@torch.inference_mode()
def normalised_latents(vae: VideoAutoencoder, pixels: Tensor) -> Tensor:
    """The mean latents of [B,3,T,H,W], in the transformer's space."""
    mean, _, _ = vae.encode_chunk(pixels, None)
    return vae.facts.normalised(mean)
