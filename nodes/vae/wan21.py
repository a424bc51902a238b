"""The video autoencoder of Wan 2.1 (Wan Team 2025): 4× in time, 8×8 in space, 16 latent channels.

The first frame becomes one latent frame, every four after it another: T frames (T = 4n+1) ↔ n+1. Key names
are the published checkpoint's. Widths are read off the weights with `Wan21Config.of`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from ...kernels.upsample_conv.dispatch import upsample_conv2d
from .causal import (
    FrameAttention,
    ResidualBlock,
    RMSNorm,
    Tape,
    causal,
    causal_conv3d,
    convolve,
    normed,
    per_frame,
    takes_fast_path,
    with_past,
)
from .latents import LatentFacts
from .wan import WanVAE

LATENT_MEAN = (
    -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508,
    0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921,
)  # fmt: skip
LATENT_STD = (
    2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743,
    3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160,
)  # fmt: skip
LATENTS = LatentFacts("Wan 2.1", 16, space=8, time=4, mean=LATENT_MEAN, deviation=LATENT_STD)


@dataclass(frozen=True)
class Wan21Config:
    """Sizes of the network: `width` channels at full resolution, times `multipliers` going down."""

    width: int = 96
    latent_channels: int = 16
    multipliers: tuple[int, ...] = (1, 2, 4, 4)
    blocks: int = 2
    halves_time: tuple[bool, ...] = (False, True, True)

    @classmethod
    def of(cls, weights: Mapping[str, Tensor]) -> Wan21Config:
        """Read the sizes off a checkpoint in the published key layout."""
        return cls(
            width=weights["decoder.head.0.gamma"].shape[0], latent_channels=weights["conv2.weight"].shape[0]
        )


class Downsample(nn.Module):
    """Halve height and width, and time too where `time` is set: out[0] = in[0], then every two frames."""

    def __init__(self, channels: int, time: bool, operations: Any) -> None:
        super().__init__()
        self.resample = nn.Sequential(
            nn.ZeroPad2d((0, 1, 0, 1)), operations.Conv2d(channels, channels, 3, stride=2)
        )
        self.time_conv = operations.Conv3d(channels, channels, (3, 1, 1), stride=(2, 1, 1)) if time else None

    def _reduced(self, pictures: Tensor) -> Tensor:
        """[N,C,H,W] → [N,C,H/2,W/2]."""
        pad, conv = self.resample
        return convolve(conv, pad(pictures))

    def forward(self, x: Tensor, tape: Tape) -> Tensor:
        x = per_frame(self._reduced, x)
        if self.time_conv is None:
            return x
        if tape.first:
            first, rest = x[:, :, :1], x
        else:
            first, rest = x[:, :, :0], torch.cat([tape.recall(), x], dim=2)
        tape.remember(x[:, :, -1:])
        return torch.cat([first, convolve(self.time_conv, rest)], dim=2) if rest.shape[2] >= 3 else first


class Upsample(nn.Module):
    """Double height and width, and time too where `time` is set, but for the film's first frame."""

    def __init__(self, channels: int, out: int, time: bool, operations: Any) -> None:
        super().__init__()
        self.resample = nn.Sequential(
            nn.Upsample(scale_factor=2.0, mode="nearest-exact"),
            operations.Conv2d(channels, out, 3, padding=1),
        )
        self.time_conv = causal_conv3d(operations, channels, channels * 2, (3, 1, 1)) if time else None

    def forward(self, x: Tensor, tape: Tape) -> Tensor:
        if self.time_conv is not None:
            x = self._doubled(x, tape)
        return per_frame(self._enlarged, x)

    def _enlarged(self, pictures: Tensor) -> Tensor:
        """[N,C,H,W] → [N,C',2H,2W]."""
        conv = self.resample[1]
        if takes_fast_path(conv, pictures):
            return upsample_conv2d(pictures, conv.weight, conv.bias)
        return self.resample(pictures)

    def _doubled(self, x: Tensor, tape: Tape) -> Tensor:
        """[B,C,T,H,W] → [B,C,2T,H,W]; the film's first frame stays single and is unseen by the rest."""
        first, rest = (x[:, :, :1], x[:, :, 1:]) if tape.first else (x[:, :, :0], x)
        seen = with_past(rest, 2, tape)
        if not rest.shape[2]:
            return first
        pairs = convolve(self.time_conv, seen)  # [B, 2C, T, H, W]
        pairs = pairs.unflatten(1, (2, -1)).permute(0, 2, 3, 1, 4, 5).flatten(2, 3)  # [B, C, 2T, H, W]
        return torch.cat([first, pairs], dim=2)


class Encoder(nn.Module):
    """Pixels [B,3,T,H,W] → mean and log variance [B,2Z,T/4,H/8,W/8]."""

    def __init__(self, config: Wan21Config, operations: Any) -> None:
        super().__init__()
        widths = [config.width * m for m in (1, *config.multipliers)]
        self.conv1 = causal_conv3d(operations, 3, widths[0], (3, 3, 3))
        layers: list[nn.Module] = []
        for level, (channels, out) in enumerate(pairwise(widths)):
            layers.append(ResidualBlock(channels, out, operations))
            layers += [ResidualBlock(out, out, operations) for _ in range(config.blocks - 1)]
            if level < len(config.halves_time):
                layers.append(Downsample(out, config.halves_time[level], operations))
        self.downsamples = nn.Sequential(*layers)
        self.middle = middle(out, operations)
        self.head = head(out, config.latent_channels * 2, operations)

    def forward(self, x: Tensor, tape: Tape) -> Tensor:
        x = causal(self.conv1, x, tape)
        for layer in self.downsamples:
            x = layer(x, tape)
        return run_head(self.head, run_middle(self.middle, x, tape), tape)


class Decoder(nn.Module):
    """Latents [B,Z,T,H,W] → pixels [B,3,4T,8H,8W] (4T−3 frames at the start of a film)."""

    def __init__(self, config: Wan21Config, operations: Any) -> None:
        super().__init__()
        multipliers = config.multipliers[::-1]
        widths = [config.width * m for m in (multipliers[0], *multipliers)]
        doubles_time = config.halves_time[::-1]
        self.conv1 = causal_conv3d(operations, config.latent_channels, widths[0], (3, 3, 3))
        self.middle = middle(widths[0], operations)
        layers: list[nn.Module] = []
        for level, (channels, out) in enumerate(pairwise(widths)):
            start = channels if level == 0 else channels // 2  # the up-sampling before it halved them
            layers.append(ResidualBlock(start, out, operations))
            layers += [ResidualBlock(out, out, operations) for _ in range(config.blocks)]
            if level < len(doubles_time):
                layers.append(Upsample(out, out // 2, doubles_time[level], operations))
        self.upsamples = nn.Sequential(*layers)
        self.head = head(out, 3, operations)

    def forward(self, z: Tensor, tape: Tape) -> Tensor:
        x = run_middle(self.middle, causal(self.conv1, z, tape), tape)
        for layer in self.upsamples:
            x = layer(x, tape)
        return run_head(self.head, x, tape)


def middle(channels: int, operations: Any) -> nn.Sequential:
    """The layers at the lowest resolution."""
    return nn.Sequential(
        ResidualBlock(channels, channels, operations),
        FrameAttention(channels, operations),
        ResidualBlock(channels, channels, operations),
    )


def run_middle(layers: nn.Sequential, x: Tensor, tape: Tape) -> Tensor:
    before, attention, after = layers
    return after(attention(before(x, tape)), tape)


def head(channels: int, out: int, operations: Any) -> nn.Sequential:
    """The last norm and convolution."""
    return nn.Sequential(RMSNorm(channels, 3), nn.SiLU(), causal_conv3d(operations, channels, out, (3, 3, 3)))


def run_head(layers: nn.Sequential, x: Tensor, tape: Tape) -> Tensor:
    norm, silu, conv = layers
    return normed(norm, silu, conv, x, tape)


class Wan21VAE(WanVAE):
    """The whole autoencoder."""

    facts = LATENTS

    def __init__(self, config: Wan21Config, operations: Any = nn) -> None:
        super().__init__(config, Encoder(config, operations), Decoder(config, operations), operations)
