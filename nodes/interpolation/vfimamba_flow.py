"""VFIMamba's motion and picture: coarse heads, local corrections, and a U-Net that repairs the blend.

Source: Zhang et al., "VFIMamba", NeurIPS 2024; the corrections are RIFE's (Huang et al., 2022). Attributes
are named as in the published weights. A flow [B,4,H,W] is in pixels, from the frame to be made to the first
frame (x, y) and to the second; a mask [B,1,H,W] is the logit of the first frame's share. Both are float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...kernels.warp.dispatch import warp

MOTION_CHANNELS = 5
"""Of a flow and a mask."""


def conv_prelu(in_channels: int, channels: int, stride: int = 1) -> nn.Sequential:
    """A 3 × 3 convolution and its activation."""
    return nn.Sequential(nn.Conv2d(in_channels, channels, 3, stride, 1), nn.PReLU(channels))


def resized(x: Tensor, factor: float) -> Tensor:
    """x `factor` times as large, bilinearly."""
    return x if factor == 1 else F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)


def resized_flow(flow: Tensor, factor: float) -> Tensor:
    """A flow in pixels of a picture `factor` times as large."""
    return resized(flow, factor) * factor


def warped_pair(first: Tensor, second: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """Both frames, or their features, moved to where the frame between them has them; float32."""
    return warp(first, flow[:, :2]), warp(second, flow[:, 2:])


def warped_features(features: Sequence[tuple[Tensor, Tensor]], flow: Tensor) -> Iterator[Tensor]:
    """Of each stage both frames' features moved, [B,2C,h,w]: one after the other, for they are large."""
    for first, second in features:
        yield torch.cat([moved.to(first.dtype) for moved in warped_pair(first, second, flow)], 1)
        flow = resized_flow(flow, 0.5)


class CoarseHead(nn.Module):
    """Motion from a pair's features.

    Args:
        channels: of one frame's features.
        pictures: channels of what is looked at beside them.
        reduction: size of a frame over that of its features.
    """

    def __init__(self, channels: int, pictures: int, hidden: int, reduction: int) -> None:
        super().__init__()
        self.shrink = reduction // 4
        self.conv = nn.Sequential(
            conv_prelu(2 * channels // 16 + pictures, hidden),
            conv_prelu(hidden, hidden),
            conv_prelu(hidden, MOTION_CHANNELS),
        )

    def forward(self, features: Tensor, pictures: Tensor, flow: Tensor | None) -> tuple[Tensor, Tensor]:
        """What flow and mask change by.

        Args:
            features: [B,2C,h,w] of both frames. pictures: [B,·,H,W]. flow: so far; None for the first head.
        """
        motion = F.pixel_shuffle(F.pixel_shuffle(features, 2), 2)  # [B,C/8,4h,4w]
        seen = [motion, resized(pictures, 1 / self.shrink)]
        if flow is not None:
            seen.append(resized_flow(flow, 1 / self.shrink))
        made = self.conv(torch.cat([x.to(motion.dtype) for x in seen], 1)).float()
        made = resized(made, self.shrink)
        return made[:, :4] * self.shrink, made[:, 4:]


class LocalBlock(nn.Module):
    """A correction of the motion from the warped frames alone, seen at 1/`shrink` of their size."""

    def __init__(self, hidden: int, shrink: int) -> None:
        super().__init__()
        seen = 4 * 3 + MOTION_CHANNELS
        self.shrink = shrink
        self.conv0 = nn.Sequential(conv_prelu(seen, hidden // 2, 2), conv_prelu(hidden // 2, hidden, 2))
        self.convblock = nn.Sequential(*(conv_prelu(hidden, hidden) for _ in range(8)))
        self.lastconv = nn.ConvTranspose2d(hidden, MOTION_CHANNELS, 4, 2, 1)

    def forward(self, pictures: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
        """What flow and mask change by; pictures [B,13,H,W] are both frames, both warped, and the mask."""
        seen = torch.cat([resized(pictures, 1 / self.shrink), resized_flow(flow, 1 / self.shrink)], 1)
        x = self.conv0(seen.to(self.lastconv.weight.dtype))
        made = self.lastconv(self.convblock(x) + x).float()
        made = resized(made, 2 * self.shrink)
        return made[:, :4] * (2 * self.shrink), made[:, 4:]


class TwoConvs(nn.Module):
    """Half the size, then a second look."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv1 = conv_prelu(in_channels, channels, 2)
        self.conv2 = conv_prelu(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(self.conv1(x))


def _doubling(in_channels: int, channels: int) -> nn.Sequential:
    return nn.Sequential(nn.ConvTranspose2d(in_channels, channels, 4, 2, 1), nn.PReLU(channels))


class RefiningUNet(nn.Module):
    """What the blend of the warped frames lacks, from the frames and their warped features.

    Args:
        width: channels of the features at full size.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        c = 2 * width
        self.down0 = TwoConvs(4 * 3 + MOTION_CHANNELS + c, 2 * c)
        self.down1 = TwoConvs(4 * c, 4 * c)
        self.down2 = TwoConvs(8 * c, 8 * c)
        self.down3 = TwoConvs(16 * c, 16 * c)
        self.up0 = _doubling(32 * c, 8 * c)
        self.up1 = _doubling(16 * c, 4 * c)
        self.up2 = _doubling(8 * c, 2 * c)
        self.up3 = _doubling(4 * c, c)
        self.conv = nn.Conv2d(c, 3, 3, 1, 1)

    def forward(self, pictures: Tensor, flow: Tensor, features: Iterator[Tensor]) -> Tensor:
        """What to add, [B,3,H,W] in -1..1.

        Args:
            pictures: [B,13,H,W]: both frames, both warped, and the mask.
            features: warped, of both frames, of five stages: [B,2C,H,W] to [B,32C,H/16,W/16].
        """
        x = torch.cat(
            [pictures.to(self.conv.weight.dtype), flow.to(self.conv.weight.dtype), next(features)], 1
        )
        passed = []
        for down in (self.down0, self.down1, self.down2, self.down3):
            passed.append(down(x))
            x = torch.cat([passed[-1], next(features)], 1)
        x = self.up0(x)
        for up, beside in zip((self.up1, self.up2, self.up3), passed[2::-1], strict=True):
            x = up(torch.cat([x, beside], 1))
        return torch.sigmoid(self.conv(x).float()) * 2 - 1
