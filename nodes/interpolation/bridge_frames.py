"""Frames between two by Brownian bridges in a video autoencoder's latents, as an interpolation network.

A picture is encoded as a film of one frame. Shapes: B pairs, H × W pixels, Z channels, h × w cells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..vae.latents import LatentFacts
from .bridge import Halvings, between, nearest_halving
from .bridge_network import BridgeNetwork

DEPTH = 5
"""Halvings at most: times are rounded to the nearest 1/32 between two frames."""


class Codec(NamedTuple):
    """A video autoencoder's two ways.

    Attributes:
        encode: pictures [1,H,W,3] in 0..1 → raw latents [1,Z,1,h,w]. decode: those → [1,1,H,W,3].
        facts: how its latents are normalised, and how many pixels a cell has.
    """

    encode: Callable[[Tensor], Tensor]
    decode: Callable[[Tensor], Tensor]
    facts: LatentFacts


class BridgeSettings(NamedTuple):
    """How a middle is sampled: steps of a bridge, share of its noise, and the noise's seed."""

    steps: int = 5
    eta: float = 0.0
    seed: int = 0


class BridgeInterpolator(nn.Module):
    """Core's protocol for networks that interpolate frames; images are [B,3,H,W] in 0..1.

    Args:
        ready: called before the network computes, after the autoencoder may have taken its place.
        check: called before each step; raises when the user cancelled.
    """

    def __init__(
        self,
        network: BridgeNetwork,
        codec: Codec,
        settings: BridgeSettings,
        ready: Callable[[], None],
        check: Callable[[], None],
    ) -> None:
        super().__init__()
        self.network = network
        self.codec, self.settings, self.ready, self.check = codec, settings, ready, check
        self.pad_align = codec.facts.space

    def get_dtype(self) -> torch.dtype:
        """Of the weights: what ComfyUI's patcher asks for."""
        return self.network.enter.weight.dtype

    def memory_used_forward(self, shape: Any, dtype: torch.dtype) -> int:
        """Bytes for images [B,H,W,C]: both bridges' activations, some forty planes of the first level."""
        cells = shape[1] * shape[2] // self.pad_align**2
        return 2 * 40 * cells * self.network.config.width * dtype.itemsize

    def extract_features(self, img: Tensor) -> Tensor:
        """Images → normalised latents, float32 [B,Z,h,w]."""
        pictures = img.float().movedim(1, -1).split(1)  # each [1,H,W,3]
        raw = torch.cat([self.codec.encode(picture)[:, :, 0] for picture in pictures])
        return self.codec.facts.normalised(raw.float()).to(img.device)

    def forward(
        self, img0: Tensor, img1: Tensor, timestep: Tensor | float = 0.5, cache: dict | None = None
    ) -> Tensor:
        """The image of each pair at its time, [B,3,H,W].

        Args:
            timestep: 0 … 1, a number or a map [B,1,H,W] of one number.
            cache: "img0" and "img1", the images' features, of one pair or of all.
        """
        times = _times(timestep, len(img0))
        features = [
            cache[name] if cache and name in cache else self.extract_features(img)
            for name, img in (("img0", img0), ("img1", img1))
        ]
        if len(features[0]) == 1:
            return self._images(features, times, img0)
        pairs = zip(*(one.split(1) for one in features), times, strict=True)
        return torch.cat([self._images(pair, [time], img0) for *pair, time in pairs])

    def forward_multi_timestep(
        self, img0: Tensor, img1: Tensor, timesteps: list[float], cache: dict | None = None
    ) -> Tensor:
        """The images of one pair at all these times, [times,3,H,W]: halves serve quarters."""
        rows = torch.tensor(timesteps).view(-1, 1)
        many = (img.expand(len(rows), -1, -1, -1) for img in (img0, img1))
        found = cache or {"img0": self.extract_features(img0), "img1": self.extract_features(img1)}
        return self.forward(*many, timestep=rows, cache=found)

    def _images(self, features: Any, times: list[float], like: Tensor) -> Tensor:
        """What lies between the latents of one pair [1,Z,h,w] at these times, decoded."""
        self.ready()
        latents = Halvings(*features, self._middle)
        made = [latents.at(nearest_halving(time, DEPTH)) for time in times]
        pictures = [self.codec.decode(self.codec.facts.raw(one)[:, :, None])[:, 0] for one in made]
        return torch.cat(pictures).movedim(-1, 1).to(like)

    def _middle(self, before: Tensor, after: Tensor) -> Tensor:
        dtype = self.get_dtype()

        def predict(*given: Tensor) -> Tensor:
            self.check()
            return self.network(*(one.to(dtype) for one in given)).float()

        noise = torch.Generator().manual_seed(self.settings.seed)
        return between(predict, before, after, self.settings.steps, self.settings.eta, noise)


def _times(timestep: Tensor | float, count: int) -> list[float]:
    """One time for each of `count` pairs."""
    if not torch.is_tensor(timestep):
        return [float(timestep)] * count
    rows = timestep.flatten(1)[:, 0].tolist()
    return rows * count if len(rows) == 1 else rows
