"""What is known of a latent space."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class LatentFacts:
    """A network's latents as they stand on the LATENT socket.

    Attributes:
        name: the latent space; networks of the same name read each other's latents.
        channels: Z.
        space: pixels per latent cell, across and down.
        time: frames per latent frame.
        mean, deviation: of each channel; a diffusion model of this space sees (latents − mean) / deviation.
    """

    name: str
    channels: int
    space: int
    time: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    def normalised(self, latents: Tensor) -> Tensor:
        """Raw latents [B,Z,...] as a diffusion model sees them."""
        mean, deviation = (_channels(facts, latents) for facts in (self.mean, self.deviation))
        return (latents - mean) / deviation

    def raw(self, latents: Tensor) -> Tensor:
        """What `normalised` undoes."""
        mean, deviation = (_channels(facts, latents) for facts in (self.mean, self.deviation))
        return latents * deviation + mean

    def check_pixels(self, pixels: Tensor, *, first: bool) -> None:
        """Raise if pixels [B,3,T,H,W] do not fill whole latent cells.

        Args:
            first: whether they begin the film, whose first frame has a latent frame of its own.

        Raises:
            ValueError: nothing would be encoded of what is left over.
        """
        frames, height, width = pixels.shape[2:]
        if (frames - first) % self.time or height % self.space or width % self.space:
            wanted = f"{self.time}·n + 1" if first else f"{self.time}·n"
            raise ValueError(
                f"{self.name} encodes {wanted} frames at a time, of sides divisible by {self.space}; "
                f"these are {frames} of {width} × {height}: pad them"
            )


def _channels(values: tuple[float, ...], latents: Tensor) -> Tensor:
    """[Z,1,...], one axis for each of the latents' after the batch."""
    found = torch.tensor(values, dtype=latents.dtype, device=latents.device)
    return found.view(-1, *[1] * (latents.dim() - 2))
