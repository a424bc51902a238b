"""A perceptual distance of two pictures: how far apart a trained network finds them, ST-LPIPS.

Features of both pictures are taken at five depths of an AlexNet, normalised at every pixel, and the squares
of their differences summed with trained weights. Between its layers this AlexNet blurs before it halves, so
that a shift by a pixel, which nobody sees, hardly counts. Sources: Zhang et al., "The Unreasonable
Effectiveness of Deep Features as a Perceptual Metric", 2018; Ghildyal and Liu, "Shift-tolerant Perceptual
Similarity Metric", 2022. Attributes are named as in the published weights, so that these load strictly.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CHANNELS = (64, 192, 384, 256, 256)
"""Of the features at the five depths."""
SMALLEST = 21
"""Shorter side, in pixels, of the smallest picture that reaches every layer."""
BYTES_PER_PIXEL = 1_100
"""Memory that two pictures take, per pixel of one."""
TINY = 1e-10


class BlurAndHalve(nn.Module):
    """Every channel's 3 × 3 binomial mean at every second pixel: [B,C,H,W] → [B,C,(H + 3) // 2, …]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        taps = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("filt", torch.outer(taps, taps).repeat(channels, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), self.filt, stride=2, groups=x.shape[1])


class AlexNetFeatures(nn.Module):
    """The convolutions of an AlexNet: pictures [B,3,H,W] → features at five depths, each [B,C,h,w]."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d, e = CHANNELS
        pool = nn.MaxPool2d(3, stride=1)
        self.slice1 = _named({"0": nn.Conv2d(3, a, 11, padding=2), "1": BlurAndHalve(a), "2": nn.ReLU()})
        self.slice2 = _named(
            {"3": pool, "4": BlurAndHalve(a), "5": nn.Conv2d(a, b, 5, padding=2), "6": nn.ReLU()}
        )
        self.slice3 = _named(
            {"7": pool, "8": BlurAndHalve(b), "9": nn.Conv2d(b, c, 3, padding=1), "10": nn.ReLU()}
        )
        self.slice4 = _named({"11": nn.Conv2d(c, d, 3, padding=1), "12": nn.ReLU()})
        self.slice5 = _named({"13": nn.Conv2d(d, e, 3, padding=1), "14": nn.ReLU()})

    def forward(self, x: Tensor) -> list[Tensor]:
        depths = []
        for part in (self.slice1, self.slice2, self.slice3, self.slice4, self.slice5):
            x = part(x)
            depths.append(x)
        return depths


class Scaling(nn.Module):
    """Colours in −1..1 to what the AlexNet was trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("shift", torch.zeros(1, 3, 1, 1))
        self.register_buffer("scale", torch.ones(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.shift) / self.scale


class Weighing(nn.Module):
    """A weighted sum over channels: [B,C,h,w] → [B,1,h,w]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.model = _named({"1": nn.Conv2d(channels, 1, 1, bias=False)})

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class PerceptualDistance(nn.Module):
    """Two pictures [B,3,H,W] in 0..1 → their distance [B]: 0 for equal ones, about 0.5 for unlike ones."""

    def __init__(self) -> None:
        super().__init__()
        self.scaling_layer = Scaling()
        self.net = AlexNetFeatures()
        for depth, channels in enumerate(CHANNELS):
            self.add_module(f"lin{depth}", Weighing(channels))

    def forward(self, made: Tensor, true: Tensor) -> Tensor:
        """Raises ValueError for pictures whose shorter side is below 21 pixels."""
        if min(made.shape[-2:]) < SMALLEST:
            height, width = made.shape[-2:]
            raise ValueError(
                f"the perceptual distance needs pictures of {SMALLEST} × {SMALLEST} pixels at least, "
                f"got {width} × {height}"
            )
        total = made.new_zeros(len(made))
        for depth, (one, other) in enumerate(zip(self._features(made), self._features(true), strict=True)):
            weighed = self.get_submodule(f"lin{depth}")((one - other).square())
            total = total + weighed.mean(dim=(1, 2, 3))
        return total

    def _features(self, pictures: Tensor) -> list[Tensor]:
        """At each depth, of length 1 at every pixel."""
        depths = self.net(self.scaling_layer(2 * pictures - 1))
        return [x / (x.square().sum(dim=1, keepdim=True).sqrt() + TINY) for x in depths]


def load_perceptual_distance(weights: Path) -> PerceptualDistance:
    """The network with published weights, for inference.

    Raises:
        RuntimeError: the file's tensors are not those of this network.
    """
    from safetensors.torch import load_file

    network = PerceptualDistance()
    network.load_state_dict(load_file(weights))
    return network.eval().requires_grad_(False)


def _named(layers: dict[str, nn.Module]) -> nn.Sequential:
    sequence = nn.Sequential()
    for name, layer in layers.items():
        sequence.add_module(name, layer)
    return sequence
