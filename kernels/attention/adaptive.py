"""INT4 where it is good enough, else INT8: chosen for each layer by what INT4 does to its attention.

SageAttention2 (Zhang et al. 2024) measures that by the cosine of the angle between results and exact ones.

Shapes: B batch, H heads, S queries, L keys, D channels of a head.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from . import naive, quantized
from .quantized import QUERY_BLOCK, Quantization

LEAST_SIMILARITY = 0.99


class LayerChoice:
    """Remembers for each layer how its queries and keys are quantised.

    Attributes:
        least: cosine similarity from which INT4 is taken.
        similarity: of INT4 in the layers seen so far.
    """

    def __init__(self, options: Quantization, least: float = LEAST_SIMILARITY) -> None:
        self.options, self.least = options, least
        self.similarity: dict[int, float] = {}

    def options_of(self, layer: int, query: Tensor, key: Tensor, value: Tensor) -> Quantization:
        """For query [B,H,S,D] and key, value [B,H,L,D]; measured the first time that a layer is seen."""
        if layer not in self.similarity:
            self.similarity[layer] = int4_similarity(query, key, value, self.options)
        kind = "int4" if self.similarity[layer] >= self.least else "int8"
        return replace(self.options, query_key=kind)


def int4_similarity(
    query: Tensor, key: Tensor, value: Tensor, options: Quantization, blocks: int = 2
) -> float:
    """Cosine similarity of INT4 attention to exact attention, on a few blocks of queries spread over all."""
    first = torch.linspace(0, max(0, query.shape[2] - QUERY_BLOCK), blocks).long().tolist()
    sampled = torch.cat([query[:, :, start : start + QUERY_BLOCK] for start in dict.fromkeys(first)], dim=2)
    made = quantized.attend(sampled, key, value, replace(options, query_key="int4"))
    return cosine_similarity(made, naive.attend(sampled, key, value))


def cosine_similarity(made: Tensor, wanted: Tensor) -> float:
    """Of all numbers of two tensors, as two vectors: 1 where they are the same."""
    made, wanted = made.flatten().double(), wanted.flatten().double()
    return float(made @ wanted / (made.norm() * wanted.norm()))
