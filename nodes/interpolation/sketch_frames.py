"""Sketches of some of a film's frames, as a transformer takes them: latents with two masks.

Shapes: F frames of H × W pixels, T latent frames of h × w cells, n sketches.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

TIME = 4
"""Frames of a latent frame but the first."""
GREY = 0.5
"""What frames without a sketch are."""


class Sketches(NamedTuple):
    """channels: [1,24,n,h,w]. frames: the latent frame that each belongs to."""

    channels: Tensor
    frames: list[int]


def frame_numbers(text: str, frames: int, count: int) -> list[int]:
    """Numbers as people write them, "0, 30, 60".

    Args:
        frames: of the film. count: of the sketches.

    Raises:
        ValueError: they are no numbers of frames, repeat, or are not as many as the sketches.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    known = {str(frame) for frame in range(frames)}
    if not known.issuperset(parts):
        raise ValueError(f'sketch frames {text!r}: write numbers from 0 to {frames - 1}, as in "0, 30"')
    numbers = [int(part) for part in parts]
    if len(set(numbers)) != count or len(numbers) != count:
        raise ValueError(
            f"{count} sketches and {len(set(numbers))} frames ({text!r}); write a frame of its own for each"
        )
    return numbers


def latent_frame(frame: int) -> int:
    """The latent frame that holds a frame."""
    return (frame + TIME - 1) // TIME


def sketch_film(sketches: Tensor, numbers: list[int], frames: int) -> Tensor:
    """Sketches [n,H,W,3] in 0..1, dark on light, as a film [F,H,W,3]: light on dark, and grey elsewhere."""
    film = torch.full((frames, *sketches.shape[1:]), GREY)
    film[numbers] = 1 - sketches.cpu()
    return film


def conditioned(latents: Tensor, numbers: list[int], blank: Tensor | None) -> Sketches:
    """Sketches as the transformer takes them, in the order of their frames.

    Args:
        latents: normalised, of the whole `sketch_film`, [1,16,T,h,w].
        blank: [n,H,W], 1 where a sketch leaves a region to the model; None is nowhere.
    """
    _, _, length, height, width = latents.shape
    frames = TIME * (length - 1) + 1
    there, counts = torch.zeros(frames, height, width), torch.ones(frames, height, width)
    there[numbers] = 1
    if blank is not None:
        small = F.interpolate(blank[:, None].float(), size=(height, width), mode="nearest")[:, 0]
        counts[numbers] = 1 - small.cpu()
    order = sorted(latent_frame(number) for number in numbers)
    parts = [_by_fours(there), latents.float().cpu(), _by_fours(counts)]
    return Sketches(torch.cat(parts, dim=1)[:, :, order], order)


def _by_fours(masks: Tensor) -> Tensor:
    """Masks of frames [F,h,w] → of latent frames [1,4,T,h,w]; the first frame counts four times."""
    whole = torch.cat([masks[:1].expand(TIME, -1, -1), masks[1:]])
    return whole.unflatten(0, (-1, TIME)).transpose(0, 1)[None]
