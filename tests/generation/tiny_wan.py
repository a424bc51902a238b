"""Small transformers with weights of a seed, ours and diffusers' with the same ones."""

from __future__ import annotations

import torch
from kinograph.nodes.generation.wan import WanConfig, WanTransformer
from torch import Tensor, nn

TEXT_WIDTH = 48
SMALL = WanConfig(width=256, heads=2, blocks=2, feedforward=320, text_width=TEXT_WIDTH)
PICTURE = WanConfig(
    width=256,
    heads=2,
    blocks=2,
    feedforward=320,
    text_width=TEXT_WIDTH,
    in_channels=36,
    image_width=1280,
)


def wan(config: WanConfig = SMALL) -> WanTransformer:
    """A transformer for inference."""
    torch.manual_seed(0)
    network = WanTransformer(config)
    _spread(network)
    return network.eval().requires_grad_(False)


def diffusers_wan(config: WanConfig = SMALL) -> nn.Module:
    """diffusers' of the same sizes, with weights of its own."""
    from diffusers import WanTransformer3DModel

    torch.manual_seed(0)
    network = WanTransformer3DModel(
        num_attention_heads=config.heads,
        attention_head_dim=config.head_width,
        in_channels=config.in_channels,
        out_channels=config.out_channels,
        text_dim=config.text_width,
        ffn_dim=config.feedforward,
        num_layers=config.blocks,
        image_dim=config.image_width,
        added_kv_proj_dim=config.width if config.image_width else None,
        pos_embed_seq_len=config.image_tokens,
    )
    _spread(network)
    return network.eval().requires_grad_(False)


def _spread(network: nn.Module) -> None:
    """Biases and gains other than the zeros and ones that they begin with, lest they be mixed up."""
    for parameter in network.parameters():
        if parameter.dim() < 2:
            parameter.data += torch.randn_like(parameter) * 0.1


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def relative_error(found: Tensor, wanted: Tensor) -> float:
    return float((found - wanted).norm() / wanted.norm())
