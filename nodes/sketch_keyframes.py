"""Sketches of key frames in a Wan MODEL: tokens beside the film's, and an adapter in every block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from comfy.patcher_extension import WrappersMP
from comfy.utils import common_upscale
from torch import Tensor, nn

from . import runtime
from .block_outputs import (
    Args,
    hooked,
    number_type_beside,
    refuse_beside,
    refuse_unless_wan,
    with_blocks,
    wrap_outermost,
)
from .film_attention import forward_options, with_options
from .interpolation.sketch_adapter import AdaptedBlock, SketchAdapter, sketch_adapter
from .interpolation.sketch_frames import TIME, Sketches, conditioned, frame_numbers, sketch_film
from .model_lora import with_lora_tensors
from .vae.wan21 import LATENTS as WAN21
from .vae.weights_file import Weights, WeightsError, read_weights

KEY = "kinograph_sketches"
NAME = "Sketch Keyframes"


@dataclass(frozen=True)
class Given:
    """Sketches as the node gets them.

    Attributes:
        images: [n,H,W,3] in 0..1. frames: the numbers of their frames, as text.
        blank: [n or 1,H,W], 1 where a sketch leaves a region to the model; None is nowhere.
    """

    images: Tensor
    frames: str
    blank: Tensor | None


def sketches_for(model: Any, vae: Any, latent: dict[str, Any], given: Given) -> Sketches:
    """Sketches for a film of a LATENT's size.

    Raises:
        ValueError: their frames are not the film's, or latent, VAE or masks do not fit.
    """
    samples, blank = latent["samples"], given.blank
    if getattr(samples, "is_nested", False) or samples.ndim != 5:
        raise ValueError(
            "the latent is no film [batch, channels, frames, height, width]; wire the one to be sampled"
        )
    if blank is not None and len(blank) not in {1, len(given.images)}:
        raise ValueError(
            f"{len(given.images)} sketches and {len(blank)} masks of blank regions; wire one for all or one "
            "each"
        )
    frames = TIME * (samples.shape[2] - 1) + 1
    numbers = frame_numbers(given.frames, frames, len(given.images))
    cell = vae.spacial_compression_decode()
    height, width = (cells * cell for cells in samples.shape[3:])
    images = common_upscale(given.images[..., :3].movedim(-1, 1), width, height, "bilinear", "center")
    raw = vae.encode(sketch_film(images.movedim(1, -1), numbers, frames))
    if raw.shape != (1, WAN21.channels, *samples.shape[2:]):
        raise ValueError(
            f"the VAE makes latents of shape {list(raw.shape)} of the sketches; needed is "
            f"{[1, WAN21.channels, *samples.shape[2:]]}: wire Wan 2.1's VAE"
        )
    if blank is not None:
        blank = blank.expand(len(numbers), -1, -1)
        blank = common_upscale(blank[:, None], width, height, "nearest-exact", "center")[:, 0]
    return conditioned(model.model.process_latent_in(raw), numbers, blank)


def load_adapter(path: Path, model: Any) -> tuple[Any, dict[str, Tensor]]:
    """An adapter in the host's patcher, and what else there is in its file.

    Raises:
        WeightsError: there is no adapter in it, or one for a model of another size.
    """
    refuse_unless_wan(model.model.diffusion_model, NAME)
    weights: Weights = read_weights(path)
    adapter, others = sketch_adapter(weights, number_type_beside(model))
    network = model.model.diffusion_model
    found = (adapter.config.width, adapter.config.blocks)
    wanted = (network.patch_embedding.weight.shape[0], len(network.blocks))
    if found != wanted:
        raise WeightsError(
            f"{path.name} is for {found[1]} blocks of width {found[0]}, the model has {wanted[1]} of width "
            f"{wanted[0]}; ToonComposer's is for Wan 2.1 I2V 14B"
        )
    return runtime.managed(adapter), others


class SketchKeyframes:
    """An adapter and sketches, on a MODEL.

    Args:
        adapter: the host's patcher around a `SketchAdapter`.
        sketches: None for the adapter alone.
        strength: of the adapter. residual: of the sketches in their own frames, between blocks.
    """

    def __init__(self, adapter: Any, sketches: Sketches | None, strength: float, residual: float) -> None:
        self.adapter, self.sketches = adapter, sketches
        self.strength, self.residual = strength, residual

    def models(self) -> list[Any]:
        """Asked by the host: what it must load beside the MODEL."""
        return [self.adapter]

    def on(self, model: Any) -> Any:
        """The MODEL with both."""
        patched = model.clone()
        patched.set_model_patch(self, KEY)  # no network calls it; the host asks it for `models`
        wrap_outermost(patched, WrappersMP.DIFFUSION_MODEL, KEY, self.forward)
        return patched

    def forward(self, executor: Any, x: Tensor, timestep: Tensor, *given: Any, **named: Any) -> Tensor:
        """Wrapper around the network's forward: x [B,C,T,h,w]."""
        refuse_beside(given, named, NAME)
        options, network = forward_options(given, named), executor.class_obj
        adapter: SketchAdapter = self.adapter.model
        rows, columns = (-(-side // 2) for side in x.shape[3:])
        ours = options
        if self.sketches is not None:
            self._refuse_other_film(x)
            tokens = adapter.tokens(self.sketches.channels.to(x.device)).to(x.dtype)
            beside = _Beside(tokens, self.sketches.frames, rows * columns, adapter, self.residual)
            ours = with_blocks(
                options, range(len(network.blocks)), partial(beside.around, len(network.blocks) - 1)
            )
        hooks = [partial(_add_adapted, one, rows, columns, self.strength) for one in adapter.blocks]
        attentions = [block.self_attn for block in network.blocks]
        with hooked(*((attentions, hooks) if self.strength else ((), ()))):
            return with_options(executor, x, (timestep, *given), named, options, ours)

    def _refuse_other_film(self, x: Tensor) -> None:
        wanted = self.sketches.channels.shape[3:]
        if x.shape[3:] != wanted or x.shape[2] <= max(self.sketches.frames):
            raise ValueError(
                f"the sketches were made for a film of {wanted[1]} × {wanted[0]} latent cells with more than "
                f"{max(self.sketches.frames)} frames, and this one has {list(x.shape[2:])}; wire the same "
                "latent into both nodes"
            )


class _Beside:
    """Tokens of sketches beside a film's, in one forward."""

    def __init__(
        self, tokens: Tensor, frames: list[int], patches: int, adapter: SketchAdapter, residual: float
    ) -> None:
        self.tokens, self.frames, self.patches = tokens, frames, patches
        self.adapter, self.strength = adapter, residual

    def around(self, last: int, index: int, run: Callable[[Args], Tensor], args: Args) -> Tensor:
        """Around a block: the first gets the sketches' tokens too, the last gives the film's alone."""
        tokens = args["img"]
        if index == 0:
            tokens = torch.cat([tokens, self.tokens.expand(len(tokens), -1, -1)], dim=1)
        made = run({**args, "img": tokens, "pe": self._placed(args["pe"]), "vec": self._timed(args["vec"])})
        film, sketches = made.split([made.shape[1] - self.tokens.shape[1], self.tokens.shape[1]], dim=1)
        if index == last:
            return film
        added = self.adapter.residual(sketches) if self.strength else None
        if added is None:
            return made
        frames = film.unflatten(1, (-1, self.patches)).clone()
        for order, frame in enumerate(self.frames):  # two may be of one latent frame
            frames[:, frame] += self.strength * added[:, order * self.patches :][:, : self.patches]
        return torch.cat([frames.flatten(1, 2), sketches], dim=1)

    def _placed(self, rotation: Tensor) -> Tensor:
        """Rotations of the film's tokens, and of the sketches' as of the frames that they belong to."""
        axis = 1 if rotation.ndim == 6 else 0  # ComfyUI's [1,S,1,D/2H,2,2], ours [S,1,D/2H]
        parts = [rotation.narrow(axis, frame * self.patches, self.patches) for frame in self.frames]
        return torch.cat([rotation, *parts], dim=axis)

    def _timed(self, time: Tensor) -> Tensor:
        """The same of each frame's time [B,1 or T,6,D]; one for all stays."""
        return time if time.ndim < 4 or time.shape[1] == 1 else torch.cat([time, time[:, self.frames]], dim=1)


def _add_adapted(
    adapted: AdaptedBlock, rows: int, columns: int, strength: float, _: nn.Module, given: Any, made: Tensor
) -> Tensor:
    """Hook of a block's self-attention: what its adapter makes of the same tokens is added."""
    return made + strength * adapted.dera(given[0], rows, columns)


def with_sketches(
    model: Any, path: Path, sketches: Sketches | None, strength: float, residual: float
) -> tuple[Any, str]:
    """The MODEL with a file's adapter, its LoRA where there is one, and sketches; and what is to be told."""
    adapter, others = load_adapter(path, model)
    config = adapter.model.config
    told = [f"{path.name}: adapters of rank {config.rank} in {config.blocks} blocks"]
    if any(".lora_" in key for key in others):
        model, report = with_lora_tensors(model, others, path.name, strength)
        told.append(report)
    elif others:
        told.append(f"{len(others)} further weights are left out, first {min(others)}")
    if sketches is not None:
        frames = ", ".join(map(str, sketches.frames))
        told.append(f"{len(sketches.frames)} sketches, of latent frames {frames}")
    return SketchKeyframes(adapter, sketches, strength, residual).on(model), "\n".join(told)
