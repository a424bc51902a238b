"""How close one film comes to another: PSNR, SSIM, and flicker.

Shapes: B films, C colours, T frames, H rows, W columns; values in 0..1.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

WINDOW, SIGMA = 11, 1.5
"""Side and standard deviation in pixels of the Gaussian that SSIM weighs with."""

C1, C2 = 0.01**2, 0.03**2


def psnr(made: Tensor, true: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB of each film: [B,C,T,H,W] twice → [B]. Equal films give infinity."""
    return -10 * (made - true).square().flatten(1).mean(dim=1).log10()


def ssim(made: Tensor, true: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004) of each film, mean over frames and colours: → [B].

    Only windows that lie wholly in the picture count.

    Raises:
        ValueError: pictures smaller than the window.
    """
    if min(made.shape[-2:]) < WINDOW:
        height, width = made.shape[-2:]
        raise ValueError(
            f"SSIM needs pictures of {WINDOW} × {WINDOW} pixels at least, got {width} × {height}"
        )
    mean_m, mean_t = _blurred(made), _blurred(true)
    variance_m = _blurred(made.square()) - mean_m.square()
    variance_t = _blurred(true.square()) - mean_t.square()
    covariance = _blurred(made * true) - mean_m * mean_t
    likeness = (2 * mean_m * mean_t + C1) * (2 * covariance + C2)
    likeness /= (mean_m.square() + mean_t.square() + C1) * (variance_m + variance_t + C2)
    return likeness.flatten(1).mean(dim=1)


def _blurred(film: Tensor) -> Tensor:
    """Gaussian mean around each pixel: [B,C,T,H,W] → [B,C,T,H−10,W−10]."""
    taps = torch.exp(-((torch.arange(WINDOW) - WINDOW // 2) ** 2) / (2 * SIGMA**2))
    taps = (taps / taps.sum()).to(film)
    planes = film.reshape(-1, 1, *film.shape[-2:])
    blurred = F.conv2d(F.conv2d(planes, taps.view(1, 1, -1, 1)), taps.view(1, 1, 1, -1))
    return blurred.reshape(*film.shape[:3], *blurred.shape[-2:])


def flicker(made: Tensor, true: Tensor) -> Tensor:
    """How unsteady the error is: its change from frame to frame over its size in the frames, → [B].

    Both are root mean squares. 0 is an error that stands still; √2 is one that is new in every frame.

    Raises:
        ValueError: films of a single frame.
    """
    if made.shape[2] < 2:
        raise ValueError("flicker is between frames: it needs films of 2 at least, got 1")
    error = made - true
    return (_mean_square(error.diff(dim=2)) / _mean_square(error)).sqrt()


def _mean_square(films: Tensor) -> Tensor:
    return films.square().flatten(1).mean(dim=1)
