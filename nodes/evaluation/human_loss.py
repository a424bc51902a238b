"""SportsSloMo's human-aware loss terms: an in-between frame should look to others as the true one does.

Bodies bend and hide each other, and a loss of pixels hardly sees an arm in the wrong place. Two frozen
networks do: one that segments and one that finds people's keypoints. What they make of the interpolated frame
is compared with what they make of the true one; the terms are added to any interpolation network's own loss:

    L = L_own + 0.001 · (20 · focal + dice) + 0.1 · |heatmaps − heatmaps*|²

Segments are compared by their probabilities, with the soft forms of both losses (Milletari et al., "V-Net",
2016; Li et al., "Generalized Focal Loss", 2020): they are the plain ones where the true segments are 0 or 1,
and exactly 0 for equal frames. Source: Chen and Jiang, "SportsSloMo: A New Benchmark and Baselines for
Human-centric Video Frame Interpolation", 2023.

Shapes: B frames, K segments, J keypoints, H rows and W columns of a frame, h and w of a network's output.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SEGMENTATION, KEYPOINTS = 0.001, 0.1
"""Weights of the two terms."""
FOCAL = 20.0
"""Weight of the focal loss within the first."""
BALANCE, FOCUS = 0.25, 2
"""Of the focal loss: the share of what belongs to a segment, and the exponent that hides small errors."""

Network = Callable[[Tensor], Tensor]


class HumanTerms(NamedTuple):
    """The weighted terms, scalars that carry gradients to the interpolated frame."""

    segmentation: Tensor
    keypoints: Tensor


class HumanAwareLoss(nn.Module):
    """The terms for frames [B,3,H,W] in 0..1. Its networks are frozen; a term of weight 0 runs none.

    Args:
        segmenter: frames → logits [B,K,h,w], in which a segment keeps its place from frame to frame: the
            classes of a semantic network or the queries of a panoptic one. None without that term.
        pose: frames → heatmaps of keypoints [B,J,h,w]. None without that term.
        segmentation, keypoints: weights.
    """

    def __init__(
        self,
        segmenter: nn.Module | None,
        pose: nn.Module | None,
        segmentation: float = SEGMENTATION,
        keypoints: float = KEYPOINTS,
    ) -> None:
        super().__init__()
        self.segmenter, self.pose = segmenter, pose
        self.segmentation = segmentation if segmenter is not None else 0.0
        self.keypoints = keypoints if pose is not None else 0.0
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> HumanAwareLoss:
        """Its networks only judge: they stay in evaluation whatever a trainer sets."""
        return super().train(False)

    def forward(self, made: Tensor, true: Tensor) -> HumanTerms:
        """How much worse networks see the interpolated frames than the true ones."""
        nothing = made.new_zeros(())
        terms = HumanTerms(nothing, nothing)
        if self.segmentation:
            found, wanted = _answers(self.segmenter, made, true)
            loss = FOCAL * focal_loss(found, wanted.sigmoid()) + dice_loss(found.sigmoid(), wanted.sigmoid())
            terms = terms._replace(segmentation=self.segmentation * loss)
        if self.keypoints:
            terms = terms._replace(
                keypoints=self.keypoints * F.mse_loss(*_answers(self.pose, made, true)),
            )
        return terms


def _answers(network: Network, made: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    """What a network makes of both; the true frames are what counts, so they carry no gradient."""
    with torch.no_grad():
        wanted = network(true)
    return network(made), wanted


def dice_loss(found: Tensor, wanted: Tensor, smooth: float = 1.0) -> Tensor:
    """1 − twice what both segments share, over their sizes, mean over B and K: probabilities [B,K,h,w]."""
    shared = (found * wanted).flatten(2).sum(dim=2)
    sizes = (found.square() + wanted.square()).flatten(2).sum(dim=2)
    return (1 - (2 * shared + smooth) / (sizes + smooth)).mean()


def focal_loss(logits: Tensor, wanted: Tensor) -> Tensor:
    """Cross entropy weighed by the squared error, mean over all: logits and probabilities [B,K,h,w]."""
    entropy = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    balance = BALANCE * wanted + (1 - BALANCE) * (1 - wanted)
    return (balance * (logits.sigmoid() - wanted).abs().pow(FOCUS) * entropy).mean()
