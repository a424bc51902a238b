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


def rife(weights: Weights) -> Rife:
    """The network of some weights, in their dtype.

    Raises:
        WeightsError: they are older than 4.0, or incomplete.
    """
    published = to_published(weights.tensors)
    try:
        config = RifeConfig.of(published)
    except (LookupError, ValueError, ZeroDivisionError) as fault:  # from keys or shapes that no RIFE has
        _refuse(weights.name, f"it is incomplete or laid out in an unknown way ({fault})")
    _check(weights.name, published, config)
    with torch.device("meta"):
        network = Rife(config)
    made = folded(published, config)
    if fault := misfit(made, network.state_dict()):
        _refuse(weights.name, fault)
    network.load_state_dict(made, assign=True)
    return network.to(published["block0.conv0.0.0.weight"].dtype)


def _check(name: str, published: Mapping[str, Tensor], config: RifeConfig) -> None:
    """Raise where the first block sees other things than pictures, time and features."""
    seen = published["block0.conv0.0.0.weight"].shape[1]
    if "encode" not in {key.split(".")[0] for key in published} and config.features:
        _refuse(name, f"its first block sees {seen} channels but there is no head that makes features")
    if seen != config.first_channels or config.features < 0 or config.state < 0:
        _refuse(
            name,
            f"its first block sees {seen} channels and the second "
            f"{published['block1.conv0.0.0.weight'].shape[1]}, as before version 4.0",
        )


def _refuse(name: str, why: str) -> NoReturn:
    raise WeightsError(
        f"{name} is no RIFE that can be loaded: {why}; needed is one of version 4.0 to 4.26, such as "
        "`kinograph models get rife-4.14` fetches"
    )
