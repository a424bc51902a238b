"""A VFIMamba out of weights, its sizes told by their shapes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

import torch
from torch import Tensor

from ..vae.weights_file import Weights, WeightsError, misfit
from .vfimamba import Sizes, VFIMamba
from .vfimamba_features import FRAME_STAGES

FIRST = "feature_bone.block0.conv.0.weight"
SCAN = "feature_bone.block3.blocks.0.self_attention.x_proj_weight"
LAYER = re.compile(r"feature_bone\.block(\d)\.(?:conv|blocks)\.(\d+)\.")
MASK = re.compile("attn_mask|HW")
"""What attention once kept for a size of pictures; the published program leaves it out too."""
LEAST_WIDTH = 4
"""With which the gates' narrowest layer has a channel."""


def is_known(tensors: Mapping[str, Tensor]) -> bool:
    """Whether these are the weights of a VFIMamba, of whatever size."""
    published = to_published(tensors)
    first = published[FIRST].shape if {FIRST, SCAN} <= published.keys() else ()
    return len(first) == 4 and first[0] >= LEAST_WIDTH


def to_published(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights without the masks, and without the prefix that training on several GPUs gives to keys."""
    plain = {key.removeprefix("module."): tensor for key, tensor in tensors.items()}
    return {key: tensor for key, tensor in plain.items() if not MASK.search(key)}


def vfimamba(weights: Weights) -> VFIMamba:
    """The network of some weights, in their dtype.

    Raises:
        WeightsError: they are incomplete.
    """
    published = to_published(weights.tensors)
    with torch.device("meta"):
        network = VFIMamba(sizes_of(published))
    if fault := misfit(published, network.state_dict()):
        raise WeightsError(f"{weights.name} is no whole VFIMamba: {fault}; fetch it again")
    network.load_state_dict(published, assign=True)
    return network


def sizes_of(published: Mapping[str, Tensor]) -> Sizes:
    """Width and depths of the network that has these weights."""
    layers: dict[int, set[str]] = defaultdict(set)
    for stage, layer in (found.groups() for found in map(LAYER.match, published) if found):
        layers[int(stage)].add(layer)
    depths = [len(layers[stage]) for stage in range(max(layers) + 1)]
    convolutions = (depth // 2 for depth in depths[:FRAME_STAGES])  # each with an activation's weights
    return Sizes(published[FIRST].shape[0], (*convolutions, *depths[FRAME_STAGES:]))
