"""Key layouts in which LTX-Video VAE weights are found, all turned into the published one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

PARTS = {"encoder": ("resnets", "downsamplers", "conv_out"), "decoder": ("conv_in", "upsamplers", "resnets")}
"""What a block of diffusers' holds, in the order in which it runs; the published layout counts each part."""
RENAMED = {
    "latents_mean": "per_channel_statistics.mean-of-means",
    "latents_std": "per_channel_statistics.std-of-means",
    "decoder.time_embedder": "decoder.last_time_embedder",
    "decoder.scale_shift_table": "decoder.last_scale_shift_table",
}
UNUSED = re.compile(r"per_channel_statistics\.(?!(?:mean|std)-of-means$)")
"""Statistics that the published files carry and nothing reads."""


def is_known(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are a LTX-Video VAE's, in any of the layouts."""
    return "decoder.up_blocks.0.res_blocks.0.conv1.conv.weight" in weights or is_diffusers(weights)


def is_diffusers(weights: Mapping[str, Tensor]) -> bool:
    """Whether the keys are those of diffusers' `AutoencoderKLLTXVideo`."""
    return "latents_mean" in weights and "decoder.mid_block.resnets.0.conv1.conv.weight" in weights


def decoder_padding(weights: Mapping[str, Tensor]) -> str:
    """How the code that a layout belongs to pads the decoder's edges where nothing tells."""
    return "zeros" if is_diffusers(weights) else "reflect"


def to_published(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename diffusers' keys to the published layout; drop statistics that nothing reads."""
    if not is_diffusers(weights):
        return {key: tensor for key, tensor in weights.items() if not UNUSED.match(key)}
    positions = {**_positions(weights, "encoder"), **_positions(weights, "decoder")}
    return {_published(key, positions): tensor for key, tensor in weights.items()}


def _positions(weights: Mapping[str, Tensor], side: str) -> dict[str, str]:
    """Each part of the blocks of a side, e.g. "decoder.up_blocks.1.upsamplers" → "decoder.up_blocks.3"."""
    blocks = f"{side}.{'down' if side == 'encoder' else 'up'}_blocks"
    count = len({key.split(".")[2] for key in weights if key.startswith(blocks + ".")})
    parts = [f"{blocks}.{block}.{part}" for block in range(count) for part in PARTS[side]]
    middle = [f"{side}.mid_block.resnets"]
    in_order = [*parts, *middle] if side == "encoder" else [*middle, *parts]
    present = [part for part in in_order if any(key.startswith(part + ".") for key in weights)]
    return {part: f"{blocks}.{index}" for index, part in enumerate(present)}


def _published(key: str, positions: Mapping[str, str]) -> str:
    for name, published in RENAMED.items():
        if key == name or key.startswith(name + "."):
            return published + key[len(name) :]
    found = re.match(r"(\w+\.(?:mid_block|\w+_blocks\.\d+))\.(\w+)\.(.+)", key)
    if found is None:
        return key
    owner, part, rest = found.groups()
    if part == "time_embedder":
        return f"{positions[f'{owner}.resnets']}.{part}.{rest}"
    if part == "resnets":
        rest = f"res_blocks.{rest}"
    elif part in ("downsamplers", "upsamplers"):
        rest = rest.removeprefix("0.")
    rest = rest.replace("conv_shortcut.conv.", "conv_shortcut.").replace("norm3.", "norm3.norm.")
    return f"{positions[f'{owner}.{part}']}.{rest}"
