"""VFIMamba's features: convolutions on each frame alone, then scans over both frames at once.

Source: Zhang et al., "VFIMamba: Video Frame Interpolation with State Space Models", NeurIPS 2024. Attributes
are named as in the published weights, so that these load strictly. Shapes: B pairs, C channels, H×W pixels;
frames [2B,…] are all first ones, then all second ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .vfimamba_scan import DIRECTIONS, interleaved, scan_four_ways, separated

FRAME_STAGES = 3
"""Stages that see one frame at a time, at 1, 1/2 and 1/4 of its size; the others see both frames."""
STATES = 16
"""Numbers that each channel of a scan keeps."""
Both = tuple[Tensor, Tensor]
"""The same of the first and of the second frames of pairs."""
STEPS = 1e-3, 0.1
"""Step sizes that untrained scans begin with, from and to."""


class MixedScan(nn.Module):
    """Selective scans in four directions over the interleaved tokens of two frames, [2B,H,W,C] → the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner, self.rank = 2 * channels, math.ceil(channels / 16)
        self.in_proj = nn.Linear(channels, 2 * inner, bias=False)
        self.conv2d = nn.Conv2d(inner, inner, 3, padding=1, groups=inner)
        spread = self.rank**-0.5
        self.x_proj_weight = nn.Parameter(
            torch.empty(DIRECTIONS, self.rank + 2 * STATES, inner).uniform_(-(inner**-0.5), inner**-0.5)
        )
        self.dt_projs_weight = nn.Parameter(
            torch.empty(DIRECTIONS, inner, self.rank).uniform_(-spread, spread)
        )
        steps = torch.empty(DIRECTIONS, inner).uniform_(*map(math.log, STEPS)).exp()
        self.dt_projs_bias = nn.Parameter(steps.expm1().log())  # whose softplus they are
        rates = torch.arange(1.0, STATES + 1).log()
        self.A_logs = nn.Parameter(rates.repeat(DIRECTIONS * inner, 1))
        self.Ds = nn.Parameter(torch.ones(DIRECTIONS * inner))
        self.out_norm = nn.LayerNorm(inner)
        self.out_proj = nn.Linear(inner, channels, bias=False)

    def forward(self, frames: Tensor) -> Tensor:
        height, width = frames.shape[1:3]
        x, gate = self.in_proj(frames).chunk(2, -1)
        x = F.silu(self.conv2d(x.permute(0, 3, 1, 2))).permute(0, 2, 3, 1)
        rates = -self.A_logs.float().exp().unflatten(0, (DIRECTIONS, -1)).mT  # [4,N,D]
        skip = self.Ds.unflatten(0, (DIRECTIONS, -1))
        y = scan_four_ways(interleaved(x), height, width, self._projected, rates, skip)
        y = separated(y.to(x.dtype), height, width)
        return self.out_proj(self.out_norm(y) * F.silu(gate))

    def _projected(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens [B,T,4,D] → step sizes [B,T,4,D], and what writes to and reads from states, [B,T,4,N]."""
        projected = torch.einsum("btkd,kcd->btkc", tokens, self.x_proj_weight)
        steps, write, look = projected.split([self.rank, STATES, STATES], -1)
        steps = torch.einsum("btkr,kdr->btkd", steps, self.dt_projs_weight)
        return F.softplus(steps.float() + self.dt_projs_bias.float()), write, look


class ChannelGate(nn.Module):
    """Each channel times a number from 0 to 1 that the channels' means give."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.attention = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, squeezed, 1),
            nn.ReLU(),
            nn.Conv2d(squeezed, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.attention(x)


class GatedConvs(nn.Module):
    """Two convolutions with fewer channels in between, and a gate: what scans see too little of, detail."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        between = channels // 3
        self.cab = nn.Sequential(
            nn.Conv2d(channels, between, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(between, channels, 3, padding=1),
            ChannelGate(channels, channels // 30),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.cab(x)


class MixedBlock(nn.Module):
    """The paper's mixed-SSM block: a scan over both frames, then convolutions, each beside a scaled skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(channels)
        self.self_attention = MixedScan(channels)
        self.skip_scale = nn.Parameter(torch.ones(channels))
        self.conv_blk = GatedConvs(channels)
        self.ln_2 = nn.LayerNorm(channels)
        self.skip_scale2 = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)  # [2B,H,W,C]
        x = x * self.skip_scale + self.self_attention(self.ln_1(x))
        detail = self.conv_blk(self.ln_2(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return (x * self.skip_scale2 + detail).permute(0, 3, 1, 2)


class MixedStage(nn.Module):
    """Blocks one after the other."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(MixedBlock(channels) for _ in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x


class NormedHalving(nn.Module):
    """Half the size and twice the channels, the pixels normed before."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1)
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))


class FrameStage(nn.Module):
    """3 × 3 convolutions."""

    def __init__(self, in_channels: int, channels: int, depth: int) -> None:
        super().__init__()
        inputs = [in_channels] + [channels] * (depth - 1)
        layers = [(nn.Conv2d(before, channels, 3, padding=1), nn.PReLU(channels)) for before in inputs]
        self.conv = nn.Sequential(*(layer for pair in layers for layer in pair))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class PairFeatures(nn.Module):
    """Features of frames and of pairs, at each stage half the size and twice the channels.

    Args:
        width: channels of the first stage.
        depths: convolutions of the first three stages, mixed blocks of the others.
    """

    def __init__(self, width: int, depths: Sequence[int]) -> None:
        super().__init__()
        self.stages = len(depths)
        for stage, depth in enumerate(depths):
            channels = width << stage
            if stage < FRAME_STAGES:
                block = FrameStage(channels if stage else 3, channels, depth)
            else:
                block = MixedStage(channels, depth)
            if stage:
                setattr(self, f"patch_embed{stage}", _halving(channels // 2, stage))
            setattr(self, f"block{stage}", block)

    def of_frames(self, frames: Tensor) -> list[Tensor]:
        """[B,3,H,W] → the first three stages, which know one frame only: [B,C,H,W] to [B,4C,H/4,W/4]."""
        features = [self.block0(frames)]
        for stage in range(1, FRAME_STAGES):
            features.append(self._stage(stage, features[-1]))
        return features

    def of_pairs(self, first: Sequence[Tensor], second: Sequence[Tensor]) -> list[Both]:
        """All stages, from what `of_frames` gave for the first and for the second frames."""
        features: list[Both] = list(zip(first, second, strict=True))
        for stage in range(FRAME_STAGES, self.stages):
            features.append(self._stage(stage, torch.cat(features[-1])).chunk(2))
        return features

    def _stage(self, stage: int, x: Tensor) -> Tensor:
        x = self.get_submodule(f"patch_embed{stage}")(x)
        return self.get_submodule(f"block{stage}")(x)


def _halving(channels: int, stage: int) -> nn.Module:
    if stage >= FRAME_STAGES:
        return NormedHalving(channels)
    return nn.Sequential(nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1), nn.PReLU(2 * channels))
