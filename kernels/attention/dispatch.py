"""The one call through which every network attends, and which way it is computed here.

Shapes: B batch, H heads, S queries, L keys, D channels of a head.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from torch import Tensor
from torch.nn import functional as F

from . import naive, products, tiles

Kind = Literal["self", "text", "image"]
"""What queries look at: the film itself, the text, or a picture given with it."""


@dataclass(frozen=True)
class AttentionSite:
    """Where in a network attention happens.

    Attributes:
        block, blocks: which block this is, from 0, and of how many.
        grid: latent frames, rows and columns of the queries, where they are a film's.
    """

    kind: Kind
    block: int
    blocks: int
    grid: tuple[int, int, int] | None = None


class Attention(Protocol):
    """What a network calls to attend; `attend` is the usual one."""

    def __call__(
        self, query: Tensor, key: Tensor, value: Tensor, site: AttentionSite | None = None
    ) -> Tensor: ...


Refusal = Callable[[Tensor, Tensor, Tensor, AttentionSite | None], "str | None"]


@dataclass(frozen=True)
class Backend:
    """One way to compute attention.

    Attributes:
        compute: (query, key, value) → [B,H,S,D].
        refusal: why it cannot or should not serve these tensors, None where it may.
    """

    name: str
    compute: Callable[[Tensor, Tensor, Tensor], Tensor]
    refusal: Refusal


@dataclass(frozen=True)
class Choice:
    """The backend taken, and by name why each that comes before it was not."""

    backend: Backend
    refused: dict[str, str] = field(default_factory=dict)


def _sdpa_refusal(query: Tensor, key: Tensor, value: Tensor, site: AttentionSite | None) -> str | None:
    if query.device.type == "meta" or query.dtype.is_floating_point:
        return None
    return f"scaled_dot_product_attention has no {query.dtype}"


SDPA = Backend("sdpa", F.scaled_dot_product_attention, _sdpa_refusal)
NAIVE = Backend("naive", naive.attend, lambda query, key, value, site: None)

PRODUCTS = Backend("products", products.attend, lambda query, key, value, site: products.refusal(query, key))


def _tiles_refusal(query: Tensor, key: Tensor, value: Tensor, site: AttentionSite | None) -> str | None:
    return tiles.refusal(query, key, value) or tiles.small(query, key)


TILES = Backend("tiles", tiles.attend, _tiles_refusal)

BACKENDS = [PRODUCTS, TILES, SDPA, NAIVE]
"""In order of preference; the last serves everything."""


def choose(query: Tensor, key: Tensor, value: Tensor, site: AttentionSite | None = None) -> Choice:
    """The first backend that serves query [B,H,S,D] and key, value [B,H,L,D] at this site."""
    refused: dict[str, str] = {}
    for backend in BACKENDS[:-1]:
        if (reason := backend.refusal(query, key, value, site)) is None:
            return Choice(backend, refused)
        refused[backend.name] = reason
    return Choice(BACKENDS[-1], refused)


def attend(query: Tensor, key: Tensor, value: Tensor, site: AttentionSite | None = None) -> Tensor:
    """Softmax attention of query [B,H,S,D] over key, value [B,H,L,D] → [B,H,S,D], the way `choose` says."""
    return choose(query, key, value, site).backend.compute(query, key, value)
