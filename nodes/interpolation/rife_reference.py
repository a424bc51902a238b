"""RIFE's forward as it was published: everything at full size, one step after another, warped by hand.

The readable reference for `rife.Rife.forward`, which must give the same; no node runs it.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ...kernels.warp import naive
from .rife import LARGE_MOTION, Rife


def between(network: Rife, img0: Tensor, img1: Tensor, time: float, scale: float = 1.0) -> Tensor:
    """One frame between two, [1,3,H,W]; arguments as of `Rife.forward`."""
    levels = [level / scale for level in network.config.levels]
    img0, img1 = img0.clamp(0, 1), img1.clamp(0, 1)
    return _between(network, img0, img1, time, levels, restarts=network.config.prelu)


def _between(
    network: Rife, img0: Tensor, img1: Tensor, time: float, levels: list[float], restarts: bool
) -> Tensor:
    config = network.config
    features = [network.extract_features(image) for image in (img0, img1)]
    times = torch.full_like(img0[:, :1], time)
    flow = torch.zeros_like(img0[:, :1]).expand(-1, 4, -1, -1)
    mask, state = torch.zeros_like(times), img0[:, :0]
    for index, (level, block) in enumerate(zip(levels, network.blocks, strict=True)):
        seen = torch.cat((*_both(img0, img1, flow), *_both(*features, flow), times), 1)
        seen = torch.cat((seen, mask, state), 1) if index else seen
        seen = F.interpolate(seen, scale_factor=1 / level, mode="bilinear")
        if index:
            small_flow = F.interpolate(flow, scale_factor=1 / level, mode="bilinear") / level
            seen = torch.cat((seen, small_flow), 1)
        made_at = level if config.shuffles else 2 * level
        made = F.interpolate(block(seen), scale_factor=made_at, mode="bilinear")
        change = made[:, :4] * made_at
        least = min(change[:, :2].abs().max(), change[:, 2:].abs().max())
        if restarts and index == 1 and least > LARGE_MOTION:
            return _between(network, img0, img1, time, [2 * level for level in levels], restarts=False)
        flow = flow + change
        mask = mask + made[:, 4:5] if config.adds_masks else made[:, 4:5]
        state = made[:, 5:]
    moved0, moved1 = _both(img0, img1, flow)
    share = mask.sigmoid()
    return moved0 * share + moved1 * (1 - share)


def _both(first: Tensor, second: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """Two pictures, each warped by its half of the flow."""
    rows, columns = (torch.arange(length, dtype=torch.float32) for length in flow.shape[2:])
    return naive.warp(first, flow[:, :2], rows, columns), naive.warp(second, flow[:, 2:], rows, columns)
