"""RIFE's weights in the layouts that people have, and in the one of our network.

Published are `block0.conv0.0.0.weight` …, often behind "module." or "flownet."; ComfyUI has `blocks.0.`. What
only training needs (a teacher, a refining network that was dropped after 4.0) is left out.

Our network has no scales (`beta`) and sums of its own: relu(conv(x) · beta + x) is relu(conv'(x)) where conv'
has scaled weights, and 1 more at its centre from each channel to itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from .rife_config import RifeConfig

PREFIXES = re.compile(r"^(module\.|flownet\.)+")
PARTS = re.compile(r"^(block\d+|encode)\.")
ROW = re.compile(r"^encode\.([0246])\.")


def to_published(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights under the published keys, without what only training needs."""
    plain = {PREFIXES.sub("", key): tensor for key, tensor in tensors.items()}
    named = {re.sub(r"^blocks\.(\d+)\.", r"block\1.", key): tensor for key, tensor in plain.items()}
    if "encode.6.weight" in named:  # what from 4.13 on has names stood in a row before
        named = {ROW.sub(_in_row, key): tensor for key, tensor in named.items()}
    return {key: tensor for key, tensor in named.items() if PARTS.match(key)}


def _in_row(place: re.Match[str]) -> str:
    return f"encode.cnn{int(place[1]) // 2}."


def is_known(tensors: Mapping[str, Tensor]) -> bool:
    """Whether these are the weights of a RIFE, of whatever version."""
    return {"block0.conv0.0.0.weight", "block1.conv0.0.0.weight"} <= to_published(tensors).keys()


def folded(published: Mapping[str, Tensor], config: RifeConfig) -> dict[str, Tensor]:
    """Published weights as our network has them, in float32.

    Raises:
        KeyError, RuntimeError: a convolution that adds to what it sees lacks its scales, or some of them.
    """
    made = {_our_key(key): tensor.float() for key, tensor in published.items() if not key.endswith(".beta")}
    for key, tensor in published.items():
        if key.endswith(".conv.weight"):
            beta = published[key.replace(".conv.weight", ".beta")].float().reshape(len(tensor))
            _fold(made, _our_key(key.removesuffix(".weight")), beta, config.groups)
    outputs = (5 + config.state) * (4 if config.shuffles else 1)
    for key in [key for key in made if ".lastconv." in key]:  # 4.6 to 4.20 make a channel that nothing reads
        made[key] = made[key][:, :outputs] if key.endswith("weight") else made[key][:outputs]
    return made


def _fold(weights: dict[str, Tensor], place: str, beta: Tensor, groups: int) -> None:
    weight = weights[f"{place}.weight"] * beta[:, None, None, None]
    channel = torch.arange(len(weight))
    weight[channel, channel % (len(weight) // groups), 1, 1] += 1
    weights[f"{place}.weight"] = weight
    weights[f"{place}.bias"] = weights[f"{place}.bias"] * beta


def _our_key(key: str) -> str:
    key = re.sub(r"(convblock\.\d+)\.conv\b", r"\1.0", key)
    key = re.sub(r"lastconv\.0\.", "lastconv.", key)
    return re.sub(r"encode\.cnn([0-2])", r"encode.\1.0", key).replace("encode.cnn3", "encode.3")


def unfolded(
    weights: Mapping[str, Tensor], like: Mapping[str, Tensor], config: RifeConfig
) -> dict[str, Tensor]:
    """Our network's weights under published keys, in float32, with scales of 1: `folded` the other way.

    Args:
        like: published weights of the same version; what nothing reads is taken from there.
    """
    made = {}
    for key, tensor in like.items():
        if key.endswith(".beta"):
            made[key] = torch.ones_like(tensor, dtype=torch.float32)
            continue
        value = weights[_our_key(key)].to(torch.float32, copy=True)
        if config.residual and re.search(r"\.convblock\.\d+\.conv\.weight$", key):
            channel = torch.arange(len(value))
            value[channel, channel % (len(value) // config.groups), 1, 1] -= 1
        if ".lastconv." in key:
            outputs = 1 if key.endswith("weight") else 0
            unread = tensor.narrow(
                outputs, value.shape[outputs], tensor.shape[outputs] - value.shape[outputs]
            )
            value = torch.cat([value, unread.float()], dim=outputs)
        made[key] = value
    return made
