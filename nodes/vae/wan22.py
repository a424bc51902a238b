"""The video autoencoder of Wan 2.2's 5B model (Wan Team 2025): 4× in time, 16×16 in space, 48 channels.

As in Wan 2.1, the first frame becomes one latent frame, every four after it another. New are squares of 2×2
pixels folded into channels at both ends, and a shortcut around each level: averages going down, copies going
up. Key names are the published checkpoint's. Widths are read off the weights with `Wan22Config.of`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from .causal import ResidualBlock, Tape, causal, causal_conv3d
from .folding import Factors, fold, unfold
from .latents import LatentFacts
from .wan import WanVAE
from .wan21 import Downsample, Upsample, head, middle, run_head, run_middle

LATENT_MEAN = (
    -0.2289, -0.0052, -0.1323, -0.2339, -0.2799, 0.0174, 0.1838, 0.1557,
    -0.1382, 0.0542, 0.2813, 0.0891, 0.1570, -0.0098, 0.0375, -0.1825,
    -0.2246, -0.1207, -0.0698, 0.5109, 0.2665, -0.2108, -0.2158, 0.2502,
    -0.2055, -0.0322, 0.1109, 0.1567, -0.0729, 0.0899, -0.2799, -0.1230,
    -0.0313, -0.1649, 0.0117, 0.0723, -0.2839, -0.2083, -0.0520, 0.3748,
    0.0152, 0.1957, 0.1433, -0.2944, 0.3573, -0.0548, -0.1681, -0.0667,
)  # fmt: skip
LATENT_STD = (
    0.4765, 1.0364, 0.4514, 1.1677, 0.5313, 0.4990, 0.4818, 0.5013,
    0.8158, 1.0344, 0.5894, 1.0901, 0.6885, 0.6165, 0.8454, 0.4978,
    0.5759, 0.3523, 0.7135, 0.6804, 0.5833, 1.4146, 0.8986, 0.5659,
    0.7069, 0.5338, 0.4889, 0.4917, 0.4069, 0.4999, 0.6866, 0.4093,
    0.5709, 0.6065, 0.6415, 0.4944, 0.5726, 1.2042, 0.5458, 1.6887,
    0.3971, 1.0600, 0.3943, 0.5537, 0.5444, 0.4089, 0.7468, 0.7744,
)  # fmt: skip
LATENTS = LatentFacts("Wan 2.2", 48, space=16, time=4, mean=LATENT_MEAN, deviation=LATENT_STD)

PATCH = 2
"""Pixels per side of the squares that are folded into channels."""


@dataclass(frozen=True)
class Wan22Config:
    """Sizes of the network: the widths at full resolution, times `multipliers` going down."""

    encoder_width: int = 160
    decoder_width: int = 256
    latent_channels: int = 48
    multipliers: tuple[int, ...] = (1, 2, 4, 4)
    blocks: int = 2
    halves_time: tuple[bool, ...] = (False, True, True)

    @classmethod
    def of(cls, weights: Mapping[str, Tensor]) -> Wan22Config:
        """Read the sizes off a checkpoint in the published key layout."""
        return cls(
            encoder_width=weights["encoder.conv1.weight"].shape[0],
            decoder_width=weights["decoder.head.0.gamma"].shape[0],
            latent_channels=weights["conv2.weight"].shape[0],
        )

    def level_factors(self, level: int) -> Factors:
        """How far an encoder's level shrinks time, height and width; the last one keeps them."""
        if level == len(self.halves_time):
            return 1, 1, 1
        return 2 if self.halves_time[level] else 1, 2, 2


def averaged(x: Tensor, out: int, factors: Factors, tape: Tape) -> Tensor:
    """Shrink by `factors`, averaging what folds together down to `out` channels.

    The film's first frame pairs with an empty one before it.
    """
    if tape.first and factors[0] > 1:
        x = F.pad(x, (0, 0, 0, 0, factors[0] - 1, 0))
    return fold(x, factors).unflatten(1, (out, -1)).mean(dim=2)


def repeated(x: Tensor, out: int, factors: Factors, tape: Tape) -> Tensor:
    """Grow by `factors` to `out` channels by copying; the film's first frame stays single."""
    t, h, w = factors
    grown = unfold(x.repeat_interleave(out * t * h * w // x.shape[1], dim=1), factors)
    return grown[:, :, t - 1 :] if tape.first else grown


class DownLevel(nn.Module):
    """Residual blocks and a down-sampling (but for the last level), with averages around them."""

    def __init__(self, channels: int, out: int, blocks: int, factors: Factors, operations: Any) -> None:
        super().__init__()
        self.out, self.factors = out, factors
        layers: list[nn.Module] = [ResidualBlock(channels, out, operations)]
        layers += [ResidualBlock(out, out, operations) for _ in range(blocks - 1)]
        if factors != (1, 1, 1):
            layers.append(Downsample(out, factors[0] > 1, operations))
        self.downsamples = nn.Sequential(*layers)

    def forward(self, x: Tensor, tape: Tape) -> Tensor:
        shortcut = averaged(x, self.out, self.factors, tape)
        for layer in self.downsamples:
            x = layer(x, tape)
        return x + shortcut


class UpLevel(nn.Module):
    """Residual blocks and an up-sampling with copies around them; the last level has the blocks only."""

    def __init__(self, channels: int, out: int, blocks: int, factors: Factors, operations: Any) -> None:
        super().__init__()
        self.out, self.factors = out, factors
        layers: list[nn.Module] = [ResidualBlock(channels, out, operations)]
        layers += [ResidualBlock(out, out, operations) for _ in range(blocks - 1)]
        if factors != (1, 1, 1):
            layers.append(Upsample(out, out, factors[0] > 1, operations))
        self.upsamples = nn.Sequential(*layers)

    def forward(self, x: Tensor, tape: Tape) -> Tensor:
        entered = x
        for layer in self.upsamples:
            x = layer(x, tape)
        return x if self.factors == (1, 1, 1) else x + repeated(entered, self.out, self.factors, tape)


class Encoder(nn.Module):
    """Folded pixels [B,12,T,H/2,W/2] → mean and log variance [B,2Z,T/4,H/16,W/16]."""

    def __init__(self, config: Wan22Config, operations: Any) -> None:
        super().__init__()
        widths = [config.encoder_width * m for m in (1, *config.multipliers)]
        self.conv1 = causal_conv3d(operations, 3 * PATCH**2, widths[0], (3, 3, 3))
        self.downsamples = nn.Sequential(
            *(
                DownLevel(channels, out, config.blocks, config.level_factors(level), operations)
                for level, (channels, out) in enumerate(pairwise(widths))
            )
        )
        self.middle = middle(widths[-1], operations)
        self.head = head(widths[-1], config.latent_channels * 2, operations)

    def forward(self, x: Tensor, tape: Tape) -> Tensor:
        x = causal(self.conv1, x, tape)
        for level in self.downsamples:
            x = level(x, tape)
        return run_head(self.head, run_middle(self.middle, x, tape), tape)


class Decoder(nn.Module):
    """Latents [B,Z,T,H,W] → folded pixels [B,12,4T,8H,8W] (4T−3 frames at the start of a film)."""

    def __init__(self, config: Wan22Config, operations: Any) -> None:
        super().__init__()
        multipliers = config.multipliers[::-1]
        widths = [config.decoder_width * m for m in (multipliers[0], *multipliers)]
        self.conv1 = causal_conv3d(operations, config.latent_channels, widths[0], (3, 3, 3))
        self.middle = middle(widths[0], operations)
        factors = [config.level_factors(level) for level in range(len(config.halves_time))][::-1]
        self.upsamples = nn.Sequential(
            *(
                UpLevel(channels, out, config.blocks + 1, level_factors, operations)
                for (channels, out), level_factors in zip(
                    pairwise(widths), [*factors, (1, 1, 1)], strict=True
                )
            )
        )
        self.head = head(widths[-1], 3 * PATCH**2, operations)

    def forward(self, z: Tensor, tape: Tape) -> Tensor:
        x = run_middle(self.middle, causal(self.conv1, z, tape), tape)
        for level in self.upsamples:
            x = level(x, tape)
        return run_head(self.head, x, tape)


class Wan22VAE(WanVAE):
    """The whole autoencoder."""

    facts = LATENTS
    patch = PATCH

    def __init__(self, config: Wan22Config, operations: Any = nn) -> None:
        super().__init__(config, Encoder(config, operations), Decoder(config, operations), operations)
