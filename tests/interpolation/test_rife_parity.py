"""RIFE as other programs run it: vsrife's networks and ncnn's runtime, where these packages are installed.

`python -m pip install --no-deps vsrife==5.7.0` and `python -m pip install ncnn`.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from interpolation.rife_weights import loaded, pair, relative
from kinograph.host.models.folders import models_directory
from kinograph.kernels.warp import naive
from kinograph.nodes.interpolation.load import load_interpolation_model
from torch import Tensor

FILES = {
    "4.0–4.1": ("4_0", "4_1"),
    "4.2–4.4": ("4_2", "4_3", "4_4"),
    "4.5–4.6": ("4_5", "4_6"),
    "4.7–4.9": ("4_7", "4_8", "4_9"),
    "4.10–4.19, 4.24": tuple(f"4_{n}" for n in (10, 11, 12, 13, 14, 15, 17, 18, 19, 24)),
    "4.12 lite, 4.13 lite": ("4_12_lite", "4_13_lite"),
    "4.14 lite": ("4_14_lite",),
    "4.15 lite–4.17 lite": ("4_15_lite", "4_16_lite", "4_17_lite"),
    "4.20": ("4_20",),
    "4.21–4.23": ("4_21", "4_22", "4_23"),
    "4.22 lite": ("4_22_lite",),
    "4.25, 4.26": ("4_25", "4_26"),
    "4.25 lite": ("4_25_lite",),
    "4.25 heavy": ("4_25_heavy",),
    "4.26 heavy": ("4_26_heavy",),
}
"""vsrife's files of every structure."""


def vsrife(name: str) -> ModuleType:
    """One of the package's networks; its __init__ would want VapourSynth and CUDA."""
    found = importlib.util.find_spec("vsrife")
    if found is None:
        pytest.skip("vsrife is not installed")
    bare = ModuleType("vsrife_networks")
    bare.__path__ = list(found.submodule_search_locations)
    sys.modules["vsrife_networks"] = bare
    return importlib.import_module(f"vsrife_networks.IFNet_HDv3_v{name}")


def between(network: Any, first: Tensor, second: Tensor, time: float) -> Tensor:
    """A frame by one of vsrife's networks."""
    height, width = first.shape[2:]
    across, down = torch.linspace(-1, 1, width), torch.linspace(-1, 1, height)
    grid = torch.stack(torch.meshgrid(across, down, indexing="xy"))[None]
    halves = torch.tensor([(width - 1) / 2, (height - 1) / 2])
    features = [network.encode(frame) for frame in (first, second)] if hasattr(network, "encode") else []
    return network(first, second, torch.full_like(first[:, :1], time), halves, grid, *features)


@torch.no_grad()
def strong(network: torch.nn.Module) -> torch.nn.Module:
    """Random weights that move pixels, with scales that differ."""
    torch.manual_seed(0)
    for name, weight in network.named_parameters():
        weight.copy_(torch.rand_like(weight)) if name.endswith("beta") else weight.mul_(1.5)
    return network.eval()


@pytest.mark.parametrize(("version", "name"), [(key, name) for key, names in FILES.items() for name in names])
@torch.no_grad()
def test_every_version_makes_the_frame_that_vsrife_makes(version: str, name: str) -> None:
    theirs = strong(vsrife(name).IFNet())
    ours = loaded(theirs.state_dict())
    assert ours.config.versions == version
    first, second = pair(128, 256)
    truth = between(theirs, first, second, 0.3)
    assert relative(0.7 * first + 0.3 * second, truth) > 0.1, "the weights move nothing"
    assert relative(ours(first, second, 0.3), truth) < 1e-5


@pytest.mark.parametrize("name", ["4_0", "4_6", "4_14", "4_25"])
@pytest.mark.parametrize("scale", [0.5, 2.0])
@torch.no_grad()
def test_motion_is_sought_at_vsrifes_scales(name: str, scale: float) -> None:
    theirs = strong(vsrife(name).IFNet(scale=scale))
    first, second = pair(128, 256)
    truth = between(theirs, first, second, 0.5)
    assert relative(loaded(theirs.state_dict())(first, second, scale=scale), truth) < 1e-5


@torch.no_grad()
def test_ncnns_runtime_makes_the_same_frame_of_4_6() -> None:
    ncnn = pytest.importorskip("ncnn", reason="ncnn is not installed")
    graph = models_directory() / "kinograph" / "ncnn" / "rife_4.6.param"
    if not graph.is_file():
        pytest.skip("run `kinograph models get rife-4.6-ncnn`")
    first, second = pair(64, 96)
    truth = by_ncnn(ncnn, graph, first, second, 0.4)
    made = load_interpolation_model(graph, torch.float32)(first, second, 0.4)
    assert relative(0.6 * first + 0.4 * second, truth) > 1e-2
    assert relative(made, truth) < 1e-4


def by_ncnn(ncnn: Any, graph: Path, first: Tensor, second: Tensor, time: float) -> Tensor:
    """A frame by ncnn in float32, with the layer that RIFE's graph wants and ncnn has not."""
    import numpy as np

    class Warp(ncnn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.one_blob_only = False

        def forward(self, given: list, made: list, options: object) -> int:
            picture, flow = (torch.from_numpy(np.array(blob))[None] for blob in given)
            places = (torch.arange(side, dtype=torch.float32) for side in flow.shape[2:])
            warped = naive.warp(picture, flow, *places)[0].contiguous()
            made[0].clone_from(ncnn.Mat(warped.numpy()), options.blob_allocator)
            return 0

    layers = [Warp() for _ in range(8)]  # ncnn does not keep them
    spare = iter(layers)
    net = ncnn.Net()
    for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"):
        setattr(net.opt, option, False)
    net.register_custom_layer("rife.Warp", lambda: next(spare), lambda layer: None)
    assert net.load_param(str(graph)) == 0 and net.load_model(str(graph.with_suffix(".bin"))) == 0
    extractor = net.create_extractor()
    planes = [first[0].numpy(), second[0].numpy(), torch.full_like(first[0, :1], time).numpy()]
    for name, plane in zip(("in0", "in1", "in2"), planes, strict=True):
        extractor.input(name, ncnn.Mat(np.ascontiguousarray(plane)))
    failed, made = extractor.extract("out0")
    assert failed == 0
    return torch.from_numpy(np.array(made).copy())[None]
