"""The UMT5 encoder: T5 with a table of relative positions in every layer.

B batch, L tokens, W width, H heads, D width of a head.
"Unimax", Chung et al. 2023; T5, Raffel et al. 2020. Key names are those of transformers' `UMT5EncoderModel`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BIAS = "encoder.block.{}.layer.0.SelfAttention.relative_attention_bias.weight"
FARTHEST = 128
"""Tokens; all larger distances share one place in the table."""


class CastingLinear(nn.Linear):
    """A linear layer whose weights may be kept in another number type than its input."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.to(x.dtype))


CASTING = SimpleNamespace(Linear=CastingLinear, Embedding=nn.Embedding)
"""Layer classes for weights of any number type; ComfyUI's `comfy.ops.manual_cast` serves too."""


@dataclass(frozen=True)
class UMT5Config:
    """Sizes; the defaults are the embedded encoder's, but for the vocabulary."""

    vocabulary: int
    width: int = 256
    layers: int = 4
    heads: int = 4
    head_width: int = 64
    hidden: int = 512
    buckets: int = 32

    @classmethod
    def of(cls, weights: Mapping[str, Tensor]) -> UMT5Config:
        """The sizes of weights in the published layout."""
        block = "encoder.block.0.layer."
        vocabulary, width = weights["shared.weight"].shape
        buckets, heads = weights[BIAS.format(0)].shape
        return cls(
            vocabulary,
            width,
            len({key.split(".")[2] for key in weights if key.startswith("encoder.block.")}),
            heads,
            weights[block + "0.SelfAttention.q.weight"].shape[0] // heads,
            weights[block + "1.DenseReluDense.wi_0.weight"].shape[0],
            buckets,
        )


class RMSNorm(nn.Module):
    """Divides by the root mean square over the width, in float32, and multiplies by a gain."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x.float(), x.shape[-1:], self.weight.to(x.device, torch.float32), eps=1e-6)


class SelfAttention(nn.Module):
    """Attention without scaling, whose scores are shifted by a learned amount per head and distance."""

    def __init__(self, config: UMT5Config, operations: Any) -> None:
        super().__init__()
        inner = config.heads * config.head_width
        self.heads = config.heads
        for name in ("q", "k", "v"):
            self.add_module(name, operations.Linear(config.width, inner, bias=False))
        self.o = operations.Linear(inner, config.width, bias=False)
        self.relative_attention_bias = operations.Embedding(config.buckets, config.heads)

    def forward(self, x: Tensor, buckets: Tensor, hidden: Tensor) -> Tensor:
        """x [B,L,W], buckets [L,L] of distances, hidden [B,1,1,L] is 0 or −∞ → [B,L,W]."""
        q, k, v = (
            project(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for project in (self.q, self.k, self.v)
        )
        shift = self.relative_attention_bias(buckets).float().permute(2, 0, 1)[None]  # [1,H,L,L]
        scores = (shift + hidden).to(q.dtype)
        return self.o(F.scaled_dot_product_attention(q, k, v, scores, scale=1.0).transpose(1, 2).flatten(2))


class GatedFeedForward(nn.Module):
    """A GELU-gated hidden layer."""

    def __init__(self, config: UMT5Config, operations: Any) -> None:
        super().__init__()
        self.wi_0 = operations.Linear(config.width, config.hidden, bias=False)
        self.wi_1 = operations.Linear(config.width, config.hidden, bias=False)
        self.wo = operations.Linear(config.hidden, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.wo(F.gelu(self.wi_0(x), approximate="tanh") * self.wi_1(x))


class Sublayer(nn.Module):
    """Adds to its input what one operation makes of the normalised input."""

    def __init__(self, name: str, operation: nn.Module, width: int) -> None:
        super().__init__()
        self.name = name
        self.add_module(name, operation)
        self.layer_norm = RMSNorm(width)

    def forward(self, x: Tensor, *others: Tensor) -> Tensor:
        return x + getattr(self, self.name)(self.layer_norm(x), *others)


class Block(nn.Module):
    """Attention, then the feed-forward layer."""

    def __init__(self, config: UMT5Config, operations: Any) -> None:
        super().__init__()
        self.layer = nn.ModuleList(
            [
                Sublayer("SelfAttention", SelfAttention(config, operations), config.width),
                Sublayer("DenseReluDense", GatedFeedForward(config, operations), config.width),
            ]
        )

    def forward(self, x: Tensor, buckets: Tensor, hidden: Tensor) -> Tensor:
        return self.layer[1](self.layer[0](x, buckets, hidden))


class UMT5Encoder(nn.Module):
    """Tokens [B,L] → what they mean [B,L,W], in float32 (or under autocast) whatever the weights are.

    Args:
        operations: layer classes; they must bring their weights to the input's number type.
    """

    def __init__(self, config: UMT5Config, operations: Any = CASTING) -> None:
        super().__init__()
        self.config = config
        self.shared = operations.Embedding(config.vocabulary, config.width)
        self.encoder = nn.Module()
        self.encoder.block = nn.ModuleList([Block(config, operations) for _ in range(config.layers)])
        self.encoder.final_layer_norm = RMSNorm(config.width)

    def forward(
        self,
        tokens: Tensor,
        real: Tensor | None = None,
        layers: int | None = None,
        tick: Callable[[], None] | None = None,
    ) -> Tensor:
        """Encode tokens.

        Args:
            tokens: int64 [B,L].
            real: bool [B,L], false where a row is padded: nothing looks there. All, when None.
            layers: how many to run before the last norm; all, when None.
            tick: called before each layer; it raises to stop.
        """
        buckets = distance_buckets(tokens.shape[1], self.config.buckets, tokens.device)
        hidden = torch.zeros(tokens.shape, device=tokens.device)
        if real is not None:
            hidden = hidden.masked_fill(~real, -torch.inf)
        x = self.shared(tokens).float()
        for block in self.encoder.block[:layers]:
            if tick:
                tick()
            x = block(x, buckets, hidden[:, None, None])
        return self.encoder.final_layer_norm(x)

    @torch.no_grad()
    def reset(self) -> None:
        """Draw fresh weights with T5's deviations."""
        width, hidden = self.config.width, self.config.hidden
        inner = self.config.heads * self.config.head_width
        deviations = {"q": (width * self.config.head_width) ** -0.5, "o": inner**-0.5, "wo": hidden**-0.5}
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear):
                module.weight.normal_(std=deviations.get(name.rsplit(".", 1)[-1], width**-0.5))
            elif isinstance(module, nn.Embedding):
                module.weight.normal_(std=1.0 if module is self.shared else width**-0.5)


def distance_buckets(length: int, buckets: int, device: torch.device | None = None) -> Tensor:
    """Which row of the table each pair of positions takes: int64 [L,L], by (looking, looked at).

    Half of the rows are for positions ahead. Near distances have a row each, far ones share rows, evenly
    in their logarithm up to `FARTHEST`.
    """
    places = torch.arange(length, device=device)
    offset = places[None] - places[:, None]
    each = buckets // 2
    near = each // 2
    distance = offset.abs()
    ratio = torch.log(distance.clamp(min=1).float() / near) / math.log(FARTHEST / near)
    far = (near + (ratio * (each - near)).long()).clamp(max=each - 1)
    return torch.where(distance < near, distance, far) + (offset > 0) * each
