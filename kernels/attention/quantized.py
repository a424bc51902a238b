"""Attention in few bits, as SageAttention2 computes it (Zhang et al. 2024, arXiv 2411.10958): the reference.

Queries and keys become INT4 or INT8, probabilities and values FP8 or FP16. Before that outliers are taken
out: keys lose their mean, which softmax does not notice; each block of queries loses its mean, whose products
with the keys are added back to the logits; values lose their mean, which is added back to the result, as
weights sum to 1.

Everything runs in float32 that holds exactly the numbers a kernel would have: it shows what quantising costs
in accuracy, and saves no time.

Shapes: B batch, H heads, S queries, L keys, D channels of a head, R blocks of queries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

QUERY_BLOCK, KEY_BLOCK = 128, 64
"""Tokens that a kernel holds at a time."""
LARGEST = {"int4": 7, "int8": 127}
LARGEST_FP8 = 448.0
"""Of E4M3."""
KEYS_OF_A_PRODUCT = 32
"""That a tensor core sums at once."""

Grain = Literal["token", "thread", "warp", "block"]


class Groups(NamedTuple):
    """Which tokens have one scale.

    sizes: of the digits that a token's number is written with; their product divides the block.
    shared: digits, from 0 on the left, in which tokens of a group may differ.
    """

    sizes: tuple[int, ...]
    shared: tuple[int, ...]


QUERY_GROUPS = {
    "token": Groups((1,), (0,)),
    "thread": Groups((4, 8), (0,)),
    "warp": Groups((32,), (0,)),
    "block": Groups((QUERY_BLOCK,), (0,)),
}
"""A warp has 32 queries; of them a thread of the tensor core's layout holds every eighth."""
KEY_GROUPS = {
    "token": Groups((1,), (0,)),
    "thread": Groups((8, 4, 2), (0, 2)),
    "warp": Groups((KEY_BLOCK,), (0,)),
    "block": Groups((KEY_BLOCK,), (0,)),
}
"""All warps have the same 64 keys; of them a thread holds two in each eight."""


@dataclass(frozen=True)
class Quantization:
    """What has how many bits; "exact" stays float32.

    Attributes:
        query_key: of queries and keys.
        weights_value: of probabilities and values.
        grain: tokens that share a scale, from one to a whole block.
        smooth_query, smooth_key, smooth_value: take means out first.
        two_level: FP8 products of a block are summed in the tensor core's 22 bits, blocks in float32;
            else all in 22 bits.
    """

    query_key: Literal["int4", "int8", "exact"] = "int4"
    weights_value: Literal["fp8", "fp16", "exact"] = "fp8"
    grain: Grain = "thread"
    smooth_query: bool = True
    smooth_key: bool = True
    smooth_value: bool = True
    two_level: bool = True


def attend(query: Tensor, key: Tensor, value: Tensor, options: Quantization) -> Tensor:
    """Softmax attention of query [B,H,S,D] over key, value [B,H,L,D], quantised → [B,H,S,D].

    The result is what a kernel would give that passes over blocks of keys in order; computed in float32.
    """
    dtype = query.dtype
    query, key, value = query.float() * query.shape[-1] ** -0.5, key.float(), value.float()
    key = key - key.mean(2, keepdim=True) if options.smooth_key else key
    value_mean = value.mean(2, keepdim=True) if options.smooth_value else value.new_zeros(())
    query_means = block_means(query) * options.smooth_query
    values = Values.of(value - value_mean, options)
    queries = quantized(query - of_tokens(query_means, query), options.query_key, QUERY_GROUPS[options.grain])
    keys = quantized(key, options.query_key, KEY_GROUPS[options.grain])

    peak = query.new_full((*query.shape[:-1], 1), float("-inf"))
    total, gathered = torch.zeros_like(peak), torch.zeros_like(query)
    for first in range(0, key.shape[2], KEY_BLOCK):
        block = slice(first, first + KEY_BLOCK)
        near = QuantizedTokens(keys.whole[:, :, block], keys.scale[:, :, block])
        logits = queries.products(near)  # [B,H,S,64]
        if options.smooth_query:
            logits = logits + of_tokens(query_means @ key[:, :, block].mT, query)
        higher = torch.maximum(peak, logits.amax(-1, keepdim=True))
        weights, shrink = (logits - higher).exp(), (peak - higher).exp()
        total = total * shrink + weights.sum(-1, keepdim=True)
        gathered = values.gather(gathered * shrink, weights, block)
        peak = higher
    return (gathered / total * values.scale + value_mean).to(dtype)


def block_means(query: Tensor) -> Tensor:
    """[B,H,S,D] → [B,H,R,D]: the mean of each block of queries, the last perhaps of fewer."""
    blocks = query.split(QUERY_BLOCK, dim=2)
    return torch.stack([block.mean(2) for block in blocks], dim=2)


def of_tokens(rows: Tensor, query: Tensor) -> Tensor:
    """[…,R,n] of blocks → […,S,n]: for each query its block's."""
    return rows.repeat_interleave(QUERY_BLOCK, dim=-2)[..., : query.shape[2], :]


class QuantizedTokens(NamedTuple):
    """Tokens [B,H,n,D] = whole numbers × the scale [B,H,n,1] of each token; both float32."""

    whole: Tensor
    scale: Tensor

    def products(self, other: QuantizedTokens) -> Tensor:
        """Each of these tokens with each of the others [B,H,m,D] → [B,H,n,m]; integers' sums are exact."""
        return (self.whole @ other.whole.mT) * self.scale * other.scale.mT


def quantized(x: Tensor, kind: str, groups: Groups) -> QuantizedTokens:
    """x [B,H,n,D] in symmetric integers, with a scale for each group of tokens; unchanged for "exact"."""
    if kind == "exact":
        return QuantizedTokens(x, x.new_ones(*x.shape[:3], 1))
    tokens, size = x.shape[2], torch.Size(groups.sizes).numel()
    padded = F.pad(x, (0, 0, 0, -tokens % size)).unflatten(2, (-1, *groups.sizes))
    shared = [3 + digit for digit in groups.shared]
    most = padded.abs().amax((*shared, -1), keepdim=True)
    scale = (most / LARGEST[kind]).clamp_min(torch.finfo(torch.float32).tiny)
    scale = scale.expand(*padded.shape[:-1], 1).flatten(2, -2)[:, :, :tokens]
    return QuantizedTokens((x / scale).round(), scale)


class Values(NamedTuple):
    """Values [B,H,L,D] as the second product sees them, and what its result is multiplied by."""

    rounded: Tensor
    scale: Tensor
    options: Quantization

    @classmethod
    def of(cls, value: Tensor, options: Quantization) -> Values:
        if options.weights_value == "fp8":  # a scale for each channel, and a fixed one for the probabilities
            scale = (value.abs().amax(2, keepdim=True) / LARGEST_FP8).clamp_min(
                torch.finfo(torch.float32).tiny
            )
            return cls(fp8(value / scale), scale / LARGEST_FP8, options)
        rounded = value.half().float() if options.weights_value == "fp16" else value
        return cls(rounded, value.new_ones(()), options)

    def gather(self, gathered: Tensor, weights: Tensor, block: slice) -> Tensor:
        """Add to [B,H,S,D] the values of a block of keys by their weights [B,H,S,n], which are at most 1."""
        near = self.rounded[:, :, block]
        if self.options.weights_value != "fp8":
            rounded = weights.half().float() if self.options.weights_value == "fp16" else weights
            return gathered + rounded @ near
        weights = fp8(weights * LARGEST_FP8)
        two_level = self.options.two_level
        summed = torch.zeros_like(gathered) if two_level else gathered
        for first in range(0, near.shape[2], KEYS_OF_A_PRODUCT):
            part = slice(first, first + KEYS_OF_A_PRODUCT)
            summed = fp22(summed + weights[..., part] @ near[:, :, part])
        return gathered + summed if two_level else summed


def fp8(x: Tensor) -> Tensor:
    """float32, rounded to E4M3; nothing may be over 448."""
    return x.to(torch.float8_e4m3fn).float()


def fp22(x: Tensor) -> Tensor:
    """float32, cut to the 13 bits of fraction that the FP8 product of Ada and Hopper keeps in its sums."""
    return (x.view(torch.int32) & ~0x3FF).view(torch.float32)
