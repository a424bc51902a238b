"""A RIFE 4.x out of weights: its version told by their shapes, checked before the network is filled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

import torch
from torch import Tensor

from ..vae.weights_file import Weights, WeightsError, misfit
from .rife import Rife
from .rife_config import RifeConfig
from .rife_layouts import folded, is_known, to_published

__all__ = ["is_known", "rife"]

FLOATS = {torch.float16, torch.bfloat16, torch.float32, torch.float64}


def rife(weights: Weights) -> Rife:
    """The network of some weights, in float32: folding in half precision would move it off the published one.

    Raises:
        WeightsError: they are older than 4.0, incomplete, or no floating-point numbers.
    """
    published = to_published(weights.tensors)
    try:
        config = RifeConfig.of(published)
        _check(weights.name, published, config)
        made = folded(published, config)
    except (LookupError, ArithmeticError, RuntimeError, TypeError) as fault:  # keys or shapes of no RIFE
        _refuse(weights.name, f"it is incomplete or laid out in an unknown way ({fault})")
    with torch.device("meta"):
        network = Rife(config)
    if fault := misfit(made, network.state_dict()):
        _refuse(weights.name, fault)
    network.load_state_dict(made, assign=True)
    return network


def _check(name: str, published: Mapping[str, Tensor], config: RifeConfig) -> None:
    """Raise for other numbers than floats, and where blocks see other things than pictures, time, features
    and state."""
    for kind in {tensor.dtype for tensor in published.values()} - FLOATS:
        _refuse(name, f"it has weights in {str(kind).removeprefix('torch.')}")
    seen = [published[f"block{index}.conv0.0.0.weight"].shape[1] for index in (0, 1)]
    if seen[0] != config.first_channels or min(config.features, config.state) < 0:
        _refuse(name, f"its first blocks see {seen[0]} and {seen[1]} channels, as before version 4.0")
    if config.features and not config.head:
        _refuse(name, f"its first block sees {seen[0]} channels, but there is no head that makes features")


def _refuse(name: str, why: str) -> NoReturn:
    raise WeightsError(
        f"{name} is no RIFE that can be loaded: {why}; needed is one of version 4.0 to 4.26, such as "
        "`kinograph models get rife-4.14` fetches"
    )
