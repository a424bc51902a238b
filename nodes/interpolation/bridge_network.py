"""The network of consecutive Brownian bridges: a small U-Net over the latents of single pictures.

It sees the states of both bridges and both neighbours, and how far from the middle it is and on which side.
Shapes: B pairs, Z channels, h × w cells, D channels of a level.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..vae.weights_file import Weights, WeightsError, misfit

GROUPS = 8
WAVES = 64
"""Numbers that tell a time."""
FASTEST = 1000.0
"""Of the waves that tell a time, in radians over a bridge."""


@dataclass(frozen=True)
class BridgeConfig:
    """Sizes.

    Attributes:
        channels: of a latent. width: of the first level; each level has half the height and width of the
            one before it, and `factors` times the first one's width.
    """

    channels: int = 16
    width: int = 64
    factors: tuple[int, ...] = (1, 2, 4)

    @classmethod
    def of(cls, weights: Mapping[str, Tensor]) -> BridgeConfig:
        """Read off a network's weights."""
        width = weights["enter.weight"].shape[0]
        levels = sum(key.startswith("down.") and key.endswith(".first.weight") for key in weights)
        widths = [weights[f"down.{level}.first.weight"].shape[0] for level in range(levels)]
        return cls(weights["leave.weight"].shape[0], width, tuple(one // width for one in widths))


class BridgeNetwork(nn.Module):
    """Tells how far a bridge's state is from the latent in the middle.

    It begins as the mean of both neighbours, and learns what is missing to it.
    """

    def __init__(self, config: BridgeConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.width * factor for factor in config.factors]
        time = 4 * config.width
        self.time = nn.Sequential(nn.Linear(WAVES, time), nn.SiLU(), nn.Linear(time, time))
        self.enter = nn.Conv2d(4 * config.channels, config.width, 3, padding=1)
        entries = [config.width, *widths[:-1]]
        self.down = nn.ModuleList(
            ResidualBlock(entry, width, time) for entry, width in zip(entries, widths, strict=True)
        )
        self.middle = nn.ModuleList([ResidualBlock(widths[-1], widths[-1], time), Attention(widths[-1])])
        below = [*widths[1:], widths[-1]]
        self.up = nn.ModuleList(
            ResidualBlock(width + lower, width, time) for width, lower in zip(widths, below, strict=True)
        )
        self.norm = nn.GroupNorm(GROUPS, widths[0])
        self.leave = nn.Conv2d(widths[0], config.channels, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, state: Tensor, other: Tensor, neighbours: Tensor, time: Tensor) -> Tensor:
        """See `bridge.Predictor`; any h × w."""
        height, width = state.shape[2:]
        step = 2 ** (len(self.down) - 1)
        seen = torch.cat([state, other, neighbours], dim=1)
        seen = F.pad(seen, (0, -width % step, 0, -height % step), mode="replicate")
        missing = self._missing(seen, self.time(time_waves(time).to(seen)))[..., :height, :width]
        before, after = neighbours.chunk(2, dim=1)
        return state - (before + after) / 2 - missing

    def _missing(self, seen: Tensor, time: Tensor) -> Tensor:
        x = self.enter(seen)  # [B,D,h,w]
        levels = []
        for index, block in enumerate(self.down):
            x = block(F.avg_pool2d(x, 2) if index else x, time)
            levels.append(x)
        block, attention = self.middle
        x = attention(block(x, time))
        for index in reversed(range(len(self.up))):
            if index < len(self.up) - 1:
                x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = self.up[index](torch.cat([levels[index], x], dim=1), time)
        return self.leave(F.silu(self.norm(x)))


class ResidualBlock(nn.Module):
    """Two convolutions, the second scaled and shifted by the time, added to the input."""

    def __init__(self, entry: int, width: int, time: int) -> None:
        super().__init__()
        self.norm_first, self.norm_second = nn.GroupNorm(GROUPS, entry), nn.GroupNorm(GROUPS, width)
        self.first = nn.Conv2d(entry, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.modulation = nn.Linear(time, 2 * width)
        self.skip = nn.Conv2d(entry, width, 1) if entry != width else nn.Identity()
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """[B,entry,h,w], [B,time] → [B,width,h,w]."""
        made = self.first(F.silu(self.norm_first(x)))
        scale, shift = self.modulation(F.silu(time))[..., None, None].chunk(2, dim=1)
        made = self.second(F.silu(self.norm_second(made) * (1 + scale) + shift))
        return self.skip(x) + made


class Attention(nn.Module):
    """Every cell looks at every other, added to the input."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(GROUPS, width)
        self.qkv, self.out = nn.Conv2d(width, 3 * width, 1), nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        """[B,D,h,w] → [B,D,h,w]."""
        heads = self.qkv(self.norm(x)).flatten(2).unflatten(1, (3, self.heads, -1)).transpose(3, 4)
        made = F.scaled_dot_product_attention(*heads.unbind(1))  # [B,H,h·w,D/H]
        return x + self.out(made.transpose(2, 3).flatten(1, 2).view_as(x))


def time_waves(time: Tensor) -> Tensor:
    """[B] of −1 … 1 → [B,WAVES]: sines and cosines from slow to fast (Vaswani et al. 2017)."""
    rates = FASTEST ** torch.linspace(0, 1, WAVES // 2, device=time.device)
    angles = time[:, None].float() * rates
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


def bridge_network(weights: Weights, dtype: torch.dtype) -> BridgeNetwork:
    """The network of a file.

    Raises:
        WeightsError: it is none of Brownian bridges.
    """
    if not {"enter.weight", "leave.weight", "down.0.first.weight"} <= weights.tensors.keys():
        raise WeightsError(
            f"{weights.name} holds no network of Brownian bridges (first keys: "
            f"{', '.join(sorted(weights.tensors)[:3])}); pick one that training/train_cbb_vfi.py made"
        )
    network = BridgeNetwork(BridgeConfig.of(weights.tensors))
    if fault := misfit(weights.tensors, network.state_dict()):
        raise WeightsError(f"{weights.name} is no whole network of Brownian bridges: {fault}; fetch it again")
    network.load_state_dict(dict(weights.tensors))
    return network.to(dtype).eval().requires_grad_(False)
