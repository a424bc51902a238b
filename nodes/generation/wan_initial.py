"""Weights for a transformer that is to be trained from nothing, as Wan's training begins."""

from __future__ import annotations

from torch import nn

from .wan import WanTransformer


def initialise(network: WanTransformer) -> None:
    """Give every layer its first weights; the head's are zero, so that the first velocity is zero."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    for layer in (*network.text_embedding, *network.time_embedding):
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.02)
    nn.init.xavier_uniform_(network.patch_embedding.weight.flatten(1))
    nn.init.zeros_(network.patch_embedding.bias)
    nn.init.zeros_(network.head.head.weight)
