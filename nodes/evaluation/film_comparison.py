"""How close one film comes to another, frame by frame and with two frames in memory.

A frame counts as wrong by its own error (PSNR, SSIM, a perceptual distance), and as unsteady by what it does
to the one before it: tOF compares the optical flow of both films (Chu et al., "Learning Temporal Coherence
via Self-Supervision for GAN-based Video Generation", 2020), flicker the change of the error itself. With a
mask of people the error is told inside and outside of it, as SportsSloMo does (Chen and Jiang, 2023).

Shapes: H rows, W columns; values in 0..1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import fmean
from typing import NamedTuple

import torch
from torch import Tensor

from . import quality
from .optical_flow import optical_flow

MOST_PSNR = 100.0
"""dB that a frame without any error counts, so that a mean over frames stays finite."""


class FrameFigures(NamedTuple):
    """What one frame was judged; None where it was not.

    index: of the frame in the film. psnr, inside, outside: dB, of all pixels and of both sides of the mask.
    tof: mean distance in pixels between the flows that lead to the frame; None for the first one.
    """

    index: int
    psnr: float
    ssim: float
    perceptual: float | None = None
    tof: float | None = None
    inside: float | None = None
    outside: float | None = None


class FilmComparison:
    """Takes both films' frames in order with `add`; `mean`, `flicker` and `frames` tell what was found."""

    def __init__(
        self,
        *,
        given_every: int = 0,
        motion: bool = True,
        perceptual: Callable[[Tensor, Tensor], Tensor] | None = None,
    ) -> None:
        """
        Args:
            given_every: every such frame from the first on was given to who made the film, and is not
                judged; 0 judges all.
            motion: whether to measure tOF, which takes most of the time.
            perceptual: distance of pictures [B,3,H,W] → [B], see `perceptual`.

        Raises:
            ValueError: every frame was given.
        """
        if given_every == 1:
            raise ValueError(
                "with given_every 1 no frame is left to judge; use 0 to judge all, else at least 2"
            )
        self.frames: list[FrameFigures] = []
        self.count = 0
        self._given_every, self._motion, self._perceptual = given_every, motion, perceptual
        self._before: tuple[Tensor, Tensor] | None = None
        self._error: Tensor | None = None
        self._squares = self._changes = 0.0

    def add(self, made: Tensor, true: Tensor, mask: Tensor | None = None) -> None:
        """Compare the next frame of both films, [3,H,W] each; `mask` [H,W] is 1 where people are."""
        if not (self._given_every and self.count % self._given_every == 0):
            self.frames.append(self._judged(made, true, mask))
            self._add_error(made - true)
        self._before = made, true
        self.count += 1

    @property
    def flicker(self) -> float:
        """How unsteady the error is from one judged frame to the next: 0 stands still (or is none), √2 is new
        every time."""
        judged = len(self.frames)
        if judged < 2 or not self._squares:
            return 0.0
        return math.sqrt((self._changes / (judged - 1)) / (self._squares / judged))

    def mean(self, name: str) -> float | None:
        """The mean of one of the `FrameFigures` over the frames that have it; None where none has."""
        values = [value for frame in self.frames if (value := getattr(frame, name)) is not None]
        return fmean(values) if values else None

    def worst(self) -> FrameFigures:
        """The judged frame with the lowest PSNR."""
        return min(self.frames, key=lambda frame: frame.psnr)

    def _add_error(self, error: Tensor) -> None:
        self._squares += error.square().mean().item()
        if self._error is not None:
            self._changes += (error - self._error).square().mean().item()
        self._error = error

    def _judged(self, made: Tensor, true: Tensor, mask: Tensor | None) -> FrameFigures:
        squares = (made - true).square().mean(dim=0)  # [H,W]
        tof = None
        if self._motion and self._before is not None:
            flow, true_flow = (
                optical_flow(one[None], two[None])
                for one, two in zip(self._before, (made, true), strict=True)
            )
            tof = (flow - true_flow).norm(dim=1).mean().item()
        return FrameFigures(
            index=self.count,
            psnr=_decibels(squares, torch.ones_like(squares)),
            ssim=quality.ssim(made[None, :, None], true[None, :, None]).item(),
            perceptual=self._perceptual(made[None], true[None]).item() if self._perceptual else None,
            tof=tof,
            inside=None if mask is None else _decibels(squares, mask),
            outside=None if mask is None else _decibels(squares, 1 - mask),
        )


def _decibels(squares: Tensor, weight: Tensor) -> float | None:
    """PSNR of squared errors [H,W] where they count; None where none does."""
    total = weight.sum().item()
    if not total:
        return None
    error = (squares * weight).sum().item() / total
    return min(MOST_PSNR, -10 * math.log10(error)) if error else MOST_PSNR
