"""Dense optical flow by Farnebäck's method, in plain torch: what a measure of motion needs, no weights.

Around every pixel a picture is fitted by a quadratic polynomial xᵀAx + bᵀx + c; a shift by d turns b into
b − 2Ad, which gives d. Source: Farnebäck, "Two-Frame Motion Estimation Based on Polynomial Expansion", 2003.

Shapes: B pictures, H rows, W columns; x to the right, y down, in pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ...kernels.warp.dispatch import warp

RADIUS, SIGMA = 5, 1.2
"""Reach and standard deviation, in pixels, of the Gaussian that a polynomial is fitted under."""
WINDOW = 15
"""Side of the square in which motion is taken to be the same."""
ROUNDS = 3
"""How often the estimate of one scale is refined."""
SCALES, SMALLEST = 4, 32
"""Most scales, each half the one before, and the shorter side below which there is no smaller one."""
FLAT = 1e-3
"""Added to the determinant, so that where nothing is to be seen nothing moves; for greys of 0 to 255."""
LUMA = (0.299, 0.587, 0.114)


def optical_flow(first: Tensor, second: Tensor) -> Tensor:
    """Where each pixel of the first picture is in the second, relative to its place.

    Args:
        first, second: RGB [B,3,H,W] in 0..1.

    Returns:
        [B,2,H,W]: x and y in pixels.
    """
    pair = torch.cat([first, second])
    luma = torch.tensor(LUMA).to(pair).view(1, 3, 1, 1)
    scales = [(pair * luma).sum(dim=1, keepdim=True) * 255]  # [2B,1,H,W]
    while len(scales) < SCALES and min(scales[-1].shape[-2:]) >= 2 * SMALLEST:
        scales.append(_half(scales[-1]))
    flow = torch.zeros(len(first), 2, *scales[-1].shape[-2:]).to(pair)
    for grey in reversed(scales):
        here, there = _polynomials(grey).chunk(2)  # each [B,5,h,w]
        flow = _resized(flow, grey.shape[-2:])
        for _ in range(ROUNDS):
            flow = _refined(flow, here, there)
    return flow


def _half(grey: Tensor) -> Tensor:
    height, width = grey.shape[-2:]
    size = ((height + 1) // 2, (width + 1) // 2)
    return F.interpolate(grey, size, mode="bilinear", align_corners=False, antialias=True)


def _resized(flow: Tensor, size: torch.Size) -> Tensor:
    """The flow of a scale at the next one, its vectors in that one's pixels."""
    height, width = flow.shape[-2:]
    growth = torch.tensor([size[1] / width, size[0] / height]).to(flow).view(1, 2, 1, 1)
    return F.interpolate(flow, size, mode="bilinear", align_corners=False) * growth


def _fit() -> Tensor:
    """The filters that give a polynomial's coefficients of x, y, x², y² and xy: [5,1,11,11]."""
    reach = torch.arange(-RADIUS, RADIUS + 1, dtype=torch.float64)
    y, x = (axis.flatten() for axis in torch.meshgrid(reach, reach, indexing="ij"))
    basis = torch.stack([torch.ones_like(x), x, y, x * x, y * y, x * y])  # [6,121]
    weighted = basis * torch.exp(-(x * x + y * y) / (2 * SIGMA**2))
    filters = torch.linalg.solve(weighted @ basis.T, weighted)[1:]
    return filters.float().view(5, 1, len(reach), len(reach))


def _polynomials(grey: Tensor) -> Tensor:
    """Each pixel's coefficients [B,5,H,W]: b in two, then A's diagonal and its off-diagonal element."""
    padded = F.pad(grey, [RADIUS] * 4, mode="replicate")
    fitted = F.conv2d(padded, _fit().to(grey))
    fitted[:, 4] /= 2  # the polynomial has xy twice
    return fitted


def _refined(flow: Tensor, here: Tensor, there: Tensor) -> Tensor:
    """A better flow: the least squares of A·d = Δb over a window around each pixel."""
    there = warp(there, flow)
    xx, yy, xy = ((here + there) / 2)[:, 2:].unbind(1)  # A, each [B,H,W]
    dx, dy = flow.unbind(1)
    shift_x, shift_y = ((here - there) / 2)[:, :2].unbind(1)
    shift_x, shift_y = shift_x + xx * dx + xy * dy, shift_y + xy * dx + yy * dy
    normal = torch.stack(
        [
            xx * xx + xy * xy,
            xy * (xx + yy),
            yy * yy + xy * xy,
            xx * shift_x + xy * shift_y,
            xy * shift_x + yy * shift_y,
        ],
        dim=1,
    )
    reach = WINDOW // 2
    g11, g12, g22, h1, h2 = F.avg_pool2d(F.pad(normal, [reach] * 4, mode="replicate"), WINDOW, 1).unbind(1)
    determinant = g11 * g22 - g12 * g12 + FLAT
    return torch.stack([g22 * h1 - g12 * h2, g11 * h2 - g12 * h1], dim=1) / determinant[:, None]
