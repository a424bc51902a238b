"""Which way norm, SiLU and causal convolution are computed here, and why."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..fast_cpu import refusal
from . import naive, strips, taps
from .winograd import FRAMES, transformed_size

LEAST_CHANNELS = 48
"""Below, Winograd's transforms take longer than the products they save."""

WEIGHT_SHARE = 1.0
"""Transformed weights may take this many times the memory of the frames they work on: small tiles then take
little memory, and reading the weights does not cost what the products save."""


@dataclass(frozen=True)
class Choice:
    """A way to compute, `naive`, `taps`, `strips` or `winograd`, and the reason for it.

    tile_frames: frames that Winograd's convolution takes at a time.
    """

    path: str
    reason: str
    tile_frames: int | None = None


def choose(x: Tensor, weight: Tensor) -> Choice:
    """The fastest way for x [B,C,T,H,W] and weight [O,C,3,3,3] that the device, dtype and shapes allow."""
    if reason := refusal(x, weight):
        return Choice("naive", reason)
    channels, frames, height, width = x.shape[1:]
    if 6 * weight.shape[0] <= channels:
        return Choice(
            "taps", f"{weight.shape[0]} outputs of each time tap are less to keep than {channels} channels"
        )
    if x.dtype != torch.float32:
        return Choice("strips", f"{x.dtype} is too coarse for Winograd's sums")
    if min(channels, weight.shape[0]) < LEAST_CHANNELS:
        return Choice(
            "strips", f"{channels} → {weight.shape[0]} channels are too few for Winograd's convolution"
        )
    tile = next((tile for tile in FRAMES if frames % tile == 0), None)
    if tile is None:
        return Choice("strips", f"{frames} frames are no whole tiles of two")
    if transformed_size(weight, tile) > WEIGHT_SHARE * channels * frames * height * width:
        return Choice("strips", f"the transformed weights are too large for {height}×{width} pixels")
    return Choice("winograd", f"a quarter to a third of the products, {tile} frames at a time", tile)


def norm_silu_conv3d(
    x: Tensor,
    past: Tensor | None,
    gain: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    *,
    residual: Tensor | None = None,
    overwrite: bool = False,
) -> tuple[Tensor, Tensor]:
    """Causal 3×3×3 convolution of SiLU(RMS norm of x), plus `residual`, the way `choose` says.

    Args:
        x: [B,C,T,H,W]; its memory may take the result where `overwrite` is set.
        past: as the call before returned it, None at the start of the film; its memory may take the next one.
        gain: [C,1,1,1]. weight: [O,C,3,3,3]. bias: [O]. residual: [B,O,T,H,W].

    Returns:
        [B,O,T,H,W] and the past of the next call.
    """
    choice = choose(x, weight)
    if choice.path == "naive":
        made, kept = naive.norm_silu_conv3d(x, past, gain, weight, bias)
        return made if residual is None else residual + made, kept.clone()
    if choice.path == "taps":
        made, kept = taps.norm_silu_conv3d(x, past, gain, weight, bias)
        return made if residual is None else residual + made, kept
    return strips.norm_silu_conv3d(
        x,
        past,
        gain,
        weight,
        bias,
        residual=residual,
        overwrite=overwrite,
        tile_frames=choice.tile_frames,
    )
