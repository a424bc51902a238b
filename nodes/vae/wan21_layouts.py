"""Key layouts in which Wan 2.1 VAE weights are found, all turned into the published one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

RESNET = {
    "norm1": "residual.0",
    "conv1": "residual.2",
    "norm2": "residual.3",
    "conv2": "residual.6",
    "conv_shortcut": "shortcut",
}
ENDS = {"conv_in": "conv1", "norm_out": "head.0", "conv_out": "head.2"}
MIDDLE = {"resnets.0": "middle.0", "attentions.0": "middle.1", "resnets.1": "middle.2"}


def is_known(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are a Wan 2.1 VAE's, in any of the layouts."""
    return "decoder.middle.0.residual.0.gamma" in weights or is_diffusers(weights)


def is_diffusers(weights: Mapping[str, Tensor]) -> bool:
    """Whether the keys are those of diffusers' `AutoencoderKLWan`."""
    return "post_quant_conv.weight" in weights and "decoder.norm_out.gamma" in weights


def to_published(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename diffusers' keys to the published layout; other layouts come back unchanged."""
    if not is_diffusers(weights):
        return dict(weights)
    per_level = len({key.split(".")[4] for key in weights if ".up_blocks.0.resnets." in key})
    return {_published(key, per_level): tensor for key, tensor in weights.items()}


def _published(key: str, per_level: int) -> str:
    side, _, rest = key.partition(".")
    if found := re.match(r"down_blocks\.(\d+)\.(.+)", rest):
        return f"{side}.downsamples.{found[1]}.{published_layer(found[2])}"
    if found := re.match(r"up_blocks\.(\d)\.(resnets|upsamplers)\.(\d)\.(.+)", rest):
        level, kind, index = int(found[1]), found[2], int(found[3])
        position = level * (per_level + 1) + (index if kind == "resnets" else per_level)
        return f"{side}.upsamples.{position}.{published_layer(found[4])}"
    return published_key(key)


def published_key(key: str) -> str:
    """The published name of what lies outside the levels: the ends, the middle, the outer convolutions."""
    side, _, rest = key.partition(".")
    if side in ("quant_conv", "post_quant_conv"):
        return f"{'conv1' if side == 'quant_conv' else 'conv2'}.{rest}"
    if found := re.match(r"mid_block\.(\w+\.\d)\.(.+)", rest):
        return f"{side}.{MIDDLE[found[1]]}.{published_layer(found[2])}"
    name, _, leaf = rest.partition(".")
    return f"{side}.{ENDS.get(name, name)}.{leaf}"


def published_layer(name: str) -> str:
    """The published name of a layer's part, e.g. "conv1.weight" → "residual.2.weight"."""
    first, dot, leaf = name.partition(".")
    return f"{RESNET.get(first, first)}{dot}{leaf}"
