"""Latents of a film to be made: empty, or with given first and last frames."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from comfy.utils import common_upscale
from torch import Tensor

from .runtime import result_device
from .vae.latents import LatentFacts
from .vae.rough_colours import SPACES
from .vae_films import FILM

PATCH = 2
"""Latent cells that a transformer takes as one, across and down."""


class Space(NamedTuple):
    """What a film's size must be divisible by.

    channels: of the latents. cell: pixels across and down. time: frames to a latent frame but the first.
    """

    channels: int
    cell: int
    time: int

    @property
    def side(self) -> int:
        """Pixels that width and height are whole multiples of."""
        return self.cell * PATCH

    def frames(self, latent_frames: int) -> int:
        return self.time * (latent_frames - 1) + 1

    def latent_frames(self, frames: int) -> int:
        """How many hold so many frames, rounded up."""
        return -(-(frames - 1) // self.time) + 1


def space_of(name: str, vae: Any | None) -> Space:
    """A latent space by name; "auto" is the VAE's, and Wan 2.1's without one."""
    if name == "auto" and vae is not None:
        return Space(
            vae.latent_channels, vae.spacial_compression_decode(), vae.temporal_compression_decode() or 1
        )
    facts: LatentFacts = SPACES["Wan 2.1" if name == "auto" else name]
    return Space(facts.channels, facts.space, facts.time)


class Given(NamedTuple):
    """What a film begins and ends with: IMAGE [T,H,W,3], or a LATENT to go on from."""

    start: Tensor | None = None
    end: Tensor | None = None
    prefix: dict[str, Any] | None = None


class FilmLatent(NamedTuple):
    """A LATENT, how many of its latent frames are given at both ends, and what is to be told of it."""

    latent: dict[str, Any]
    first: int
    last: int
    report: str


def film_latent(
    size: tuple[int, int, int], batch: int, space: Space, given: Given, vae: Any | None
) -> FilmLatent:
    """A LATENT of that many frames; its noise mask is 0 where frames are given.

    Args:
        size: frames, height and width in pixels; rounded to what the space takes, which the report tells.

    Raises:
        ValueError: pictures without a VAE, more given frames than the film has, or another model's prefix.
    """
    frames, height, width = size
    notes: list[str] = []
    sides = [max(space.side, round(length / space.side) * space.side) for length in (height, width)]
    if given.prefix is not None:
        prefix = given.prefix["samples"]
        sides = [length * space.cell for length in prefix.shape[-2:]]
    length = space.latent_frames(frames)
    made = (space.frames(length), *sides)
    if made != size:
        notes.append(f"rounded from {_told(size)} to {_told(made)}, which the model takes")
    first, last = _given_latents(given, space, sides, vae, notes)
    count = [0 if part is None else part.shape[2] for part in (first, last)]
    if sum(count) >= length:
        raise ValueError(
            f"{sum(count)} latent frames are given, and the film of {made[0]} frames has {length}; ask for "
            f"more than {space.frames(sum(count))} frames, or give fewer"
        )
    latent = _composed(space, batch, length, sides, first, last)
    if made != size and tuple(made[1:]) == tuple(size[1:]):
        latent[FILM] = size  # what is beyond is cut off when it is decoded
    told = f"{_told(made)} → latent {list(latent['samples'].shape)}"
    if sum(count):
        told += f", its first {count[0]} and last {count[1]} latent frames given"
    return FilmLatent(latent, *count, "\n".join([told, *notes]))


def _composed(
    space: Space, batch: int, length: int, sides: list[int], first: Tensor | None, last: Tensor | None
) -> dict[str, Any]:
    """The LATENT: zeros, and given frames at the ends with a mask."""
    plane = [side // space.cell for side in sides]
    samples = torch.zeros(batch, space.channels, length, *plane, device=result_device())
    mask = torch.ones(batch, 1, length, *plane, device=result_device())
    if first is not None:
        samples[:, :, : first.shape[2]], mask[:, :, : first.shape[2]] = first.to(samples), 0.0
    if last is not None:
        samples[:, :, -last.shape[2] :], mask[:, :, -last.shape[2] :] = last.to(samples), 0.0
    latent: dict[str, Any] = {"samples": samples}
    return latent if first is None and last is None else {**latent, "noise_mask": mask}


def _given_latents(
    given: Given, space: Space, sides: list[int], vae: Any | None, notes: list[str]
) -> tuple[Tensor | None, Tensor | None]:
    """The given frames [1 or B, C, t, h, w] at the start and at the end."""
    if vae is None and (given.start is not None or given.end is not None):
        raise ValueError("pictures are given without a VAE to encode them; wire the model's VAE")
    if given.prefix is not None and given.start is not None:
        raise ValueError("both a latent and pictures are given to begin with; leave one of them out")
    first = last = None
    if given.prefix is not None:
        first = given.prefix["samples"]
        if first.ndim != 5 or first.shape[1] != space.channels:
            raise ValueError(
                f"the latent to go on from is {list(first.shape)}; needed is a film of {space.channels} "
                "channels, [batch, channels, frames, height, width]"
            )
    if given.start is not None:
        kept = space.frames((len(given.start) - 1) // space.time + 1)
        if kept != len(given.start):
            notes.append(
                f"of {len(given.start)} first pictures {kept} fill latent frames, the others are left out"
            )
        first = vae.encode(_scaled(given.start[:kept], sides))
    if given.end is not None:
        last = vae.encode(_scaled(_with_lead(given.end, space, notes), sides))[:, :, 1:]
    return first, last


def _with_lead(images: Tensor, space: Space, notes: list[str]) -> Tensor:
    """Last pictures with one before them: a film's first latent frame is of another kind than all others."""
    count = max(1, len(images) // space.time) * space.time
    if len(images) > count:
        if len(images) - 1 > count:
            notes.append(
                f"of {len(images)} last pictures {count} fill latent frames, the others are left out"
            )
        return images[-count - 1 :]
    return torch.cat([images[:1].expand(count + 1 - len(images), -1, -1, -1), images])


def _scaled(images: Tensor, sides: list[int]) -> Tensor:
    """[T,H,W,C] cut to the aspect ratio and scaled to (height, width)."""
    height, width = sides
    return common_upscale(images[..., :3].movedim(-1, 1), width, height, "bilinear", "center").movedim(1, -1)


def _told(size: tuple[int, ...]) -> str:
    frames, height, width = size
    return f"{frames} frames of {width} × {height}"
