"""What ToonComposer (Li et al. 2025) adds to Wan: sketches as further tokens, and an adapter in each block.

Key names are the published checkpoints'. Sizes are read off the weights. The adapter (SLRA) attends within
each frame alone, so that it moves how things are drawn and not how they move; its last layer begins at zero.
Shapes: B films, n sketches, P = h·w patches of a frame, S tokens, D channels of a token, R rank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..generation.wan_patches import padded
from ..generation.wan_positions import rotate, rotations
from ..vae.weights_file import Weights, WeightsError, misfit

HEADS = 4
EMBEDDING = "sequence_cond_patch_embedding.weight"
RESIDUAL = "sequence_cond_residual_proj.weight"
DOWN = "blocks.0.dera.spatial_down_proj.weight"
CHANNELS = 24
"""Of a sketch: which of a latent frame's four frames it is, its latent, and where it counts: 4 + 16 + 4."""


@dataclass(frozen=True)
class AdapterConfig:
    """Sizes.

    Attributes:
        width: D. rank: R, a multiple of 24. blocks: of the transformer. residual: whether sketches are added
            to the frame they belong to after each block.
    """

    width: int
    rank: int
    blocks: int
    residual: bool = True

    @classmethod
    def of(cls, weights: Mapping[str, Tensor]) -> AdapterConfig:
        """Read off an adapter's weights."""
        rank, width = weights[DOWN].shape
        blocks = {key.split(".")[1] for key in weights if key.startswith("blocks.") and ".dera." in key}
        return cls(width, rank, len(blocks), RESIDUAL in weights)


class SpatialAdapter(nn.Module):
    """Down to the rank, attention within each frame, and up again (SLRA)."""

    def __init__(self, width: int, rank: int) -> None:
        super().__init__()
        self.spatial_down_proj = nn.Linear(width, rank, bias=False)
        self.spatial_up_proj = nn.Linear(rank, width, bias=False)
        self.spatial_attn = nn.ModuleDict({name: nn.Linear(rank, rank) for name in "qkvo"})
        nn.init.zeros_(self.spatial_up_proj.weight)

    def forward(self, tokens: Tensor, rows: int, columns: int) -> Tensor:
        """Tokens [B,S,D] of whole frames → what is added to their attention, [B,S,D]."""
        frames = self.spatial_down_proj(tokens.to(self.spatial_down_proj.weight.dtype))
        frames = frames.unflatten(1, (-1, rows * columns)).flatten(0, 1)  # [B·frames,P,R]
        query, key, value = (self.spatial_attn[name](frames).unflatten(-1, (HEADS, -1)) for name in "qkv")
        turn = rotations((1, rows, columns), query.shape[-1], tokens.device)
        heads = (rotate(query, turn).to(value.dtype), rotate(key, turn).to(value.dtype), value)
        made = F.scaled_dot_product_attention(*(one.transpose(1, 2) for one in heads))
        made = self.spatial_attn["o"](made.transpose(1, 2).flatten(2))
        return self.spatial_up_proj(made).view_as(tokens).to(tokens.dtype)


class AdaptedBlock(nn.Module):
    """What a block of the transformer gets."""

    def __init__(self, config: AdapterConfig) -> None:
        super().__init__()
        self.dera = SpatialAdapter(config.width, config.rank)


class SketchAdapter(nn.Module):
    """All that is added to a transformer."""

    def __init__(self, config: AdapterConfig) -> None:
        super().__init__()
        self.config = config
        self.sequence_cond_patch_embedding = nn.Conv3d(CHANNELS, config.width, (1, 2, 2), stride=(1, 2, 2))
        self.sequence_cond_identifier = nn.Parameter(torch.zeros(1, 1, config.width))
        self.blocks = nn.ModuleList(AdaptedBlock(config) for _ in range(config.blocks))
        self.sequence_cond_residual_proj = None
        if config.residual:
            self.sequence_cond_residual_proj = nn.Linear(config.width, config.width, bias=False)

    def tokens(self, sketches: Tensor) -> Tensor:
        """Sketches [1,24,n,h,w] → tokens [1,n·P,D]."""
        embedding = self.sequence_cond_patch_embedding
        patches = embedding(padded(sketches.to(embedding.weight.dtype)))
        return patches.flatten(2).transpose(1, 2) + self.sequence_cond_identifier

    def residual(self, tokens: Tensor) -> Tensor | None:
        """What sketches' tokens add to those of their frames; None where the adapter has no such layer."""
        layer = self.sequence_cond_residual_proj
        return None if layer is None else layer(tokens.to(layer.weight.dtype)).to(tokens.dtype)


def is_known(weights: Mapping[str, Tensor]) -> bool:
    """Whether weights, by their keys, hold such an adapter."""
    return {EMBEDDING, DOWN, "sequence_cond_identifier"} <= weights.keys()


def sketch_adapter(weights: Weights, dtype: torch.dtype) -> tuple[SketchAdapter, dict[str, Tensor]]:
    """The adapter of a file, and what else there is in it: a LoRA, say.

    Raises:
        WeightsError: there is none in it, or one of another kind.
    """
    if not is_known(weights.tensors):
        raise WeightsError(
            f"{weights.name} holds no sketch adapter (first keys: {', '.join(sorted(weights.tensors)[:3])}); "
            "pick ToonComposer's tooncomposer.ckpt"
        )
    config = AdapterConfig.of(weights.tensors)
    if config.rank % (6 * HEADS):
        raise WeightsError(
            f"{weights.name} has adapters of rank {config.rank}; needed is a multiple of {6 * HEADS}, as of "
            "adapters that attend in space alone"
        )
    network = SketchAdapter(config)
    own = network.state_dict()
    tensors = {key: tensor for key, tensor in weights.tensors.items() if key in own}
    missing = CHANNELS - tensors[EMBEDDING].shape[1]  # files without masks of regions have four fewer
    tensors[EMBEDDING] = F.pad(tensors[EMBEDDING], (0, 0, 0, 0, 0, 0, 0, missing))
    if fault := misfit(tensors, own):
        raise WeightsError(f"{weights.name} is no whole sketch adapter: {fault}; fetch it again")
    network.load_state_dict(tensors)
    others = {key: tensor for key, tensor in weights.tensors.items() if key not in own}
    return network.to(dtype).eval().requires_grad_(False), others
