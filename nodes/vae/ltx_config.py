"""The sizes of an LTX-Video autoencoder, read off its weights (published key layout) and its metadata.

The versions differ in their blocks: 0.9.0 strides and widens going down; 0.9.1 conditions its decoder on
the last denoising step and injects noise; from 0.9.5 on down-sampling folds pixels into channels. Nearly
all of it shows in the names and shapes of the weights. Only in the metadata ("config", JSON, under "vae")
stand: which axes a strided convolution shrinks, whether an up-sampling has a shortcut, how edges are padded,
whether the decoder is causal. Without metadata these are as in the published files that have none, but for
the decoder's edges: its makers had ComfyUI reflect them in July 2025, for files old and new, and their later
code does the same; diffusers pads with zeros. Each layout keeps to its own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor

from .folding import Factors
from .last_step import LastStep
from .weights_file import WeightsError

Kind = Literal["stack", "single", "stride", "fold", "unfold"]
FACTORS: dict[int, Factors] = {2: (2, 1, 1), 4: (1, 2, 2), 8: (2, 2, 2)}
STRIDES: dict[str, Factors] = {
    "compress_time": (2, 1, 1),
    "compress_space": (1, 2, 2),
    "compress_all": (2, 2, 2),
    "compress_all_x_y": (2, 2, 2),
}
PADDINGS = ("zeros", "reflect", "replicate", "circular")
SUPPORTED = {
    "norm_layer": ("pixel_norm",),
    "latent_log_var": ("uniform",),
    "spatial_padding_mode": PADDINGS,
    "encoder_spatial_padding_mode": PADDINGS,
    "decoder_spatial_padding_mode": PADDINGS,
}
"""Settings in the metadata, and which of their values this network can do."""


@dataclass(frozen=True)
class Block:
    """One entry of the published block lists.

    Attributes:
        kind: "stack" of residual blocks, a "single" one that changes the width, a "stride"d convolution, or
            a convolution with pixels "fold"ed into channels behind it or "unfold"ed out of them.
        layers: residual blocks of a stack.
        factors: how far a stride, fold or unfold changes time, height and width.
        shortcut: whether an unfold copies its input around its convolution.
        conditioned: whether it sees the denoising timestep.
        noisy: whether noise is injected.
    """

    kind: Kind
    channels: int
    out: int
    layers: int = 1
    factors: Factors = (1, 1, 1)
    shortcut: bool = False
    conditioned: bool = False
    noisy: bool = False


@dataclass(frozen=True)
class LTXConfig:
    """Sizes of the network; blocks in the order in which they run."""

    encoder: tuple[Block, ...]
    decoder: tuple[Block, ...]
    latent_channels: int = 128
    patch: int = 4
    conditioned: bool = False
    causal_decoder: bool = False
    encoder_padding: str = "zeros"
    decoder_padding: str = "reflect"
    last_step: LastStep = field(default_factory=LastStep)

    @classmethod
    def of(
        cls,
        weights: Mapping[str, Tensor],
        metadata: Mapping[str, str] | None = None,
        decoder_padding: str = "reflect",
    ) -> LTXConfig:
        """Read the sizes off a checkpoint in the published key layout.

        Args:
            decoder_padding: of the decoder's edges where the metadata do not tell.

        Raises:
            WeightsError: the metadata ask for something that this network has not.
        """
        told = _told(metadata)
        padding = told.get("spatial_padding_mode")
        patch = math.isqrt(weights["encoder.conv_in.conv.weight"].shape[1] // 3)
        encoder = tuple(_blocks(weights, "encoder.down_blocks", told))
        decoder = tuple(_blocks(weights, "decoder.up_blocks", told))
        _check_compression(encoder, "encoder", patch)
        _check_compression(decoder, "decoder", patch)
        return cls(
            encoder=encoder,
            decoder=decoder,
            latent_channels=weights["decoder.conv_in.conv.weight"].shape[1],
            patch=patch,
            conditioned="decoder.timestep_scale_multiplier" in weights,
            causal_decoder=told.get("causal_decoder", False),
            encoder_padding=told.get("encoder_spatial_padding_mode", padding or "zeros"),
            decoder_padding=told.get("decoder_spatial_padding_mode", padding or decoder_padding),
            last_step=LastStep(
                float(told.get("decode_timestep", 0.05)), float(told.get("decode_noise_scale", 0.025))
            ),
        )


def _check_compression(blocks: tuple[Block, ...], side: str, patch: int) -> None:
    """Raise unless a side changes 8 frames of 32 × 32 pixels into one latent cell, or back."""
    time, height, width = (math.prod(block.factors[axis] for block in blocks) for axis in range(3))
    if (time, height * patch, width * patch) != (8, 32, 32):
        raise WeightsError(
            f"a latent cell of this LTX-Video VAE's {side} is {time} frames of {width * patch} × "
            f"{height * patch} pixels; known are 8 of 32 × 32"
        )


def _told(metadata: Mapping[str, str] | None) -> dict[str, Any]:
    """The autoencoder's part of the metadata."""
    try:
        config = json.loads((metadata or {}).get("config", "{}"))
    except (ValueError, RecursionError) as error:
        raise WeightsError("the metadata of this LTX-Video VAE are no JSON; fetch the file again") from error
    told = config.get("vae") if isinstance(config, dict) else None
    told = told if isinstance(told, dict) else {}
    for key, known in SUPPORTED.items():
        if key in told and told[key] not in known:
            raise WeightsError(f"this LTX-Video VAE has {key} {told[key]!r}; known: {', '.join(known)}")
    return told


def _blocks(weights: Mapping[str, Tensor], side: str, told: Mapping[str, Any]) -> Iterator[Block]:
    """The blocks of one side, e.g. of "encoder.down_blocks"."""
    listed = _listed(told.get(f"{side.split('.')[0]}_blocks", told.get("blocks", [])))
    if side.startswith("decoder"):
        listed = listed[::-1]
    indices = {key.split(".")[2] for key in weights if key.startswith(side + ".")}
    for index in range(len(indices)):
        name, options = listed[index] if index < len(listed) else ("", {})
        yield _block(weights, f"{side}.{index}", name, options)


def _listed(blocks: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """The metadata's blocks: each one's name and options (a bare number counts its layers, which we know)."""
    if not isinstance(blocks, list) or not all(
        isinstance(block, list) and len(block) == 2 for block in blocks
    ):
        raise WeightsError("the metadata of this LTX-Video VAE list its blocks in an unknown way")
    return [(str(name), options if isinstance(options, dict) else {}) for name, options in blocks]


def _block(weights: Mapping[str, Tensor], prefix: str, name: str, options: Mapping[str, Any]) -> Block:
    """One block, from its weights and its entry in the metadata ("" and nothing where there is none)."""
    stack, single = f"{prefix}.res_blocks.0.conv1.conv.weight", f"{prefix}.conv1.conv.weight"
    if stack in weights:
        return Block(
            "stack",
            channels=weights[stack].shape[1],
            out=weights[stack].shape[0],
            layers=len({key.split(".")[4] for key in weights if key.startswith(f"{prefix}.res_blocks.")}),
            conditioned=f"{prefix}.time_embedder.timestep_embedder.linear_1.weight" in weights,
            noisy=f"{prefix}.res_blocks.0.per_channel_scale1" in weights,
        )
    if single in weights:
        noisy = f"{prefix}.per_channel_scale1" in weights
        return Block("single", weights[single].shape[1], weights[single].shape[0], noisy=noisy)
    if f"{prefix}.conv.weight" in weights:
        out, channels = weights[f"{prefix}.conv.weight"].shape[:2]
        return Block("stride", channels, out, factors=STRIDES.get(name, (2, 2, 2)))
    made, channels = weights[f"{prefix}.conv.conv.weight"].shape[:2]
    out = _entering(weights, prefix)
    if prefix.startswith("encoder"):
        return Block("fold", channels, out, factors=_factors(out / made, prefix))
    factors = _factors(made / out, prefix)
    shortcut = options.get("residual", factors == (2, 2, 2) and out < channels)
    return Block("unfold", channels, out, factors=factors, shortcut=shortcut)


def _factors(cells: float, prefix: str) -> Factors:
    if cells not in FACTORS:
        raise WeightsError(f"{prefix} of this LTX-Video VAE folds {cells:g} pixels; known are 2, 4 and 8")
    return FACTORS[cells]


def _entering(weights: Mapping[str, Tensor], prefix: str) -> int:
    """Channels that enter what comes after a block."""
    side, blocks, index = prefix.split(".")
    following = f"{side}.{blocks}.{int(index) + 1}."
    for layer in ("res_blocks.0.conv1.conv", "conv1.conv", "conv.conv", "conv"):
        if (key := f"{following}{layer}.weight") in weights:
            return weights[key].shape[1]
    return weights[f"{side}.conv_out.conv.weight"].shape[1]
