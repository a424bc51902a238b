"""What is known of a latent space."""

from __future__ import annotations

from dataclasses import dataclass


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
