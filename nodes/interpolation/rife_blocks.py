"""What a RIFE is made of: blocks that correct a motion, and the head that takes features from frames.

Shapes: B pairs, C channels, H × W pixels, F channels of features, S of the state that blocks hand on, L a
block's level.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ...kernels.leaky_conv.dispatch import leaky_conv2d
from .rife_config import RifeConfig

SLOPE = 0.2


class LeakyConv(nn.Sequential):
    """A convolution, and its negatives times 0.2."""

    def forward(self, x: Tensor) -> Tensor:
        conv = self[0]
        return leaky_conv2d(x, conv.weight, conv.bias, conv.stride[0], conv.groups, SLOPE)


class Block(nn.Module):
    """[B,C,H/L,W/L] → flow both ways in pixels of the level, mask and state, [B,5+S,H/L,W/L] float32.

    Without `shuffles` the result has half as many rows and columns.
    """

    def __init__(self, seen: int, width: int, config: RifeConfig) -> None:
        super().__init__()
        self.conv0 = nn.Sequential(
            _activated(nn.Conv2d(seen, width // 2, 3, 2, 1), config),
            _activated(nn.Conv2d(width // 2, width, 3, 2, 1), config),
        )
        inner = (nn.Conv2d(width, width, 3, padding=1, groups=config.groups) for _ in range(8))
        self.convblock = nn.Sequential(*(_activated(conv, config) for conv in inner))
        made = (5 + config.state) * (4 if config.shuffles else 1)
        self.lastconv = nn.ConvTranspose2d(width, made, 4, 2, 1)
        self.adds = config.prelu
        self.shuffles = config.shuffles

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv0(x)
        x = self.convblock(x) + x if self.adds else self.convblock(x)
        made = self.lastconv(x)
        return (F.pixel_shuffle(made, 2) if self.shuffles else made).float().contiguous()


def _activated(conv: nn.Conv2d, config: RifeConfig) -> nn.Sequential:
    return nn.Sequential(conv, nn.PReLU(conv.out_channels)) if config.prelu else LeakyConv(conv)


def head(config: RifeConfig) -> nn.Sequential:
    """Features of a frame: [B,3,H,W] → [B,F,H,W]."""
    width = config.head
    last = nn.ConvTranspose2d(width, config.features, 4, 2, 1)
    first = nn.Conv2d(3, width, 3, 2, 1)
    if config.head_layers == 2:
        return nn.Sequential(first, last)
    inner = (nn.Conv2d(width, width, 3, padding=1) for _ in range(config.head_layers - 2))
    return nn.Sequential(*(LeakyConv(conv) for conv in (first, *inner)), last)
