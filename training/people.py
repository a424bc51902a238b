"""A small network that sees people in procedural clips: the judge of the human-aware loss terms.

It tells, for every pixel, whether it shows a talking head, its mouth or some other thing, and where the 68
landmarks of a face are. Both are known exactly in the procedural world, so it needs no labels by hand.
Shapes: B pictures, H rows, W columns, multiples of 16.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from ..nodes.synthetic.clip import Clip
from ..nodes.synthetic.sampling import ClipOptions, sample_clip

SEGMENTS = ("person", "mouth", "thing")
LANDMARKS = 68
SPREAD = 1.5
"""Standard deviation of a landmark's spot, in pixels of a heatmap."""
SIDE = 96
KINDS = ("talking_face", "talking_face", "mixed", "objects")


class PeopleNetwork(nn.Module):
    """[B,3,H,W] in 0..1 → logits of segments [B,3,H/2,W/2] and heatmaps of landmarks [B,68,H/4,W/4]."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        w = width
        self.down = nn.ModuleList(
            [_halved(3, w), _halved(w, 2 * w), _halved(2 * w, 4 * w), _halved(4 * w, 4 * w)]
        )
        self.up = nn.ModuleList([_layer(8 * w, 4 * w), _layer(6 * w, 2 * w), _layer(3 * w, w)])
        self.segments = nn.Conv2d(w, len(SEGMENTS), 1)
        self.landmarks = nn.Conv2d(2 * w, LANDMARKS, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        skips = []
        for down in self.down:
            x = down(x)
            skips.append(x)
        levels = []
        for up, skip in zip(self.up, skips[-2::-1], strict=True):
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = up(torch.cat([x, skip], dim=1))
            levels.append(x)  # at an eighth, a quarter and a half of the size
        return self.segments(levels[2]), self.landmarks(levels[1])


class Answer(nn.Module):
    """One of the network's two answers, as a network of its own: 0 the segments, 1 the landmarks."""

    def __init__(self, network: PeopleNetwork, which: int) -> None:
        super().__init__()
        self.network, self.which = network, which

    def forward(self, frames: Tensor) -> Tensor:
        return self.network(frames)[self.which]


def _layer(seen: int, made: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(seen, made, 3, stride, 1), nn.GroupNorm(4, made), nn.SiLU())


def _halved(seen: int, made: int) -> nn.Sequential:
    return nn.Sequential(_layer(seen, made, 2), _layer(made, made))


def load_people(weights: Path) -> PeopleNetwork:
    """The network of a file that `train_people` wrote, for inference."""
    tensors = load_file(weights)
    network = PeopleNetwork(len(tensors["down.0.0.0.weight"]))
    network.load_state_dict(tensors)
    return network.eval().requires_grad_(False)


class Seen(NamedTuple):
    """A picture [3,H,W] in 0..1 with what the network should tell of it."""

    picture: Tensor
    segments: Tensor
    heatmaps: Tensor


def seen(seed: int) -> Seen:
    """The picture of a seed: some moment of a procedural clip."""
    options = ClipOptions(SIDE, SIDE, kind=KINDS[seed % len(KINDS)], max_objects=3, scene_seconds=0.4)
    spec = sample_clip(seed, options)
    clip = Clip(spec, seed % spec.frame_count, 1)
    masks, face = clip.masks, clip.stages[0].face is not None
    heads = np.zeros((SIDE, SIDE), np.float32)
    if face:
        scene = clip.stages[0]
        heads = masks.visible[0, spec.first_owner(scene.index) + len(scene.scene.objects)]
    segments = np.stack([heads, masks.mouth[0], masks.visible[0].sum(axis=0) - heads])
    picture = torch.from_numpy(clip.frames[0]).permute(2, 0, 1).float() / 255
    halves = F.avg_pool2d(torch.from_numpy(segments)[None], 2)[0].clamp(0, 1)
    return Seen(picture, halves, spots(clip.face.landmarks[0]))


def spots(landmarks: np.ndarray) -> Tensor:
    """Heatmaps [68,H/4,W/4] of landmarks [68,2] in pixels of the picture, NaN where there is no face."""
    places = torch.from_numpy(landmarks).float() / 4 - 0.5
    axis = torch.arange(SIDE // 4)
    x, y = ((axis - places[:, k, None]).square() / (2 * SPREAD**2) for k in (0, 1))
    return torch.nan_to_num(torch.exp(-(y[:, :, None] + x[:, None])))
