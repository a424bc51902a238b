"""Guidance: make the film follow its prompt more than the network alone would.

A network gives two velocities [B,C,T,h,w]: with the prompt (cond), and without it or with a negative one
(uncond). A `Guide` makes one of them, at sigma [B,T]. How strongly it guides, its `Scale`, may depend on the
noise level and on the frame; where that is 1 nothing is guided, and the result is cond bit for bit.

With x0 = x − σ·v, mixtures whose weights add up to 1 are the same of x0 as of v; others are not, so
`in_denoised` carries any guide over to the x0 that ComfyUI's post-CFG functions get.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Scale = Callable[[Tensor], Tensor]
"""sigma [B,T] → how strongly to guide each frame, [B,T]; 1 is not at all."""

Guide = Callable[[Tensor, Tensor, Tensor], Tensor]
"""cond, uncond [B,C,T,h,w], sigma [B,T] → the guided velocity."""

NEVER = 2.0
"""A noise level that no frame has."""


def per_frame(values: Tensor) -> Tensor:
    """[B,T] or [T] as factors for [B,C,T,h,w]."""
    return values.view(-1, 1, values.shape[-1], 1, 1)


def constant(scale: float) -> Scale:
    """The same strength for every frame at every step."""
    return lambda sigma: torch.full_like(sigma, scale)


def ramp(first: float, last: float) -> Scale:
    """From `first` at σ = 1 to `last` at σ = 0, linearly in σ."""
    return lambda sigma: last + (first - last) * sigma


def over_frames(first: float, last: float) -> Scale:
    """From `first` at the first frame to `last` at the last, linearly (Blattmann et al. 2023).

    Stable Video Diffusion's: frames far from the picture they start from need more guidance.
    """

    def scale(sigma: Tensor) -> Tensor:
        weights = torch.linspace(first, last, sigma.shape[-1], device=sigma.device, dtype=sigma.dtype)
        return weights.expand_as(sigma)

    return scale


def guided(cond: Tensor, uncond: Tensor, scale: float | Tensor) -> Tensor:
    """uncond + scale · (cond − uncond) (classifier-free guidance, Ho and Salimans 2022).

    Args:
        cond, uncond: [B,C,T,h,w].
        scale: one number, or one for each frame, [T] or [B,T]. 1 gives cond, bit for bit.
    """
    if isinstance(scale, Tensor) and scale.ndim:
        scale = per_frame(scale)
    return cond + (scale - 1) * (cond - uncond)


def guided_zero_star(
    cond: Tensor, uncond: Tensor, scale: float | Tensor, sigma: Tensor | None = None
) -> Tensor:
    """CFG-Zero* (Fan et al. 2025): guide away from s·uncond, s = ⟨cond, uncond⟩ / ‖uncond‖² for each film.

    s·uncond is the part of cond that points along uncond: a network that is not yet sure gives an uncond of
    the wrong length, and plain guidance then adds its error.

    Args:
        sigma: [B,T]; what a network answers for clean frames (σ = 0) counts for nothing in s.
    """
    counts = 1 if sigma is None else per_frame(sigma > 0)
    return guided(cond, projection(cond * counts, uncond * counts) * uncond, scale)


def projection(cond: Tensor, uncond: Tensor) -> Tensor:
    """⟨cond, uncond⟩ / ‖uncond‖² of each film, [B,1,1,1,1]; 0 where uncond is 0."""
    a, b = cond.flatten(1).float(), uncond.flatten(1).float()
    scale = (a * b).sum(dim=1) / b.square().sum(dim=1).clamp(min=torch.finfo(torch.float32).tiny)
    return scale.to(cond.dtype).view(-1, *[1] * (cond.ndim - 1))


@dataclass(frozen=True)
class Guidance:
    """A guide of a strength and a formula.

    scale: how strongly.
    zero_star: CFG-Zero* instead of plain guidance.
    zero_from: frames at this σ and above do not move at all, see `zero_init`.
    """

    scale: Scale
    zero_star: bool = False
    zero_from: float = NEVER

    def __call__(self, cond: Tensor, uncond: Tensor, sigma: Tensor) -> Tensor:
        scale = self.scale(sigma)
        if self.zero_star:
            velocity = guided_zero_star(cond, uncond, scale, sigma)
        else:
            velocity = guided(cond, uncond, scale)
        return torch.where(per_frame(sigma >= self.zero_from), torch.zeros_like(velocity), velocity)


def zero_init(sigmas: Tensor, steps: int) -> float:
    """CFG-Zero*'s zero-init: the level down to which the first `steps` steps of a flat schedule do nothing.

    Near pure noise a network guesses worse than no step at all (Fan et al. 2025).

    Raises:
        ValueError: no step would be left to do anything.
    """
    if steps >= len(sigmas) - 1:
        raise ValueError(
            f"{steps} steps at the start are to stand still, and there are {len(sigmas) - 1} in all; set "
            "fewer zero steps"
        )
    return float(sigmas[steps - 1]) if steps else NEVER


def in_denoised(guide: Guide) -> Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]:
    """The same guide on estimates x0: (cond_x0, uncond_x0, x, level [B], sigma [B,T]) → guided x0.

    The estimates are x − level · v with one level above 0 for all frames, whatever each frame's own sigma:
    so ComfyUI makes them.
    """

    def guide_denoised(cond: Tensor, uncond: Tensor, x: Tensor, level: Tensor, sigma: Tensor) -> Tensor:
        level = level.view(-1, *[1] * (x.ndim - 1))
        return x - level * guide((x - cond) / level, (x - uncond) / level, sigma)

    return guide_denoised
