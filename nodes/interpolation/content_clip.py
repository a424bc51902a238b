"""What is given of a film between two pictures: its ends and regions of other frames; and VACE's form of it.

Source: Tanveer et al. 2025, "MultiCOIN: Multi-Modal COntrollable Video INbetweening"; Jiang et al. 2025,
"VACE: All-in-One Video Creation and Editing".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ..vae.wan21 import LATENTS as WAN21
from .control_points import ControlError

EMPTY = 0.5
"""Grey of what is not given, as Wan's models take it."""
STRIDE = 8
"""Pixels of a latent's side in Wan 2.1, which VACE is made for."""
FRAMES = 4
"""Frames of each of its latent frames but the first, which has one."""
SIZE = 2 * STRIDE
"""What width and height must be multiples of: a token is two latents wide."""


class Content(NamedTuple):
    """clip: [T,H,W,3] in 0..1. mask: [T,H,W], 0 where the clip is given, 1 where it is to be made."""

    clip: Tensor
    mask: Tensor


def times_of(text: str, count: int) -> list[float]:
    """When each of `count` regions is given, shares of the film: as the text tells, "0.25, 0.5", or evenly.

    Raises:
        ControlError: the text has no numbers between 0 and 1, or not as many as regions.
    """
    if not text.strip():
        return [(number + 1) / (count + 1) for number in range(count)]
    try:
        times = [float(entry) for entry in text.split(",")]
    except ValueError as error:
        raise ControlError(f'times {text!r} are no numbers; write shares of the film, "0.25, 0.5"') from error
    if len(times) != count or not all(0 < time < 1 for time in times):
        raise ControlError(
            f"times {text!r} for {count} regions; write one above 0 and below 1 for each, the ends are given"
        )
    return times


def content_clip(
    start: Tensor,
    end: Tensor,
    frames: int,
    pictures: Tensor | None = None,
    regions: Tensor | None = None,
    times: str = "",
) -> Content:
    """A film of which both ends are given, and regions of frames between.

    Args:
        start, end: [H,W,3] in 0..1.
        pictures: [K,H,W,3] or [1,H,W,3], what regions show.
        regions: [K,H,W], above 0.5 where the pictures are given.
        times: see `times_of`.

    Raises:
        ControlError: regions, pictures and times do not fit.
    """
    if regions is None and (pictures is not None or times.strip()):
        raise ControlError("there are pictures or times of regions and no region; wire masks to region")
    clip, mask = start.new_full((frames, *start.shape), EMPTY), start.new_ones(frames, *start.shape[:2])
    if regions is not None:
        if pictures is None or len(pictures) not in {1, len(regions)}:
            found = 0 if pictures is None else len(pictures)
            raise ControlError(
                f"{len(regions)} regions and {found} pictures of what they show; wire region_image, one "
                "picture for all or one for each"
            )
        for number, time in enumerate(times_of(times, len(regions))):
            at, given = min(max(1, round(time * (frames - 1))), frames - 2), regions[number] > 0.5
            clip[at][given] = pictures[number % len(pictures)][given]
            mask[at][given] = 0
    for at, picture in ((0, start), (-1, end)):
        clip[at], mask[at] = picture, 0
    return Content(clip, mask)


def vace_context(encode: Callable[[Tensor], Tensor], content: Content) -> tuple[Tensor, Tensor]:
    """What VACE's side network looks at: latents of what is given and what is made, and the mask.

    Args:
        encode: pixels [T,H,W,3] → latents [1,C,t,h,w].

    Returns:
        [1,2C,t,h,w] and [1,64,t,h,w].

    Raises:
        ControlError: the sizes, or the latents, are not VACE's.
    """
    frames, height, width = content.mask.shape
    if height % SIZE or width % SIZE or frames % FRAMES != 1:
        raise ControlError(
            f"{frames} frames of {width}x{height} pixels; VACE takes sides that are multiples of {SIZE} and "
            f"a multiple of {FRAMES} frames plus one. Resize the pictures, or leave vae unwired to get clips"
        )
    made = content.mask[..., None]
    shown = content.clip - EMPTY
    latents = torch.cat([encode(shown * part + EMPTY) for part in (1 - made, made)], dim=1)
    size = ((frames - 1) // FRAMES + 1, height // STRIDE, width // STRIDE)
    if latents.shape != (1, 2 * WAN21.channels, *size):
        raise ControlError(
            f"the VAE makes latents of shape {list(latents.shape)} of both parts; needed is "
            f"{[1, 2 * WAN21.channels, *size]}: wire a Wan 2.1 VAE, which VACE models look through"
        )
    cells = content.mask.unflatten(1, (-1, STRIDE)).unflatten(3, (-1, STRIDE))  # [T,h,8,w,8]
    channels = cells.permute(2, 4, 0, 1, 3).flatten(0, 1)[None]
    return latents, torch.nn.functional.interpolate(channels, size=size, mode="nearest-exact")


def with_contexts(conditioning: list, contexts: list[tuple[Tensor, Tensor]], strengths: list[float]) -> list:
    """CONDITIONING with further contexts for VACE, after those that it has."""
    added = {
        "vace_frames": [latents for latents, _ in contexts],
        "vace_mask": [mask for _, mask in contexts],
        "vace_strength": strengths,
    }
    return [
        [text, {**options, **{key: [*options.get(key, []), *values] for key, values in added.items()}}]
        for text, options in conditioning
    ]
