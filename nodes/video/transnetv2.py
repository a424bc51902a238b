"""TransNet V2: a small 3D convolutional network that tells which frames end a shot.

Source: Souček and Lokoč, "TransNet V2: An effective deep network architecture for fast shot transition
detection", 2020. B: batch, T: frames, C: channels, H, W: 27 × 48 pixels. Attributes are named as in the
published weights, so that these load strictly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice, repeat
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

HEIGHT, WIDTH = 27, 48
WINDOW = 100
"""Frames the network sees at once."""
OVERLAP = 25
"""Frames at each end of a window that serve as context: their scores come from the neighbouring windows."""
LOOKUP = 101
"""Frames that a frame is compared with: itself, and 50 on each side."""
DILATIONS = (1, 2, 4, 8)


class SeparableConv3d(nn.Module):
    """A 3 × 3 convolution in the picture, then one over 3 frames that lie `dilation` apart."""

    def __init__(self, in_channels: int, channels: int, dilation: int) -> None:
        super().__init__()
        space = nn.Conv3d(in_channels, 2 * channels, (1, 3, 3), padding=(0, 1, 1), bias=False)
        time = nn.Conv3d(
            2 * channels, channels, (3, 1, 1), dilation=(dilation, 1, 1), padding=(dilation, 0, 0), bias=False
        )
        self.layers = nn.Sequential(space, time)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class DilatedConvs(nn.Module):
    """Four of them side by side, which look 1, 2, 4 and 8 frames away."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        for dilation in DILATIONS:
            self.add_module(f"Conv3D_{dilation}", SeparableConv3d(in_channels, channels, dilation))
        self.bn = nn.BatchNorm3d(4 * channels, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        branches = [self.get_submodule(f"Conv3D_{dilation}")(x) for dilation in DILATIONS]
        return self.bn(torch.cat(branches, dim=1))  # [B, 4C, T, H, W]


class Stage(nn.Module):
    """Two layers of dilated convolutions with a residual connection, then half the picture's size."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.DDCNN = nn.ModuleList(
            [DilatedConvs(in_channels, channels), DilatedConvs(4 * channels, channels)]
        )

    def forward(self, x: Tensor) -> Tensor:
        first = F.relu(self.DDCNN[0](x))
        x = F.relu(self.DDCNN[1](first)) + first
        return F.avg_pool3d(x, (1, 2, 2))  # [B, 4C, T, H/2, W/2]


class FrameSimilarity(nn.Module):
    """How alike each frame's learned features are to those of its neighbours."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.projection = nn.Linear(in_channels, 128)
        self.fc = nn.Linear(LOOKUP, 128)

    def forward(self, stages: list[Tensor]) -> Tensor:
        pooled = torch.cat([x.mean(dim=(3, 4)) for x in stages], dim=1)  # [B, 448, T]
        features = self.projection(pooled.transpose(1, 2))  # [B, T, 128]
        return F.relu(self.fc(neighbour_similarity(features)))


class ColorHistograms(nn.Module):
    """How alike each frame's histogram of 8 × 8 × 8 colours is to those of its neighbours."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(LOOKUP, 128)

    def forward(self, frames: Tensor) -> Tensor:
        red, green, blue = (frames.flatten(2, 3).long() >> 5).unbind(-1)  # each [B, T, H·W], 0..7
        bins = (red << 6) + (green << 3) + blue
        histograms = torch.zeros(*bins.shape[:2], 512, device=bins.device)
        histograms.scatter_add_(2, bins, torch.ones_like(bins, dtype=histograms.dtype))
        return F.relu(self.fc(neighbour_similarity(histograms)))


def neighbour_similarity(features: Tensor) -> Tensor:
    """Cosine similarity of each frame to the 50 before it, itself and the 50 after it.

    [B, T, D] → [B, T, 101]; 0 where there is no such frame.
    """
    features = F.normalize(features, dim=2)
    every_pair = features @ features.transpose(1, 2)  # [B, T, T]
    padded = F.pad(every_pair, (LOOKUP // 2, LOOKUP // 2))  # [B, T, T + 100]
    frames = torch.arange(features.shape[1], device=features.device)
    columns = frames[:, None] + torch.arange(LOOKUP, device=features.device)  # [T, 101]
    return padded.gather(2, columns.expand(len(features), -1, -1))


class TransNetV2(nn.Module):
    """uint8 RGB frames [B, T, 27, 48, 3] → two logits per frame, [B, T, 2].

    The first says that the frame is the middle of a transition, the second that it is any frame of one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.SDDCNN = nn.ModuleList([Stage(3, 16), Stage(64, 32), Stage(128, 64)])
        self.frame_sim_layer = FrameSimilarity(64 + 128 + 256)
        self.color_hist_layer = ColorHistograms()
        self.fc1 = nn.Linear(128 + 128 + 256 * 3 * 6, 1024)
        self.cls_layer1 = nn.Linear(1024, 1)
        self.cls_layer2 = nn.Linear(1024, 1)

    def forward(self, frames: Tensor) -> Tensor:
        x = frames.permute(0, 4, 1, 2, 3).to(self.fc1.weight.dtype) / 255  # [B, 3, T, H, W]
        stages = []
        for stage in self.SDDCNN:
            x = stage(x)
            stages.append(x)
        x = x.permute(0, 2, 3, 4, 1).flatten(2)  # [B, T, 3·6·256]
        x = torch.cat([self.color_hist_layer(frames), self.frame_sim_layer(stages), x], dim=2)
        x = F.relu(self.fc1(x))  # [B, T, 1024]
        return torch.cat([self.cls_layer1(x), self.cls_layer2(x)], dim=2)


def load_transnetv2(weights: Path) -> TransNetV2:
    """The network with published weights, for inference.

    Raises:
        RuntimeError: the file's tensors are not those of this network.
    """
    from safetensors.torch import load_file

    network = TransNetV2()
    network.load_state_dict(load_file(weights))
    return network.eval().requires_grad_(False)


@torch.no_grad()
def transition_scores(network: TransNetV2, pictures: Iterable[np.ndarray]) -> Iterator[tuple[float, float]]:
    """Two probabilities per frame (see `TransNetV2`), in order, with one window of frames in memory.

    Args:
        network: on the device it shall run on.
        pictures: uint8 RGB [27, 48, 3], every frame of the video once, read as a stream.
    """
    device = network.fc1.weight.device
    for window, new in windows(pictures):
        frames = torch.from_numpy(np.stack(window)).to(device)
        scores = network(frames[None])[0].sigmoid()[OVERLAP : OVERLAP + new]
        yield from map(tuple, scores.tolist())


def windows(pictures: Iterable[np.ndarray]) -> Iterator[tuple[list[np.ndarray], int]]:
    """Windows of 100 frames, each 50 further; with each the number of frames, from the 25th, that it scores.

    The first and last frame stand in for the context that the film's ends lack.
    """
    step = WINDOW - 2 * OVERLAP
    stream = iter(pictures)
    first = next(stream, None)
    if first is None:
        return
    window = [first] * OVERLAP + [first, *islice(stream, WINDOW - OVERLAP - 1)]
    while len(window) > OVERLAP:
        new = min(step, len(window) - OVERLAP)
        yield list(islice(chain(window, repeat(window[-1])), WINDOW)), new
        window = window[step:] + list(islice(stream, step))


def cuts_from_scores(scores: Iterable[float], threshold: float) -> Iterator[tuple[int, float]]:
    """(index of the first frame after a transition, highest score in it) for each run above the threshold.

    A transition that lasts to the end begins no shot.
    """
    highest = 0.0
    for index, score in enumerate(scores):
        if score > threshold:
            highest = max(highest, score)
        elif highest:
            yield index, highest
            highest = 0.0
