"""Captioned procedural clips as latents, on disk: what the text-to-video transformer learns from."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from ..nodes.synthetic.captions import captions
from ..nodes.synthetic.clip import Clip
from ..nodes.synthetic.held_back import HELD_BACK
from ..nodes.synthetic.sampling import ClipOptions, sample_clip
from ..nodes.synthetic.spec import ClipSpec
from ..nodes.synthetic.stage import BACKGROUND
from ..nodes.vae.streaming import VideoAutoencoder
from .vae_clips import drawn, to_pixels

FRAMES = 17
SIDE = 96
SHARD = 512
"""Clips in a file."""
PICTURE_SEEDS = 2**32
"""Seeds from here on are of clips whose first frame alone is learnt."""


LATER_SHARE = 1 / 6
"""Of the clips begin in the middle of a film, as the windows of an extension do."""


class TrainingClip(NamedTuple):
    """A clip of `FRAMES` frames, or of as many latent frames from the middle of a film.

    start: latent frames before it. The one at a film's start holds a single picture, all others four.
    """

    spec: ClipSpec
    start: int = 0

    @property
    def frames(self) -> int:
        """Of the film up to the clip's end."""
        return FRAMES + 4 * self.start


def training_clip(seed: int) -> TrainingClip:
    """The clip of a seed: mostly one plain object before a still camera, of every kind now and then."""
    rng = random.Random(f"text to video {seed}")
    start = rng.randint(1, 4) if rng.random() < LATER_SHARE else 0
    options = ClipOptions(
        SIDE,
        SIDE,
        seconds=TrainingClip(None, start).frames / 24,
        max_objects=1 if rng.random() < 0.75 else 2,
        textures=("solid",) if rng.random() < 0.5 else ClipOptions.textures,
        cameras=("static",) if rng.random() < 0.75 else ClipOptions.cameras,
        hold_out=HELD_BACK,
    )
    return TrainingClip(sample_clip(seed, options), start)


def rendered(clip: TrainingClip) -> Tensor:
    """The film up to a clip's end: float [1,3,T,H,W] in −1..1."""
    return to_pixels(drawn(clip.spec, clip.frames)[None])


def object_places(spec: ClipSpec, frames: int) -> Tensor:
    """Where the objects are in a clip's first frames, a margin included: bool [T,h,w], a cell per latent."""
    stages = Clip(spec, 0, frames).stages
    seen = torch.stack([torch.from_numpy(stage.labels != BACKGROUND) for stage in stages])
    cells = functional.max_pool2d(seen[:, None].float(), 8)  # [frames,1,h,w]
    near = functional.max_pool2d(cells, 3, stride=1, padding=1)[:, 0] > 0
    groups = near[1:].split(4) if frames > 1 else ()  # the first latent frame holds one picture
    return torch.stack([near[0], *(pictures.any(dim=0) for pictures in groups)])


class Batch(NamedTuple):
    """Clips to learn from.

    latents: [B,Z,T,h,w], normalised. objects: bool [B,T,h,w], where the objects are.
    texts: one of each clip's captions. later: which do not begin a film.
    """

    latents: Tensor
    objects: Tensor
    texts: list[str]
    later: list[bool]


class LatentClips:
    """Latents and captions of the training clips 0 … count − 1, computed once and kept on disk.

    Args:
        folder: one safetensors file per `SHARD` clips; files that are there are believed.
        vae: gives the latents, normalised by its published mean and deviation.
    """

    def __init__(self, folder: Path, vae: VideoAutoencoder) -> None:
        self.folder, self.vae = folder, vae
        self.latents = self.objects = torch.empty(0)
        self.captions: list[list[str]] = []
        self.later: list[bool] = []

    def load(self, count: int) -> Iterator[int]:
        """Read the clips, and compute those that are missing; yields how many are there, shard by shard."""
        self.folder.mkdir(parents=True, exist_ok=True)
        latents, objects = [], []
        for first in range(0, count, SHARD):
            path = self.folder / f"{first:07d}.safetensors"
            if not path.exists():
                self._write(path, first)
            read = load_file(path)
            latents.append(read["latents"])
            objects.append(read["objects"])
            told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            self.captions += told["captions"]
            self.later += told["later"]
            yield len(self.captions)
        self.latents = torch.cat(latents)[:count]  # [N,Z,T,h,w] half floats
        self.objects = torch.cat(objects)[:count]  # [N,T,h,w] bools

    def _write(self, path: Path, first: int) -> None:
        clips = self.drawn(range(first, first + SHARD))
        told = {
            "captions": [captions(clip.spec) for clip in clips],
            "later": [clip.start > 0 for clip in clips],
        }
        path.with_suffix(".json").write_text(json.dumps(told), encoding="utf-8")
        objects = torch.stack([self.places(clip) for clip in clips])
        tensors = {"latents": self.encoded(clips).half().contiguous(), "objects": objects}
        save_file(tensors, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def drawn(self, numbers: range) -> list[TrainingClip]:
        return [training_clip(number) for number in numbers]

    def encoded(self, clips: list[TrainingClip]) -> Tensor:
        return torch.cat([clip_latents(self.vae, clip) for clip in clips])

    def places(self, clip: TrainingClip) -> Tensor:
        return object_places(clip.spec, clip.frames)[clip.start :]

    def batch(self, rng: random.Random, size: int) -> Batch:
        """Random clips."""
        numbers = rng.sample(range(len(self.latents)), size)
        texts = [rng.choice(self.captions[number]) for number in numbers]
        later = [self.later[number] for number in numbers]
        return Batch(self.latents[numbers].float(), self.objects[numbers], texts, later)


class LatentPictures(LatentClips):
    """The same of the first frames of other clips, [N,Z,1,h,w]: many more for the same work."""

    def drawn(self, numbers: range) -> list[TrainingClip]:
        return [training_clip(PICTURE_SEEDS + number)._replace(start=0) for number in numbers]

    def encoded(self, clips: list[TrainingClip]) -> Tensor:
        pixels = torch.cat([to_pixels(drawn(clip.spec, 1)[None]) for clip in clips])
        return torch.cat([normalised_latents(self.vae, group) for group in pixels.split(32)])

    def places(self, clip: TrainingClip) -> Tensor:
        return object_places(clip.spec, 1)


def fingerprint(path: Path) -> str:
    """Tells a file from others by what is in it: latents are of one autoencoder's weights."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


@torch.inference_mode()
def normalised_latents(vae: VideoAutoencoder, pixels: Tensor) -> Tensor:
    """The mean latents of [B,3,T,H,W], in the transformer's space."""
    mean, _, _ = vae.encode_chunk(pixels, None)
    return vae.facts.normalised(mean)


def clip_latents(vae: VideoAutoencoder, clip: TrainingClip) -> Tensor:
    """A clip's normalised latents, [1,Z,5,h,w]."""
    return normalised_latents(vae, rendered(clip))[:, :, clip.start :]
