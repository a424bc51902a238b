"""Small pictures of latents."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import torch
from torch import Tensor
from torch.nn import functional as F

from ..video.pixels import Converter, images_of_frames
from ..video.recipe import Recipe
from .rough_colours import rough_colours, space_of


def small_images(recipe: Recipe, side: int, tick: Callable[[int], None]) -> Tensor:
    """Every frame of a video, at most `side` pixels long: [T,H,W,3] in 0..1; only the small ones are held."""
    spec = recipe.spec
    scale = min(1.0, side / max(spec.width, spec.height))
    width, height = (max(1, round(length * scale)) for length in (spec.width, spec.height))
    to_small = Converter(width, height, "rgb24", "area")
    images = []
    for frame in recipe.frames():
        images.append(images_of_frames([to_small(frame.image)]))
        tick(1)
    return torch.cat(images)


def rough_preview(latents: Tensor, space: str | None, side: int, fps: Fraction) -> tuple[Tensor, Fraction]:
    """Rough colours of the first film of [B,Z,T,h,w], or of pictures [B,Z,h,w].

    Args:
        space: the latent space's name; None goes by the channels.
        side: the pictures' longest side in pixels, at most that of the film.
        fps: of the film.

    Returns:
        images [T,H,W,3] in 0..1, one per latent frame, and their rate.

    Raises:
        ValueError: the latents are nested, or no map is known for them.
    """
    if getattr(latents, "is_nested", False):
        raise ValueError("this latent holds several tensors in one; wire a node that separates them first")
    facts = space_of(latents.shape[1], space)
    film = latents[:1] if latents.ndim == 5 else latents.movedim(0, 1)[None]  # [1,Z,T,h,w]
    cells = rough_colours(film, facts)[0].movedim(-1, 1)  # [T,3,h,w]
    scale = min(facts.space, side / max(cells.shape[2:]))
    size = [max(1, round(length * scale)) for length in cells.shape[2:]]
    mode = "bilinear" if scale > 1 else "area"
    return F.interpolate(cells, size, mode=mode).movedim(1, -1), fps / facts.time
