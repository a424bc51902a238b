"""What is known of a latent space."""

from __future__ import annotations

from dataclasses import dataclass

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
