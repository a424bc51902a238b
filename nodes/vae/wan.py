"""What the video autoencoders of Wan 2.1 and 2.2 share (Wan Team 2025): how a film runs through them.

The first frame becomes one latent frame, every four after it another.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from .causal import State, causal_conv3d, run_in_pieces
from .folding import patchify, unpatchify
from .latents import LatentFacts


class WanVAE(nn.Module):
    """A causal encoder and decoder. Pixels are [B,3,T,H,W] in −1..1, latents raw (not normalised).

    facts: of its latents.
    patch: pixels per side of the squares that are folded into channels at both ends.
    """

    facts: LatentFacts
    patch = 1

    def __init__(self, config: Any, encoder: nn.Module, decoder: nn.Module, operations: Any) -> None:
        super().__init__()
        self.config = config
        z = config.latent_channels
        self.encoder = encoder
        self.conv1 = causal_conv3d(operations, z * 2, z * 2, (1, 1, 1))
        self.conv2 = causal_conv3d(operations, z, z, (1, 1, 1))
        self.decoder = decoder

    @property
    def space(self) -> int:
        return self.facts.space

    @property
    def time(self) -> int:
        return self.facts.time

    def encode_chunk(
        self, pixels: Tensor, state: State | None, last: bool = True
    ) -> tuple[Tensor, Tensor, State]:
        """Encode the film's next frames: 4n+1 for its first chunk (`state` None), 4n for any other.

        Args:
            last: whether the film ends here; makes no difference to a causal network.

        Returns:
            mean and log variance, each [B,Z,T',h,w] with T' = n+1 or n, and the state after them.
        """
        self.facts.check_pixels(pixels, first=state is None)
        made, state = run_in_pieces(self.encoder, patchify(pixels, self.patch), self.time, state)
        mean, log_variance = self.conv1(made).chunk(2, dim=1)
        return mean, log_variance, state

    def decode_chunk(self, latents: Tensor, state: State | None, last: bool = True) -> tuple[Tensor, State]:
        """Decode the film's next latent frames [B,Z,T,h,w] → pixels [B,3,4T,H,W] and the state after.

        The film's first chunk (`state` None) gives 4T−3 frames. Pixels are not clamped.
        """
        folded, state = run_in_pieces(self.decoder, self.conv2(latents), 1, state)
        return unpatchify(folded, self.patch), state
