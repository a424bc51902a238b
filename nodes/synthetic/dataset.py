"""Procedural clips for training: tensors of exactly the truths that are asked for."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from .clip import Clip
from .sampling import DEFAULTS, ClipOptions, sample_clip
from .spec import ClipSpec

Item = dict[str, torch.Tensor | str | int]


def _video(clip: Clip, owners: int) -> torch.Tensor:
    return torch.from_numpy(clip.frames.transpose(3, 0, 1, 2).copy())


def _caption(clip: Clip, owners: int) -> str:
    return random.Random(f"wording {clip.spec.seed}").choice(clip.captions)


def _padded(values: np.ndarray, axis: int, owners: int, fill: float) -> torch.Tensor:
    """Room for `owners` things along an axis, `fill` where there are fewer."""
    missing = [(0, 0)] * values.ndim
    missing[axis] = (0, owners - values.shape[axis])
    return torch.from_numpy(np.pad(values, missing, constant_values=fill).astype(np.float32))


FIELDS: dict[str, Callable[[Clip, int], torch.Tensor | str]] = {
    "video": _video,
    "caption": _caption,
    "canonical_caption": lambda clip, owners: clip.captions[0],
    "audio": lambda clip, owners: torch.from_numpy(clip.audio),
    "masks": lambda clip, owners: _padded(clip.masks.visible.transpose(1, 0, 2, 3), 0, owners, 0),
    "whole_masks": lambda clip, owners: _padded(clip.masks.whole.transpose(1, 0, 2, 3), 0, owners, 0),
    "labels": lambda clip, owners: torch.from_numpy(clip.labels),
    "flow": lambda clip, owners: torch.from_numpy(clip.forward_flow.vectors),
    "flow_hidden": lambda clip, owners: torch.from_numpy(clip.forward_flow.hidden),
    "backward_flow": lambda clip, owners: torch.from_numpy(clip.backward_flow.vectors),
    "backward_hidden": lambda clip, owners: torch.from_numpy(clip.backward_flow.hidden),
    "depth": lambda clip, owners: torch.from_numpy(clip.depth),
    "boxes": lambda clip, owners: _padded(clip.tracks.boxes, 1, owners, np.nan),
    "mouth": lambda clip, owners: torch.from_numpy(np.stack(clip.face.mouth, axis=1).astype(np.float32)),
    "landmarks": lambda clip, owners: torch.from_numpy(clip.face.landmarks.astype(np.float32)),
    "spec": lambda clip, owners: clip.spec.to_json(),
}
"""What an item may hold. T frames of H × W, S samples, N = `owners` of the data set:

video uint8 [3, T, H, W]; caption and canonical_caption str; audio float32 [1, S];
masks and whole_masks float32 [N, T, H, W]; labels uint8 [T, H, W];
flow and backward_flow float32 [T − 1, H, W, 2] in pixels, flow_hidden and backward_hidden bool [T − 1, H, W];
depth float32 [T, H, W] in metres; boxes float32 [T, N, 4] in 0..1, NaN while absent;
mouth float32 [T, 3] (opening, width, rounding); landmarks float32 [T, 68, 2] in pixels; spec JSON.
"""


@dataclasses.dataclass(frozen=True)
class _Items:
    """Clips of consecutive seeds as items.

    options: what to draw from. fields: keys of `FIELDS`; nothing else is computed.
    first_seed: seed of item 0. owners: mask channels per item; a clip with more things is an error.
    """

    options: ClipOptions = DEFAULTS
    fields: tuple[str, ...] = ("video", "caption")
    first_seed: int = 0
    owners: int = 4

    def __post_init__(self) -> None:
        unknown = [name for name in self.fields if name not in FIELDS]
        if unknown:
            raise ValueError(f"no field {', '.join(unknown)}; choose from {', '.join(FIELDS)}")

    def item(self, index: int) -> Item:
        """The item of seed `first_seed + index`: the chosen fields, and "seed"."""
        seed = self.first_seed + index
        clip = Clip(self._spec(seed))
        return {"seed": seed} | {name: FIELDS[name](clip, self.owners) for name in self.fields}

    def _spec(self, seed: int) -> ClipSpec:
        spec = sample_clip(seed, self.options)
        if spec.owners > self.owners:
            raise ValueError(f"seed {seed} has {spec.owners} objects and faces; set owners to at least that")
        return spec


@dataclasses.dataclass(frozen=True)
class SyntheticClips(_Items, Dataset):
    """A data set of `length` clips; item i is the same in every process.

    Every item has the same shapes, so torch's default collation makes batches of them.
    """

    length: int = 1000

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Item:
        if not 0 <= index < self.length:
            raise IndexError(f"clip {index} of {self.length}")
        return self.item(index)


@dataclasses.dataclass(frozen=True)
class SyntheticStream(_Items, IterableDataset):
    """Clips without end; workers and ranks share out the seeds, so none comes twice.

    rank, world: this process among how many.
    """

    rank: int = 0
    world: int = 1

    def __iter__(self) -> Iterator[Item]:
        worker = get_worker_info()
        lanes = self.world * (worker.num_workers if worker else 1)
        index = self.rank + self.world * (worker.id if worker else 0)
        while True:
            yield self.item(index)
            index += lanes
