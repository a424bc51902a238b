"""Backward warping, each output pixel from four neighbours by hand: the readable reference.

Shapes: N pictures, C channels, H × W the picture, h × w the pixels that are wanted.
"""

from __future__ import annotations

import torch
from torch import Tensor


def warp(x: Tensor, flow: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Sample x [N,C,H,W] bilinearly at the wanted pixels plus their flow; the border goes on beyond it.

    Args:
        flow: [N,2,h,w] in pixels, x to the right and y down.
        rows, columns: [h] and [w], the wanted pixels' positions in the picture.

    Returns:
        [N,C,h,w] float32.
    """
    n, c, height, width = x.shape
    across = (columns + flow[:, 0].float()).clamp(0, width - 1)  # [N,h,w]
    down = (rows[:, None] + flow[:, 1].float()).clamp(0, height - 1)
    left, top = across.floor(), down.floor()
    right_share, below_share = across - left, down - top
    pixels = x.float().flatten(2)
    made = x.new_zeros(n, c, *flow.shape[2:], dtype=torch.float32)
    for step_down, share_down in ((0, 1 - below_share), (1, below_share)):
        for step_across, share_across in ((0, 1 - right_share), (1, right_share)):
            row = (top + step_down).clamp(max=height - 1).long()
            column = (left + step_across).clamp(max=width - 1).long()
            corner = (row * width + column).flatten(1)[:, None].expand(-1, c, -1)
            share = (share_down * share_across)[:, None]
            made = made + share * pixels.gather(2, corner).view_as(made)
    return made
