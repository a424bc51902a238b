"""A network for frames in between, run on pairs: several at a time where memory allows, else tile by tile.

Any network of ComfyUI's INTERP_MODEL protocol will do: `extract_features(image)`,
`forward(image0, image1, timestep=, cache=)`, `memory_used_forward(shape, dtype)`, and, where it has them,
`forward_multi_timestep(image0, image1, timesteps, cache=)` and `pad_align`.

Shapes: B frames at a time, H rows, W columns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..vae.films import is_out_of_memory
from .cutting import Cutting

UNKNOWN = object()


@dataclass(eq=False)
class Picture:
    """A frame ready for the network, with its features once they are known.

    pixels: [1, 3, H, W], its sides padded to what the network needs, where the network is.
    """

    pixels: Tensor
    features: Any = UNKNOWN


class Job(NamedTuple):
    """One frame to make: `share` of the way from one picture to another, between 0 and 1."""

    before: Picture
    after: Picture
    share: float


@dataclass
class PairRunner:
    """Makes frames in between, and takes less at a time when memory runs out.

    network: an INTERP_MODEL's, in evaluation.
    height, width: of the frames.
    cutting: how many frames, and which part of each, go through the network at a time.
    device, dtype: where and in what the network takes its pictures.
    options: further arguments of its `forward`.
    working: entered around each call of the network.
    report: told what had to give way.
    """

    network: Any
    height: int
    width: int
    cutting: Cutting
    device: torch.device
    dtype: torch.dtype
    options: dict[str, Any] = field(default_factory=dict)
    working: Callable[[], AbstractContextManager[None]] = nullcontext
    report: Callable[[str], None] = lambda sentence: None
    seconds: float = 0.0

    def picture(self, image: Tensor) -> Picture:
        """From [1, 3, H, W] in 0..1; the edges are repeated as far as needed."""
        right = self.cutting.width - self.width
        below = self.cutting.height - self.height
        pixels = image.to(self.device, self.dtype)
        return Picture(F.pad(pixels, (0, right, 0, below), mode="replicate") if right or below else pixels)

    def between(self, jobs: Sequence[Job]) -> list[Tensor]:
        """Each job's frame as [3, H, W] float in 0..1, on the CPU."""
        made: list[Tensor] = []
        begun = time.perf_counter()
        while len(made) < len(jobs):
            part = jobs[len(made) : len(made) + self.cutting.batch]
            try:
                with torch.inference_mode():
                    frames = self._run(part) if self.cutting.tiling is None else self._tiled(part)
            except (RuntimeError, MemoryError) as error:
                less = self.cutting.smaller() if is_out_of_memory(error) else None
                if less is None:
                    raise
                self.report(f"memory ran out with {self.cutting.describe()}; went on with {less.describe()}")
                self.cutting = less
                for picture in (picture for job in jobs for picture in job[:2]):
                    picture.features = UNKNOWN
                continue
            made += frames[..., : self.height, : self.width].float().clamp(0, 1).cpu()
        self.seconds += time.perf_counter() - begun
        return made

    def _tiled(self, jobs: Sequence[Job]) -> Tensor:
        """What `_run` gives, tile by tile; a tile's features are not kept, as memory is short."""
        tiling, cell = self.cutting.tiling, self.cutting.cell
        tiles = []
        for window in tiling.windows:
            parts: dict[Picture, Picture] = {}
            for picture in (picture for job in jobs for picture in job[:2]):
                parts[picture] = parts.get(picture) or Picture(tiling.cut(window, picture.pixels, cell))
            made = self._run([Job(parts[before], parts[after], share) for before, after, share in jobs])
            tiles.append(made[:, :, None])  # tiles are of films
        return tiling.blend(tiles, cell)[:, :, 0]

    def _run(self, jobs: Sequence[Job]) -> Tensor:
        """[B, 3, H, W], as large as the pictures are."""
        with self.working():
            for picture in {picture for job in jobs for picture in job[:2]}:
                if picture.features is UNKNOWN:
                    picture.features = self.network.extract_features(picture.pixels)
            if hasattr(self.network, "forward_multi_timestep"):
                return torch.cat([self._several_times(list(same)) for _, same in groupby(jobs, _pair)])
            return self._several_pairs(jobs)

    def _several_times(self, jobs: list[Job]) -> Tensor:
        """One pair, whose motion is found once for all its times."""
        before, after, _ = jobs[0]
        cache = {"img0": before.features, "img1": after.features}
        times = [job.share for job in jobs]
        return self.network.forward_multi_timestep(
            before.pixels, after.pixels, times, cache=cache, **self.options
        )

    def _several_pairs(self, jobs: Sequence[Job]) -> Tensor:
        befores, afters, shares = zip(*jobs, strict=True)
        times = torch.tensor(shares, device=self.device, dtype=self.dtype)[:, None, None, None]
        first = befores[0].pixels
        return self.network(
            _joined([picture.pixels for picture in befores]),
            _joined([picture.pixels for picture in afters]),
            timestep=times.expand(-1, 1, *first.shape[2:]),
            cache={
                "img0": _joined([picture.features for picture in befores]),
                "img1": _joined([picture.features for picture in afters]),
            },
            **self.options,
        )


def _pair(job: Job) -> tuple[int, int]:
    return id(job.before), id(job.after)


def _joined(features: list[Any]) -> Any:
    """Features of single frames as those of a batch, in whatever lists or dicts a network keeps them."""
    first = features[0]
    if torch.is_tensor(first):
        return torch.cat(features) if len(features) > 1 else first
    if isinstance(first, dict):
        return {key: _joined([one[key] for one in features]) for key in first}
    if isinstance(first, (list, tuple)):
        return type(first)(_joined(list(parts)) for parts in zip(*features, strict=True))
    return first
