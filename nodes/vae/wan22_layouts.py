"""Key layouts in which Wan 2.2 VAE weights are found, all turned into the published one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from . import wan21_layouts
from .wan21_layouts import published_layer

LEVELS = {"encoder.down_blocks": "downsamples", "decoder.up_blocks": "upsamples"}


def is_known(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are a Wan 2.2 VAE's, in any of the layouts."""
    return "decoder.upsamples.0.upsamples.0.residual.2.weight" in weights or is_diffusers(weights)


def is_diffusers(weights: Mapping[str, Tensor]) -> bool:
    """Whether the keys are those of diffusers' `AutoencoderKLWan(is_residual=True)`."""
    return wan21_layouts.is_diffusers(weights) and any(".upsampler." in key for key in weights)


def to_published(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename diffusers' keys to the published layout; other layouts come back unchanged."""
    if not is_diffusers(weights):
        return dict(weights)
    blocks = {
        side: len({key.split(".")[4] for key in weights if key.startswith(f"{side}.0.resnets.")})
        for side in LEVELS
    }
    return {_published(key, blocks): tensor for key, tensor in weights.items()}


def _published(key: str, blocks: Mapping[str, int]) -> str:
    found = re.match(r"(\w+\.(?:down|up)_blocks)\.(\d+)\.(?:resnets\.(\d+)|(?:down|up)sampler)\.(.+)", key)
    if found is None:
        return wan21_layouts.published_key(key)
    side, level, block, layer = found.groups()
    layers = LEVELS[side]
    position = blocks[side] if block is None else block
    return f"{side.split('.')[0]}.{layers}.{level}.{layers}.{position}.{published_layer(layer)}"
