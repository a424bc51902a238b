"""LTX-Video's autoencoder (HaCohen et al. 2024): 8× in time, 32×32 in space, 128 latent channels.

The encoder is causal: the first frame becomes one latent frame, every eight after it another. The decoder
looks ahead unless the metadata say otherwise, and from version 0.9.1 on does the last denoising step itself:
it takes slightly noisy latents and is told how noisy. Key names are the published checkpoint's.

Latents are normalised by the statistics inside the weights, as on ComfyUI's LATENT socket.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .causal import State
from .folding import fold, patchify, unfold, unpatchify
from .last_step import LastStep, StepNoise, TimestepEmbedding, injected, modulation
from .latents import LatentFacts
from .look_ahead import FilmConv3d, FilmTape, delayed
from .ltx_config import Block, LTXConfig

LATENTS = LatentFacts("LTX-Video", 128, space=32, time=8, mean=(0.0,) * 128, deviation=(1.0,) * 128)
"""Normalised: the statistics are in the weights, and every diffusion model of the family uses the same."""


@dataclass(frozen=True)
class Chunk:
    """What the layers share while a chunk runs through them; the encoder has no denoising step.

    Attributes:
        timestep: [B], for a conditioned decoder.
    """

    tape: FilmTape
    noise: StepNoise | None = None
    timestep: Tensor | None = None


def pixel_norm(x: Tensor, shift_and_scale: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """Divide each pixel of [B,C,T,H,W] by the root mean square of its channels; then scale and shift them."""
    x = x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()
    if shift_and_scale is None:
        return x
    shift, scale = shift_and_scale
    return x * (1 + scale) + shift


class ChannelNorm(nn.Module):
    """Layer norm over the channels of [B,C,T,H,W]."""

    def __init__(self, channels: int, operations: Any) -> None:
        super().__init__()
        self.norm = operations.LayerNorm(channels, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x.movedim(1, -1)).movedim(-1, 1)


class ResidualBlock(nn.Module):
    """Norm, SiLU and convolution, twice, around a skip: [B,C,T,H,W] → [B,C',T',H,W]."""

    def __init__(self, block: Block, operations: Any, **conv: Any) -> None:
        super().__init__()
        channels, out = block.channels, block.out
        self.conv1 = FilmConv3d(channels, out, operations, **conv)
        self.conv2 = FilmConv3d(out, out, operations, **conv)
        self.norm3 = ChannelNorm(channels, operations) if channels != out else nn.Identity()
        self.conv_shortcut = operations.Conv3d(channels, out, 1) if channels != out else nn.Identity()
        self.scale_shift_table = nn.Parameter(torch.zeros(4, channels)) if block.conditioned else None
        self.per_channel_scale1 = nn.Parameter(torch.zeros(channels, 1, 1)) if block.noisy else None
        self.per_channel_scale2 = nn.Parameter(torch.zeros(channels, 1, 1)) if block.noisy else None

    def forward(self, x: Tensor, chunk: Chunk, embedded: Tensor | None = None) -> Tensor:
        """`embedded` [B,4C] is the timestep, for a conditioned block."""
        first, second = None, None
        if self.scale_shift_table is not None:
            first, second = modulation(self.scale_shift_table, embedded)
        h = self.conv1(F.silu(pixel_norm(x, first)), chunk.tape)
        h = injected(h, self.per_channel_scale1, chunk.noise)
        h = self.conv2(F.silu(pixel_norm(h, second)), chunk.tape)
        h = injected(h, self.per_channel_scale2, chunk.noise)
        skip = delayed(x, h.shape[2], chunk.tape)
        return h + self.conv_shortcut(self.norm3(skip)) if h.shape[2] else h


class Stack(nn.Module):
    """Residual blocks of one width."""

    def __init__(self, block: Block, operations: Any, **conv: Any) -> None:
        super().__init__()
        self.time_embedder = TimestepEmbedding(4 * block.out, operations) if block.conditioned else None
        self.res_blocks = nn.ModuleList(ResidualBlock(block, operations, **conv) for _ in range(block.layers))

    def forward(self, x: Tensor, chunk: Chunk) -> Tensor:
        embedded = None if self.time_embedder is None else self.time_embedder(chunk.timestep)
        for block in self.res_blocks:
            x = block(x, chunk, embedded)
        return x


class Stride(FilmConv3d):
    """A strided convolution."""

    def __init__(self, block: Block, operations: Any, **conv: Any) -> None:
        super().__init__(block.channels, block.out, operations, stride=block.factors, **conv)

    def forward(self, x: Tensor, chunk: Chunk) -> Tensor:
        return super().forward(x, chunk.tape)


class Fold(nn.Module):
    """A convolution with pixels folded into channels behind it, and averages around both."""

    def __init__(self, block: Block, operations: Any, **conv: Any) -> None:
        super().__init__()
        self.block = block
        t, h, w = block.factors
        self.conv = FilmConv3d(block.channels, block.out // (t * h * w), operations, **conv)

    def forward(self, x: Tensor, chunk: Chunk) -> Tensor:
        out, factors = self.block.out, self.block.factors
        if chunk.tape.first and factors[0] > 1:  # the film's first frame fills a latent frame by itself
            x = torch.cat([x[:, :, :1], x], dim=2)
        averages = fold(x, factors).unflatten(1, (out, -1)).mean(dim=2)
        return fold(self.conv(x, chunk.tape), factors) + averages


class Unfold(nn.Module):
    """A convolution with pixels unfolded out of its channels, and maybe copies around both."""

    def __init__(self, block: Block, operations: Any, **conv: Any) -> None:
        super().__init__()
        self.block = block
        t, h, w = block.factors
        self.conv = FilmConv3d(block.channels, block.out * t * h * w, operations, **conv)

    def forward(self, x: Tensor, chunk: Chunk) -> Tensor:
        out, factors = self.block.out, self.block.factors
        h, starts = self.conv.with_start(x, chunk.tape)
        grown = unfold(h, factors)
        if self.block.shortcut:
            copies = unfold(delayed(x, h.shape[2], chunk.tape), factors)
            grown = grown + copies.repeat(1, out // copies.shape[1], 1, 1, 1)
        return grown[:, :, factors[0] - 1 :] if starts else grown


LAYERS = {"stack": Stack, "single": ResidualBlock, "stride": Stride, "fold": Fold, "unfold": Unfold}


class Encoder(nn.Module):
    """Folded pixels → latents and, in one more channel, their log variance: [B,Z+1,T/8,H/32,W/32]."""

    def __init__(self, config: LTXConfig, operations: Any) -> None:
        super().__init__()
        conv = {"padding_mode": config.encoder_padding}
        first, last = config.encoder[0].channels, config.encoder[-1].out
        self.conv_in = FilmConv3d(3 * config.patch**2, first, operations, **conv)
        self.down_blocks = nn.ModuleList(
            LAYERS[block.kind](block, operations, **conv) for block in config.encoder
        )
        self.conv_out = FilmConv3d(last, config.latent_channels + 1, operations, **conv)

    def forward(self, x: Tensor, chunk: Chunk) -> Tensor:
        x = self.conv_in(x, chunk.tape)
        for block in self.down_blocks:
            x = block(x, chunk)
        return self.conv_out(F.silu(pixel_norm(x)), chunk.tape)


class Decoder(nn.Module):
    """Latents [B,Z,T,H,W] → folded pixels."""

    def __init__(self, config: LTXConfig, operations: Any) -> None:
        super().__init__()
        conv = {"padding_mode": config.decoder_padding, "ahead": 0 if config.causal_decoder else 1}
        first, last = config.decoder[0].channels, config.decoder[-1].out
        self.conv_in = FilmConv3d(config.latent_channels, first, operations, **conv)
        self.up_blocks = nn.ModuleList(
            LAYERS[block.kind](block, operations, **conv) for block in config.decoder
        )
        self.conv_out = FilmConv3d(last, 3 * config.patch**2, operations, **conv)
        self.last_time_embedder = None
        if config.conditioned:
            self.timestep_scale_multiplier = nn.Parameter(torch.tensor(1000.0))
            self.last_time_embedder = TimestepEmbedding(2 * last, operations)
            self.last_scale_shift_table = nn.Parameter(torch.zeros(2, last))

    def forward(self, z: Tensor, chunk: Chunk) -> Tensor:
        shift_and_scale = None
        if self.last_time_embedder is not None:
            scale = self.timestep_scale_multiplier.to(z)
            chunk = replace(chunk, timestep=chunk.timestep * scale)
            embedded = self.last_time_embedder(chunk.timestep)
            (shift_and_scale,) = modulation(self.last_scale_shift_table, embedded)
        x = self.conv_in(z, chunk.tape)
        for block in self.up_blocks:
            x = block(x, chunk)
        return self.conv_out(F.silu(pixel_norm(x, shift_and_scale)), chunk.tape)


class ChannelStatistics(nn.Module):
    """Mean and deviation [Z] of the raw latents."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean-of-means", torch.zeros(channels))
        self.register_buffer("std-of-means", torch.ones(channels))

    def along(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Both, shaped for latents [B,Z,T,H,W]."""
        mean, deviation = self.get_buffer("mean-of-means"), self.get_buffer("std-of-means")
        return mean.to(latents)[:, None, None, None], deviation.to(latents)[:, None, None, None]


class LTXVideoVAE(nn.Module):
    """The whole autoencoder. Pixels are [B,3,T,H,W] in −1..1, latents normalised."""

    space = LATENTS.space
    time = LATENTS.time
    facts = LATENTS

    def __init__(self, config: LTXConfig, operations: Any = nn) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config, operations)
        self.decoder = Decoder(config, operations)
        self.per_channel_statistics = ChannelStatistics(config.latent_channels)

    def encode_chunk(
        self, pixels: Tensor, state: State | None, last: bool = True
    ) -> tuple[Tensor, Tensor, State]:
        """Encode the film's next frames: 8n+1 for its first chunk (`state` None), 8n for any other.

        Args:
            last: whether the film ends here.

        Returns:
            mean and log variance, each [B,Z,T',H/32,W/32] with T' = n+1 or n, and the state after them.
        """
        LATENTS.check_pixels(pixels, first=state is None)
        tape = FilmTape(state, last)
        moments = self.encoder(patchify(pixels, self.config.patch), Chunk(tape))
        mean, deviation = self.per_channel_statistics.along(moments)
        raw_mean, raw_log_variance = moments[:, :-1], moments[:, -1:]  # the latter is one for all channels
        return (raw_mean - mean) / deviation, raw_log_variance - 2 * deviation.log(), tape.state

    def decode_chunk(
        self, latents: Tensor, state: State | None, last: bool = True, step: LastStep | None = None
    ) -> tuple[Tensor, State]:
        """Decode the film's next latent frames [B,Z,T,h,w].

        Args:
            last: whether the film ends here. Until it does, a decoder that looks ahead holds frames back.
            step: the last denoising step of a conditioned decoder; as its metadata say when None.

        Returns:
            pixels [B,3,T',32h,32w], not clamped, and the state after them. All chunks together have 8T−7
            frames.
        """
        count = int(state[-1]) if state else 0
        tape, step = FilmTape(state, last), step or self.config.last_step
        noise = StepNoise(step, latents)
        mixed = noise.mixed(latents, count) if self.config.conditioned else latents
        mean, deviation = self.per_channel_statistics.along(latents)
        timestep = latents.new_full(latents.shape[:1], step.timestep)
        folded = self.decoder(mixed * deviation + mean, Chunk(tape, noise, timestep))
        counted = torch.tensor(count + latents.shape[2])
        return unpatchify(folded, self.config.patch), () if last else [*tape.state, counted]
