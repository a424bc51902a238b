"""INTERP_MODEL sockets: loading a network for frames in between in either host."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

import folder_paths

from . import runtime
from .model_files import FOLDER, SUFFIXES, model_file

if TYPE_CHECKING:
    import torch

OURS = "interpolation"
"""Below models/kinograph."""
CORES = "frame_interpolation"
"""ComfyUI's own folder, whose every file its own loader offers; it fails on most versions."""
FETCHED = {"rife_4.14.safetensors": "rife-4.14", "rife_4.6.safetensors": "rife-4.6"}
"""Files that `kinograph models get` makes, by name: what it calls them."""
GRAPH, GRAPH_WEIGHTS = ".param", ".bin"
"""ncnn's models are two files, of which the first is shown."""


class Loaded(NamedTuple):
    """The value of an INTERP_MODEL socket, and what is to be told of it."""

    model: Any
    report: str


def interpolation_files() -> list[str]:
    """Names for a widget: what can be fetched, then the files that are there."""
    ours = [
        PurePath(name).relative_to(OURS).as_posix()
        for name in folder_paths.get_filename_list(FOLDER)
        if PurePath(name).parts[0] == OURS and PurePath(name).suffix in SUFFIXES
    ]
    cores = folder_paths.get_filename_list(CORES) if CORES in folder_paths.folder_names_and_paths else []
    names = dict.fromkeys([*FETCHED, *ours, *cores])
    graphs = {PurePath(name).stem for name in names if PurePath(name).suffix == GRAPH}
    return [
        name for name in names if PurePath(name).suffix != GRAPH_WEIGHTS or PurePath(name).stem not in graphs
    ]


def interpolation_path(name: str) -> Path:
    """The installed file of that name, in our folder or in ComfyUI's.

    Raises:
        ModelMissing: it could be fetched, and is not yet; the message has the command.
        FileNotFoundError: there is no such file.
    """
    below = ".." not in PurePath(name).parts
    ours = folder_paths.get_full_path(FOLDER, str(PurePath(OURS, name))) if below else None
    known = CORES in folder_paths.folder_names_and_paths
    found = ours or (folder_paths.get_full_path(CORES, name) if known else None)
    if found is not None:
        return Path(found)
    if name in FETCHED:
        return model_file(f"{OURS}/{name}", FETCHED[name])
    raise FileNotFoundError(
        f"there is no network {name!r} in models/{FOLDER}/{OURS} or models/{CORES}; put it there, or pick "
        "another"
    )


def load_model(name: str, dtype_name: str) -> Loaded:
    """Load a file as the value of an INTERP_MODEL socket.

    Args:
        dtype_name: of the convolutions: "auto" or a torch dtype's name.

    Raises:
        FileNotFoundError: there is no such file.
        WeightsError: it is of no network that is known here.
    """
    import torch

    from .interpolation.load import load_interpolation_model

    device = runtime.compute_device()
    dtype = number_type(device) if dtype_name == "auto" else getattr(torch, dtype_name)
    network = load_interpolation_model(interpolation_path(name), dtype)
    count = sum(weight.nelement() for weight in network.parameters())
    kind = str(dtype).removeprefix("torch.")
    told = f"{name}: {network.told}, {count / 1e6:.1f} M parameters, {kind} on {device}"
    return Loaded(runtime.managed(network), told)


def number_type(device: torch.device) -> torch.dtype:
    """The fastest number type whose frames show no difference."""
    import torch
    from comfy.model_management import should_use_fp16

    from ..kernels.fast_cpu import computes_bfloat16

    if device.type == "cpu":
        return torch.bfloat16 if computes_bfloat16() else torch.float32
    return torch.float16 if should_use_fp16(device) else torch.float32
