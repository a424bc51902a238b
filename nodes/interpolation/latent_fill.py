"""Where frames between those of a film are put, and which of all are to be made.

Shapes: B films, Z channels, K frames that are there, T = (K − 1)·factor + 1 in all, h × w cells.
"""

from __future__ import annotations

import torch
from torch import Tensor


def spread(samples: Tensor, factor: int) -> Tensor:
    """[B,Z,K,h,w] → [B,Z,T,h,w]: the frames at every `factor`-th place, and the nearest of them between."""
    return samples[:, :, nearest(samples.shape[2], factor)]


def nearest(frames: int, factor: int) -> Tensor:
    """The frame of K that is nearest to each of T places, the earlier one halfway: int64 [T]."""
    places = torch.arange((frames - 1) * factor + 1)
    return (2 * places + factor - 1) // (2 * factor)


def made_between(samples: Tensor, factor: int) -> Tensor:
    """The mask [B,1,T,1,1] that keeps every `factor`-th frame of [B,Z,T,h,w]."""
    mask = samples.new_ones(samples.shape[0], 1, samples.shape[2], 1, 1)
    mask[:, :, ::factor] = 0
    return mask
