"""A video autoencoder where it computes: loaded and freed by the host, fed from and emptied to the CPU."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from . import runtime

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from .vae.films import Plan
    from .vae.streaming import FilmSize
    from .vae.working_memory import Footprint

SHARE_OF_FREE_MEMORY = 0.7
"""Of the free memory, how much a film may take when the user sets no budget."""

CORES_NETWORKS = ("WanVAE", "VideoVAE", "TAEHV")
"""Classes of ComfyUI's networks for Wan 2.1 and 2.2, LTX-Video, and the tiny ones; what else has such a name
is told by its weights."""


class HostedNetwork:
    """A `VideoAutoencoder` whose every chunk brings the network to its device first and notices a cancel.

    Between chunks the host may take the network away, and other nodes' networks may run: so a film can be
    decoded while something else is done with its frames.

    Args:
        network: as `nodes.vae.load.load_vae` gives it.
        patcher: the host's, around the network or around one that shares its weights.
        device, dtype: where and in what it computes.
    """

    def __init__(self, network: nn.Module, patcher: Any, device: torch.device, dtype: torch.dtype) -> None:
        self.network, self.patcher = network, patcher
        self.device, self.dtype = device, dtype
        self.space, self.time = network.space, network.time
        self.config, self.facts = network.config, network.facts

    def encode_chunk(self, pixels: Tensor, state: Any, last: bool = True) -> tuple[Tensor, Tensor, Any]:
        return self._run(self.network.encode_chunk, pixels, state, last)

    def decode_chunk(self, latents: Tensor, state: Any, last: bool = True, **step: Any) -> tuple[Tensor, Any]:
        return self._run(self.network.decode_chunk, latents, state, last, **step)

    def _run(self, method: Any, given: Tensor, *others: Any, **named: Any) -> Any:
        import torch

        runtime.throw_if_cancelled()
        runtime.load(self.patcher)
        with torch.inference_mode():
            return method(given.to(self.device, self.dtype), *others, **named)

    @cached_property
    def decoding(self) -> Footprint:
        """Memory per pixel of decoding."""
        from .vae.working_memory import decoding_footprint

        return decoding_footprint(self, self.facts.channels)

    @cached_property
    def encoding(self) -> Footprint:
        """Memory per pixel of encoding."""
        from .vae.working_memory import encoding_footprint

        return encoding_footprint(self)

    @cached_property
    def digest(self) -> str:
        """A short name of the weights."""
        return weights_digest(self.network)

    def plan(self, plane: FilmSize, batch: int, budget_mb: int, tile: int, *, encoding: bool = False) -> Plan:
        """How to cut a film whose latents have this size.

        Args:
            budget_mb: megabytes for the work, the weights aside; 0 is a share of what is free.
            tile: pixels, 0 follows the budget.
        """
        from .vae.films import MEGABYTE, fixed_plan, plan

        if tile:
            return fixed_plan(self, plane, tile)
        runtime.load(self.patcher)
        budget = budget_mb * MEGABYTE or int(runtime.free_memory(self.device) * SHARE_OF_FREE_MEMORY)
        footprint = self.encoding if encoding else self.decoding
        return plan(self, plane, batch, footprint, budget, may_spool=not encoding)


def weights_digest(network: nn.Module) -> str:
    """A short name of a network's weights, told by their gains and biases."""
    found = hashlib.blake2b(digest_size=8)
    for name, weight in network.named_parameters():
        if weight.numel() == max(weight.shape, default=0):
            found.update(name.encode() + weight.detach().float().cpu().numpy().tobytes())
    return found.hexdigest()


def network_of(vae: Any) -> tuple[HostedNetwork | None, str]:
    """The network behind a VAE socket, ours or one of core's that we know, and why there is none else."""
    if isinstance(hosted := getattr(vae, "hosted", None), HostedNetwork):
        return hosted, ""
    module = getattr(vae, "first_stage_model", None)
    kind = type(module).__name__
    if kind not in CORES_NETWORKS:
        return None, f"{kind} is no network that can be streamed here"
    from .vae.load import load_vae
    from .vae.weights_file import WeightsError

    runtime.load(vae.patcher)
    # the parameters themselves, which follow when the host moves them; and the lasting buffers
    weights = {**module.state_dict(), **dict(module.named_parameters())}
    if {weight.device.type for weight in module.parameters()} != {vae.device.type}:
        return None, f"its weights are not all on {vae.device}"
    try:
        network = load_vae(weights, metadata=_metadata(module), latents=_tiny_latents(module))
    except WeightsError as error:
        return None, str(error)
    return HostedNetwork(network, vae.patcher, vae.device, vae.vae_dtype), ""


def _metadata(module: nn.Module) -> dict[str, str]:
    """What the file of an LTX-Video VAE told core of it."""
    config = getattr(module, "config", None)
    return {"config": json.dumps({"vae": config})} if isinstance(config, dict) else {}


def _tiny_latents(module: nn.Module) -> str | None:
    """Which latents a tiny VAE of core's reads: those of a format, which it normalises, or raw ones."""
    if type(module).__name__ != "TAEHV":
        return None
    if module.latent_format is None:
        return {16: "wan2.1 raw", 48: "wan2.2 raw"}.get(module.latent_channels, "other")
    return {"HunyuanVideo": "hunyuan", "Wan21": "wan2.1", "Wan22": "wan2.2"}.get(
        module.latent_format.__name__, "other"
    )
