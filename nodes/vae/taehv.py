"""TAEHV, tiny video autoencoders (Boer Bohan 2025): fast decoding and previews of other networks' latents.

One file each for Wan 2.1 (taew2_1), Wan 2.2 (taew2_2), Hunyuan Video (taehv) and others. A layer with a
memory sees one earlier frame. Key names are the published checkpoints'; widths, folds in time and the "super"
decoder are read off the weights with `TaehvConfig.of`.

Layers work on pictures [B·T,C,H,W], or on [B,T,C,H,W] where they look back: B batch, T frames, C channels,
H height, W width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...kernels.upsample_conv.dispatch import upsample_conv2d
from .causal import State, Tape, takes_fast_path
from .folding import fold, unfold
from .latents import LatentFacts
from .look_ahead import refuse_after_end

HUNYUAN_LATENTS = LatentFacts(
    "Hunyuan Video", 16, space=8, time=4, mean=(0.0,) * 16, deviation=(1 / 0.476986,) * 16
)
POOLS = (2, 7, 12)
"""Where the encoder folds time, and three blocks with a memory follow."""
GROWS = (7, 13, 19)
SUPER_GROWS = (7, 14, 21)
"""Where the decoder unfolds time, after three blocks with a memory."""
NO_VARIANCE = -30.0


@dataclass(frozen=True)
class TaehvConfig:
    """Sizes of the network.

    Attributes:
        encoder_width: channels throughout the encoder.
        decoder_widths: channels of the decoder's three levels and behind them.
        pools, grows: how many frames each level folds into one, and unfolds.
        patch: pixels per side of the squares that are folded into channels.
        wide_memory: whether the decoder is a "super" one.
    """

    latent_channels: int = 16
    encoder_width: int = 64
    decoder_widths: tuple[int, int, int, int] = (256, 128, 64, 64)
    pools: tuple[int, int, int] = (2, 2, 1)
    grows: tuple[int, int, int] = (1, 2, 2)
    patch: int = 1
    wide_memory: bool = False

    @classmethod
    def of(cls, weights: Mapping[str, Tensor]) -> TaehvConfig:
        """Read the sizes off a checkpoint in the published key layout."""
        wide = "decoder.0.weight" in weights
        grown = [weights[f"decoder.{at}.conv.weight"].shape for at in (SUPER_GROWS if wide else GROWS)]
        pooled = [weights[f"encoder.{at}.conv.weight"].shape for at in POOLS]
        made, last = weights["decoder.22.weight"].shape[:2]
        if wide:
            widths = (weights["decoder.0.weight"].shape[0], *(shape[1] for shape in grown))
        else:
            widths = (*(shape[1] for shape in grown), last)
        return cls(
            latent_channels=weights["encoder.17.weight"].shape[0],
            encoder_width=weights["encoder.0.weight"].shape[0],
            decoder_widths=widths,
            pools=tuple(shape[1] // shape[0] for shape in pooled),
            grows=tuple(shape[0] // shape[1] for shape in grown),
            patch=math.isqrt(made // 3),
            wide_memory=wide,
        )


def is_known(weights: Mapping[str, Tensor]) -> bool:
    """Whether these are a TAEHV autoencoder's: there is but one key layout."""
    return "decoder.22.weight" in weights and "encoder.17.weight" in weights


class Memory(nn.Module):
    """A layer over pictures and the ones before them: [B,T,C,H,W] → [B,T,C,H,W]."""

    conv: nn.Sequential

    def with_previous(self, x: Tensor, tape: Tape) -> Tensor:
        """Each frame with the frame before it, none at the film's start: [B,T,C,H,W] → [B·T,2C,H,W]."""
        before = torch.zeros_like(x[:, :1]) if tape.first else tape.recall()
        tape.remember(x[:, -1:])
        return torch.cat([x, torch.cat([before, x[:, :-1]], dim=1)], dim=2).flatten(0, 1)


class MemoryBlock(Memory):
    """Three 3×3 convolutions around a skip."""

    def __init__(self, channels: int, operations: Any) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            conv3x3(channels * 2, channels, operations),
            nn.ReLU(inplace=True),
            conv3x3(channels, channels, operations),
            nn.ReLU(inplace=True),
            conv3x3(channels, channels, operations),
        )

    def forward(self, x: Tensor, tape: Tape) -> Tensor:
        return (x + self.conv(self.with_previous(x, tape)).unflatten(0, x.shape[:2])).relu_()


class WideMemoryBlock(Memory):
    """A 7×7 convolution of each channel and a bottleneck turned inside out, around a skip."""

    def __init__(self, channels: int, operations: Any) -> None:
        super().__init__()
        pair = channels * 2
        self.conv = nn.Sequential(
            operations.Conv2d(pair, pair, 7, padding=3, groups=pair, bias=False),
            operations.Conv2d(pair, pair * 2, 1),
            nn.ReLU(inplace=True),
            operations.Conv2d(pair * 2, channels, 1, bias=False),
        )

    def forward(self, x: Tensor, tape: Tape) -> Tensor:
        return x + self.conv(self.with_previous(x, tape)).unflatten(0, x.shape[:2])


class FoldTime(nn.Module):
    """Fold every `frames` pictures into one: [N·frames,C,H,W] → [N,C,H,W]."""

    def __init__(self, channels: int, frames: int, operations: Any) -> None:
        super().__init__()
        self.frames = frames
        self.conv = operations.Conv2d(channels * frames, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x.unflatten(0, (-1, self.frames)).flatten(1, 2))


class UnfoldTime(nn.Module):
    """Unfold each picture into `frames`: [N,C,H,W] → [N·frames,C,H,W]."""

    def __init__(self, channels: int, frames: int, operations: Any) -> None:
        super().__init__()
        self.frames = frames
        self.conv = operations.Conv2d(channels, channels * frames, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x).unflatten(1, (self.frames, -1)).flatten(0, 1)


class SoftClamp(nn.Module):
    """Bend latents into −3..3."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x / 3) * 3


class MemorySequential(nn.Sequential):
    """Layers in order, some with a memory: [B,T,C,H,W] → [B,T',C',H',W'].

    Doubling waits for the next 3×3 convolution: what lies between them sees each pixel by itself and does
    less work before, and both together take less than one after the other.
    """

    def forward(self, x: Tensor, tape: Tape) -> Tensor:
        batch, doubling = x.shape[0], False
        for layer in self:
            if isinstance(layer, Memory):
                x = layer(x, tape)
            elif isinstance(layer, nn.Upsample):
                doubling = True
            else:
                doubled = doubling and not isinstance(layer, UnfoldTime)
                pictures = x.flatten(0, 1)
                x = (doubled_conv(layer, pictures) if doubled else layer(pictures)).unflatten(0, (batch, -1))
                doubling = doubling and not doubled
        return x


def doubled_conv(conv: nn.Module, pictures: Tensor) -> Tensor:
    """Double [N,C,H,W], then convolve: [N,C',2H,2W]."""
    if takes_fast_path(conv, pictures):
        return upsample_conv2d(pictures, conv.weight, conv.bias)
    return conv(F.interpolate(pictures, scale_factor=2.0, mode="nearest-exact"))


def conv3x3(channels: int, out: int, operations: Any, **options: Any) -> nn.Module:
    return operations.Conv2d(channels, out, 3, padding=1, **options)


def encoder(config: TaehvConfig, operations: Any) -> MemorySequential:
    """Folded pictures → latents."""
    width = config.encoder_width
    layers: list[nn.Module] = [conv3x3(3 * config.patch**2, width, operations), nn.ReLU(inplace=True)]
    for frames in config.pools:
        layers.append(FoldTime(width, frames, operations))
        layers.append(conv3x3(width, width, operations, stride=2, bias=False))
        layers += [MemoryBlock(width, operations) for _ in range(3)]
    return MemorySequential(*layers, conv3x3(width, config.latent_channels, operations))


def decoder(config: TaehvConfig, operations: Any) -> MemorySequential:
    """Latents → folded pictures."""
    widths = config.decoder_widths
    layers = [SoftClamp(), conv3x3(config.latent_channels, widths[0], operations), nn.ReLU(inplace=True)]
    for width, out, frames in zip(widths, widths[1:], config.grows, strict=False):
        layers += [MemoryBlock(width, operations) for _ in range(3)]
        layers += [nn.Upsample(scale_factor=2), UnfoldTime(width, frames, operations)]
        layers.append(conv3x3(width, out, operations, bias=False))
    return MemorySequential(
        *layers, nn.ReLU(inplace=True), conv3x3(widths[-1], 3 * config.patch**2, operations)
    )


def super_decoder(config: TaehvConfig, operations: Any) -> MemorySequential:
    """Latents → folded pictures, with more parameters."""
    widths = config.decoder_widths
    layers: list[nn.Module] = [operations.Conv2d(config.latent_channels, widths[0], 1, bias=False)]
    for width, out, frames in zip(widths, widths[1:], config.grows, strict=False):
        layers += [WideMemoryBlock(width, operations) for _ in range(3)]
        layers += [conv3x3(width, out * 4, operations), nn.ReLU(inplace=True), nn.PixelShuffle(2)]
        layers.append(UnfoldTime(out, frames, operations))
    return MemorySequential(*layers, conv3x3(widths[-1], 3 * config.patch**2, operations))


class TaehvVAE(nn.Module):
    """The whole autoencoder. Pixels are [B,3,T,H,W] in −1..1, latents raw, as `latents` says.

    Args:
        latents: the latent space; its name, mean and deviation do not show in the weights.
        normalised: whether the weights read normalised latents, as the published ones do.
    """

    def __init__(
        self, config: TaehvConfig, latents: LatentFacts, normalised: bool = True, operations: Any = nn
    ) -> None:
        super().__init__()
        self.config, self.facts, self.normalised = config, latents, normalised
        self.space, self.time = 8 * config.patch, math.prod(config.grows)
        self.encoder = encoder(config, operations)
        self.decoder = (super_decoder if config.wide_memory else decoder)(config, operations)

    def encode_chunk(
        self, pixels: Tensor, state: State | None, last: bool = True
    ) -> tuple[Tensor, Tensor, State]:
        """Encode the film's next frames [B,3,T,H,W], any number of them.

        A latent frame is made of `time` frames; what is left of a chunk is held back for the next, and at
        the film's end filled up with its last frame.

        Returns:
            mean, log variance (there is none: as good as zero), and the state after them.
        """
        refuse_after_end(state)
        film = pixels if state is None else torch.cat([state[-1], pixels], dim=2)
        if last:
            missing = -film.shape[2] % self.time
            film = torch.cat([film, *[film[:, :, -1:]] * missing], dim=2)
        whole = film.shape[2] // self.time * self.time
        mean, memories = self._encoded(film[:, :, :whole], (state or ())[:-1])
        log_variance = torch.full_like(mean, NO_VARIANCE)
        return mean, log_variance, () if last else [*memories, film[:, :, whole:].clone()]

    def _encoded(self, pixels: Tensor, memories: State) -> tuple[Tensor, State]:
        """Latents [B,Z,T/time,h,w] of [B,3,T,H,W], and the memories after them."""
        b, _, frames, height, width = pixels.shape
        if not frames:
            cells = (height // self.space, width // self.space)
            return pixels.new_empty(b, self.config.latent_channels, 0, *cells), memories
        tape = Tape(memories or None)
        pictures = fold((pixels + 1) / 2, (1, self.config.patch, self.config.patch)).transpose(1, 2)
        latents = self.encoder(pictures, tape).transpose(1, 2)
        if self.normalised:
            latents = self.facts.raw(latents)
        return latents, tape.state

    def decode_chunk(self, latents: Tensor, state: State | None, last: bool = True) -> tuple[Tensor, State]:
        """Decode the film's next latent frames [B,Z,T,h,w] → pixels [B,3,time·T,H,W] and the state after.

        The film's first chunk (`state` None) gives time−1 frames less. Pixels are not clamped.
        """
        tape = Tape(state)
        if self.normalised:
            latents = self.facts.normalised(latents)
        pictures = self.decoder(latents.transpose(1, 2), tape).transpose(1, 2)
        pixels = unfold(pictures, (1, self.config.patch, self.config.patch)) * 2 - 1
        return pixels[:, :, self.time - 1 :] if state is None else pixels, tape.state
