"""Attention on a processor in tiles of queries, each with all its logits: two products and a softmax.

The logits are float32 even where queries and keys are bfloat16: rounded to bfloat16, logits of deviation 4
alone make an error of a hundredth. oneDNN's float32 product makes that affordable.

Shapes: B batch, H heads, S queries, L keys, D channels of a head.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from .. import fast_cpu
from ..linear.dispatch import choose
from ..linear.probe import onednn_linear

KEYS = 8192
LOGITS = 1 << 20
"""Of a tile, at most: the keys that it looks at at once, and queries times keys, 4 MB in float32."""
FEWEST_ROWS, MOST_ROWS = 128, 512
"""Queries of a tile."""
FEWEST_LOGITS = 1 << 16
"""S·L of a head from which tiles pay; below that, fused attention's single call is quicker."""


def refusal(query: Tensor, key: Tensor, value: Tensor) -> str | None:
    """Why tiles may not be taken; None where they may."""
    if torch.is_grad_enabled() and any(x.requires_grad for x in (query, key, value)):
        return "gradients are wanted"
    if reason := fast_cpu.refusal(query, key):
        return reason
    if value.dtype != query.dtype:
        return f"the values are {value.dtype}, the queries {query.dtype}"
    return None


def small(query: Tensor, key: Tensor) -> str | None:
    """Why fused attention is to be preferred for these sizes; None where tiles are."""
    logits = query.shape[-2] * key.shape[-2]
    return f"{logits} logits a head are too few to pay" if logits < FEWEST_LOGITS else None


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """query [B,H,S,D] over all of key, value [B,H,L,D] → [B,H,S,D], laid out as [B,S,H,D]."""
    made = empty_result(query)
    product = product_for(query)
    rows = tile_rows(query, key.shape[-2])
    for head in heads(query):
        keys, values = key[head].contiguous(), value[head].contiguous()
        for first in range(0, query.shape[-2], rows):
            tile = slice(first, first + rows)
            made[head][tile] = attend_tile(scaled(query[head][tile]), keys, values, product)
    return made


def tile_rows(query: Tensor, keys: int) -> int:
    """Queries of a tile that look at so many keys, whose logits take a third of all queries' room at most."""
    logits = min(LOGITS, query.nbytes // 12)
    return min(MOST_ROWS, max(FEWEST_ROWS, logits // min(keys, KEYS)))


Product = Callable[[Tensor, Tensor], Tensor]


def product_for(query: Tensor) -> Product:
    """The faster of oneDNN's and PyTorch's x [r,D], y [n,D] → x·yᵀ [r,n] for float32 here."""
    if (
        choose(query.new_empty(0, dtype=torch.float32), query.new_empty(0, dtype=torch.float32)).path
        == "plain"
    ):
        return F.linear
    return lambda x, y: onednn_linear(x, y, None)


def scaled(query: Tensor) -> Tensor:
    """Queries [r,D] as `attend_tile` takes them."""
    return query.float() * query.shape[-1] ** -0.5


def attend_tile(
    query: Tensor, key: Tensor, value: Tensor, product: Product, bias: Tensor | None = None
) -> Tensor:
    """Scaled query, float32 [r,D], over key and value [n,D] → [r,D].

    More than `KEYS` keys are attended to in parts, which are put together by their sums of exponentials.

    Args:
        bias: float32 [r,n], added to the logits; −∞ keeps a pair out, and no row may be all −∞.
    """
    if bias is not None or len(key) <= KEYS:
        logits = _logits(query, key, product)
        return _weighted(logits if bias is None else logits.add_(bias), value, product)
    gathered = highest = total = None
    for keys, values in zip(key.split(KEYS), value.split(KEYS), strict=True):
        logits = _logits(query, keys, product)
        peak = logits.amax(dim=-1, keepdim=True)
        made = _weighted(logits, values, product)
        sums = 1 / logits.amax(dim=-1, keepdim=True)  # the greatest weight is exp(0) over the sum
        if gathered is None:
            gathered, highest, total = made.float(), peak, sums
            continue
        higher = torch.maximum(highest, peak)
        kept, new = total * (highest - higher).exp(), sums * (peak - higher).exp()
        total, highest = kept + new, higher
        gathered.mul_(kept / total).addcmul_(made, new / total)
    return gathered


def _logits(query: Tensor, key: Tensor, product: Product) -> Tensor:
    """[r,n] in float32."""
    return product(query, float_copy(key))


def _weighted(logits: Tensor, value: Tensor, product: Product) -> Tensor:
    """The mean of the values by the softmax of the logits, which become their weights: [r,D]."""
    torch.softmax(logits, dim=-1, out=logits)
    if value.dtype == torch.float32:
        return product(logits, value.t())
    return logits.to(value.dtype) @ value


def float_copy(x: Tensor) -> Tensor:
    """x as float32, contiguous; itself where it is that."""
    return x.to(torch.float32, memory_format=torch.contiguous_format).contiguous()


def empty_result(query: Tensor) -> Tensor:
    """[B,H,S,D] in memory as [B,S,H,D], so that the heads of a token lie side by side for what follows."""
    return torch.empty_like(query.transpose(1, 2), memory_format=torch.contiguous_format).transpose(1, 2)


def heads(query: Tensor) -> list[tuple[int, int]]:
    """Number of every batch and head."""
    return [(batch, head) for batch in range(query.shape[0]) for head in range(query.shape[1])]
