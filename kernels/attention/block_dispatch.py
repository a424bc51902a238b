"""The one call for block-sparse attention, and which way it is computed here.

Shapes: B batch, H heads, S queries, L keys, D channels of a head.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from . import dispatch, flex, gathered, naive, triton_block
from .block_mask import BlockMask

AUTO = "auto"
DENSE_ABOVE = 0.75
"""Density from which attending to everything is the faster; it is also the more exact."""


class BackendRefused(RuntimeError):
    """The way that was asked for by name cannot compute this here; the message says why."""


Reason = Callable[[Tensor, Tensor, Tensor, BlockMask], "str | None"]
"""(query, key, value, mask) → why not, or None."""


def _none(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> None:
    return None


@dataclass(frozen=True)
class BlockBackend:
    """One way to compute block-sparse attention.

    Attributes:
        compute: (query, key, value, mask) → [B,H,S,D], tokens sorted as the mask's order says.
        refusal: why it cannot serve these tensors.
        drawback: why it should not be chosen for them, though it can serve them.
        sorts: it takes tokens in their own order, and sorts them itself where it needs to.
    """

    name: str
    compute: Callable[[Tensor, Tensor, Tensor, BlockMask], Tensor]
    refusal: Reason = _none
    drawback: Reason = _none
    sorts: bool = False


@dataclass(frozen=True)
class BlockChoice:
    """The backend taken, and by name why each that comes before it was not."""

    backend: BlockBackend
    refused: dict[str, str] = field(default_factory=dict)


def _dense(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> Tensor:
    return dispatch.attend(query, key, value)


def _dense_refusal(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> str | None:
    return None if mask.rule is None else "the mask has a rule within its blocks"


def _dense_drawback(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask) -> str | None:
    if mask.density > DENSE_ABOVE:
        return None
    return f"only {mask.density:.0%} of all pairs are wanted"


BACKENDS = (
    BlockBackend("dense", _dense, _dense_refusal, _dense_drawback, sorts=True),
    BlockBackend("triton", triton_block.attend, triton_block.refusal),
    BlockBackend("flex", flex.attend, flex.refusal, flex.drawback),
    BlockBackend("gathered", gathered.attend, sorts=True),
    BlockBackend("naive", naive.attend_blocks),
)
"""In order of preference; `gathered` serves everything."""
NAMES = (AUTO, *(backend.name for backend in BACKENDS))


def choose(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask, backend: str = AUTO) -> BlockChoice:
    """The first backend that serves these tensors well, or the one asked for by name.

    Raises:
        BackendRefused: the one asked for cannot serve them.
    """
    if backend != AUTO:
        named = BACKENDS[NAMES.index(backend) - 1]
        if reason := named.refusal(query, key, value, mask):
            raise BackendRefused(f"the attention backend {backend!r} cannot be used here: {reason}")
        return BlockChoice(named)
    refused: dict[str, str] = {}
    for one in BACKENDS:
        tensors = query, key, value, mask
        if not (reason := one.refusal(*tensors) or one.drawback(*tensors)):
            return BlockChoice(one, refused)
        refused[one.name] = reason
    raise AssertionError("gathered attention serves everything")


def attend(
    query: Tensor, key: Tensor, value: Tensor, mask: BlockMask, choice: BlockChoice | None = None
) -> Tensor:
    """Softmax attention of query [B,H,S,D] over the pairs of key, value [B,H,L,D] that the mask keeps.

    Args:
        choice: what `choose` said for such tensors; it is asked again when None.

    Returns:
        [B,H,S,D], the tokens in the order they came in.
    """
    _check(query, key, mask)
    choice = choose(query, key, value, mask) if choice is None else choice
    if mask.order is None or choice.backend.sorts:
        return choice.backend.compute(query, key, value, mask)
    query, key, value = (x.index_select(2, mask.order) for x in (query, key, value))
    made = choice.backend.compute(query, key, value, mask)
    return torch.empty_like(made).index_copy_(2, mask.order, made)


def _check(query: Tensor, key: Tensor, mask: BlockMask) -> None:
    if (query.shape[2], key.shape[2]) != (mask.queries, mask.keys):
        raise ValueError(
            f"{query.shape[2]} queries and {key.shape[2]} keys, but the mask was planned for {mask.queries} "
            f"and {mask.keys}: plan it for this size"
        )
    if len(mask.counts) not in (1, query.shape[0] * query.shape[1]):
        raise ValueError(
            f"{len(mask.counts)} masks for {query.shape[0]} clips of {query.shape[1]} heads; needed is one, "
            "or one for each head of each clip"
        )
