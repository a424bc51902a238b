"""A video autoencoder out of a file: told by its keys, in any layout in which it is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from . import ltx_layouts, taehv, wan21, wan21_layouts, wan22, wan22_layouts
from .latents import LatentFacts
from .ltx import LTXVideoVAE
from .ltx_config import LTXConfig
from .recognise import what_else
from .taehv import TaehvConfig, TaehvVAE
from .wan21 import Wan21Config, Wan21VAE
from .wan22 import Wan22Config, Wan22VAE
from .weights_file import Weights, WeightsError, misfit, read_weights

PREFIXES = ("vae.", "first_stage_model.")
"""Under which whole checkpoints keep their VAE."""
TINY: dict[str, tuple[LatentFacts, bool]] = {
    "wan2.1": (wan21.LATENTS, True),
    "wan2.2": (wan22.LATENTS, True),
    "hunyuan": (taehv.HUNYUAN_LATENTS, True),
    "wan2.1 raw": (wan21.LATENTS, False),
    "wan2.2 raw": (wan22.LATENTS, False),
}
"""Latents that tiny autoencoders read, and whether normalised: it does not show in their weights."""

Network = Wan21VAE | Wan22VAE | LTXVideoVAE | TaehvVAE


def load_vae(
    source: Path | str | Mapping[str, Tensor],
    *,
    operations: Any = nn,
    dtype: torch.dtype | None = None,
    metadata: Mapping[str, str] | None = None,
    latents: str | None = None,
) -> Network:
    """Load the VAE of Wan 2.1, Wan 2.2 or LTX-Video, or a tiny one (TAEHV) for their latents.

    Args:
        source: a file (.safetensors, or a pickle of tensors), also a whole checkpoint with a VAE; or weights.
        operations: layer classes, as ComfyUI's `comfy.ops`.
        dtype: of the network; the file's own when None.
        metadata: of weights that come without a file.
        latents: for a tiny VAE, one of `TINY`; when None, told by the file's name and the channels.

    Returns:
        the network, for inference, with the weights where they were (a file's are mapped, not copied).

    Raises:
        WeightsError: the file cannot be read, is no such VAE, or lacks weights.
    """
    if isinstance(source, Mapping):
        weights = Weights(source, metadata or {})
    else:
        weights = read_weights(Path(source))
    weights = replace(weights, tensors=_vae_part(weights.tensors))
    try:
        with torch.device("meta"):
            network, published = _built(weights, operations, latents)
    except WeightsError:
        raise
    except (LookupError, ValueError, ArithmeticError) as fault:  # from names or shapes that no such VAE has
        raise WeightsError(
            f"{weights.name} is incomplete or laid out in an unknown way ({fault}); fetch it again"
        ) from fault
    _check_latents(weights.name, network)
    _check_keys(weights.name, network, published)
    network.load_state_dict(published, assign=True)
    return network.to(dtype=dtype).eval().requires_grad_(False)


def _vae_part(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The VAE's weights out of a checkpoint; all where none are marked as such."""
    for prefix in PREFIXES:
        part = {key[len(prefix) :]: tensor for key, tensor in tensors.items() if key.startswith(prefix)}
        if part:
            return part
    return tensors


def _built(weights: Weights, operations: Any, latents: str | None) -> tuple[Network, dict[str, Tensor]]:
    """The network that the weights are of, without them, and the weights in the published key layout."""
    tensors = weights.tensors
    if wan22_layouts.is_known(tensors):
        published = wan22_layouts.to_published(tensors)
        return Wan22VAE(Wan22Config.of(published), operations), published
    if wan21_layouts.is_known(tensors):
        published = wan21_layouts.to_published(tensors)
        return Wan21VAE(Wan21Config.of(published), operations), published
    if ltx_layouts.is_known(tensors):
        published = ltx_layouts.to_published(tensors)
        config = LTXConfig.of(published, weights.metadata, ltx_layouts.decoder_padding(tensors))
        return LTXVideoVAE(config, operations), published
    if taehv.is_known(tensors):
        config = TaehvConfig.of(tensors)
        facts, normalised = _tiny_latents(weights.name, config.latent_channels, latents)
        return TaehvVAE(config, facts, normalised, operations), dict(tensors)
    raise WeightsError(
        f"{weights.name} is no video VAE that can be loaded: {what_else(tensors)}; "
        "needed is the VAE of Wan 2.1, Wan 2.2 or LTX-Video, or a tiny one (TAEHV)"
    )


def _tiny_latents(name: str, channels: int, told: str | None) -> tuple[LatentFacts, bool]:
    """A tiny VAE's latents: as told, else by its file's name and its channels."""
    known = told
    if known is None and channels == 16 and name.lower().startswith("taehv"):
        known = "hunyuan"
    elif known is None:
        space = {16: "wan2.1", 48: "wan2.2"}.get(channels)
        known = f"{space} raw" if "lighttae" in name.lower() else space
    if known not in TINY:
        raise WeightsError(
            f"{name} is a tiny VAE for {told or 'unknown'} latents of {channels} channels; "
            f"known are {', '.join(TINY)}"
        )
    return TINY[known]


def _check_latents(name: str, network: Network) -> None:
    found, facts = network.config.latent_channels, network.facts
    if found != facts.channels:
        raise WeightsError(
            f"{name} makes latents of {found} channels; those of {facts.name} have {facts.channels}: "
            "it is for another model"
        )


def _check_keys(name: str, network: Network, published: Mapping[str, Tensor]) -> None:
    if fault := misfit(published, network.state_dict()):
        raise WeightsError(
            f"{name} does not fit the VAE of {network.facts.name}: {fault}; fetch it again, or choose a "
            "file of that model"
        )
