"""Brownian bridges as the value of an INTERP_MODEL socket, with whatever VAE is wired."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from . import runtime
from .interpolation.bridge_frames import BridgeInterpolator, BridgeSettings, Codec
from .interpolation.bridge_network import bridge_network
from .vae.latents import LatentFacts
from .vae.wan21 import LATENTS as WAN21
from .vae.wan22 import LATENTS as WAN22
from .vae.weights_file import WeightsError, read_weights

LATENTS_OF = "latents_of"
"""Key in a file's metadata: which autoencoder's latents it was trained on."""


def load_bridge(path: Path, vae: Any, settings: BridgeSettings) -> tuple[Any, str]:
    """Load a file as the value of an INTERP_MODEL socket; and what is to be told of it.

    Raises:
        WeightsError: it is no such network, or made for latents of another kind than the VAE's.
    """
    weights = read_weights(path)
    network = bridge_network(weights, torch.float32)
    facts = latents_of(vae)
    if facts.channels != network.config.channels:
        raise WeightsError(
            f"{path.name} is for latents of {network.config.channels} channels, those of this VAE have "
            f"{facts.channels}; wire the VAE that it was trained with"
        )
    codec = Codec(vae.encode, vae.decode, facts)
    hosted = (lambda: runtime.load(model)), runtime.throw_if_cancelled
    model = runtime.managed(BridgeInterpolator(network, codec, settings, *hosted))
    count = sum(weight.nelement() for weight in weights.tensors.values())
    trained = weights.metadata.get(LATENTS_OF)
    told = f"{path.name}: Brownian bridges with {count / 1e6:.1f} M parameters"
    return model, told + (f", trained on the latents of {trained}" if trained else "")


def latents_of(vae: Any) -> LatentFacts:
    """What the latents of a VAE socket are.

    Raises:
        WeightsError: they are not known here.
    """
    hosted = getattr(vae, "hosted", None)
    if hosted is not None:
        return hosted.facts
    for facts in (WAN21, WAN22):
        if facts.channels == vae.latent_channels and facts.space == vae.spacial_compression_decode():
            return facts
    raise WeightsError(
        f"the VAE's latents have {vae.latent_channels} channels; bridges are made for those of {WAN21.name} "
        f"({WAN21.channels}) and {WAN22.name} ({WAN22.channels})"
    )
