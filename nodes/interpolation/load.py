"""A network for frames in between out of a file: told by its keys, in any layout in which it is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..vae.weights_file import Weights, WeightsError
from . import rife_load, vfimamba_load
from .ncnn_weights import read_weights_or_ncnn

FILM = "extract.extract_sublevels.convs.0.0.conv.weight"


class Family(NamedTuple):
    """Networks that one module builds.

    name: for messages, e.g. "RIFE 4.x".
    recognise: whether weights, by their keys, are of the family.
    build: the network with its weights, at least as precise as they are; raises WeightsError.
    """

    name: str
    recognise: Callable[[Mapping[str, Tensor]], bool]
    build: Callable[[Weights], nn.Module]


FAMILIES: tuple[Family, ...] = (
    Family("RIFE 4.x", rife_load.is_known, rife_load.rife),
    Family("VFIMamba", vfimamba_load.is_known, vfimamba_load.vfimamba),
)


def load_interpolation_model(path: Path | str, dtype: torch.dtype | None = None) -> nn.Module:
    """Load a network for frames in between, which follows ComfyUI's protocol for INTERP_MODEL.

    Args:
        path: .safetensors, a pickle of tensors (.pkl .pth .pt .bin .ckpt), or one of ncnn's pair of .param
            and .bin.
        dtype: of the convolutions; that of the file's largest tensor when None.

    Returns:
        the network, for inference.

    Raises:
        WeightsError: the file cannot be read, or is of no network that is known here.
    """
    weights = read_weights_or_ncnn(Path(path))
    for family in FAMILIES:
        if family.recognise(weights.tensors):
            own = max(weights.tensors.values(), key=Tensor.nelement).dtype
            network = family.build(weights).to(dtype=dtype or own, memory_format=torch.channels_last)
            return network.eval().requires_grad_(False)
    raise WeightsError(
        f"{weights.name} is no network for frames in between that is known here: {_what(weights.tensors)}; "
        f"known are {', '.join(family.name for family in FAMILIES)}"
    )


def _what(tensors: Mapping[str, Tensor]) -> str:
    if FILM in tensors:
        return "it is FILM, which ComfyUI's own node Load Frame Interpolation Model loads"
    return (
        f"it has {len(tensors)} tensors, first {', '.join(sorted(tensors)[:3])}" if tensors else "it is empty"
    )
