"""Backward warping by PyTorch's own sampler, in one call for all pictures.

Shapes as in `naive`.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def warp(x: Tensor, flow: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """As the naive function."""
    # The sampler counts from -1, the first pixel's centre, to 1, the last one's.
    half = torch.tensor([max(length - 1, 1) / 2 for length in (x.shape[3], x.shape[2])], device=x.device)
    still = torch.stack(
        torch.broadcast_tensors(columns / half[0] - 1, (rows / half[1] - 1)[:, None])
    )  # [2,h,w]
    grid = torch.addcmul(still, flow.float(), 1 / half[:, None, None])
    return F.grid_sample(
        x.float(), grid.permute(0, 2, 3, 1), mode="bilinear", padding_mode="border", align_corners=True
    )
