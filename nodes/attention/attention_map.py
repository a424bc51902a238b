"""Where a film's attention goes: between which tokens, and how far in time and space.

Shapes: B batch, H heads, S tokens of a grid of T frames, D channels of a head; r of the queries are studied.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ...kernels.attention.block_mask import BlockMask
from .token_grid import TokenGrid

QUERIES = 256
RINGS = 24
"""Distances in space that are told apart at most."""
DARKEST = 1e-4
"""Share of the brightest value that is drawn black: the scale is logarithmic."""
COLORS = ((0.0, 0.0, 0.02), (0.35, 0.07, 0.43), (0.85, 0.28, 0.27), (0.98, 0.76, 0.32), (1.0, 1.0, 0.85))


@dataclass(frozen=True)
class Energy:
    """Attention of some queries of a layer, the mean over heads and clips.

    Attributes:
        grid: the tokens.
        queries: int64 [r], which tokens they are.
        weights: float32 [r,S], how much each looks at each token; rows add up to 1.
    """

    grid: TokenGrid
    queries: Tensor
    weights: Tensor

    @classmethod
    def of(cls, grid: TokenGrid, query: Tensor, key: Tensor) -> Energy:
        """Of query and key [B,H,S,D], for `QUERIES` queries spread over the film."""
        some = torch.linspace(0, grid.tokens - 1, min(QUERIES, grid.tokens)).long()
        weights = torch.zeros(len(some), grid.tokens)
        heads = list(zip(query.flatten(0, 1), key.flatten(0, 1), strict=True))
        for one_query, one_key in heads:
            logits = one_query[some.to(query.device)].float() @ one_key.float().T * query.shape[-1] ** -0.5
            weights += logits.softmax(dim=-1).cpu() / len(heads)
        return cls(grid, some, weights)

    def over_time(self) -> Tensor:
        """Share of the attention at each distance in frames, of what goes to the film: float32 [T]."""
        return self.by_distance().sum(dim=1)

    def by_distance(self) -> Tensor:
        """Share at each distance in time and in space: float32 [T,rings], of what goes from film to film.

        Space: the longer of the distances in rows and columns, the frame's longer side divided into rings.
        """
        grid, side = self.grid, max(self.grid.rows, self.grid.columns)
        rings = min(RINGS, side)
        inside = (self.queries >= grid.before) & (self.queries < grid.before + grid.video)
        places, own = grid.places(), self.queries[inside] - grid.before
        apart = (places[own][:, None] - places[None]).abs()  # [r,T·P,3]
        far = apart[..., 1:].amax(dim=-1) * rings // side
        cell = apart[..., 0] * rings + far
        weights = self.weights[inside][:, grid.before : grid.before + grid.video]
        total = torch.zeros(grid.frames * rings).index_add_(0, cell.flatten(), weights.flatten())
        return total.view(grid.frames, rings) / total.sum()

    def within(self, mask: BlockMask) -> float:
        """Share of the attention that lies in what a mask keeps, the mean of its masks."""
        order = torch.arange(self.grid.tokens) if mask.order is None else mask.order.cpu()
        place = order.argsort()  # where each token stands when sorted
        row = torch.bucketize(place[self.queries], mask.query_edges[1:], right=True)
        column = torch.bucketize(place, mask.key_edges[1:], right=True)
        kept = mask.kept.cpu().float().mean(dim=0)[row][:, column]  # [r,S]
        if mask.rule is not None:
            kept = kept * mask.rule(place[self.queries][:, None], place[None])
        return float((self.weights * kept).sum() / len(self.queries))


def pictures(energy: Energy, mask: BlockMask | None, side: int) -> Tensor:
    """Three pictures [3,side,side,3] in 0..1: kept blocks, attention, and attention by distance.

    The first two have queries from top to bottom and keys from left to right, as they come in the film. In
    the third, time grows from left to right and space from top to bottom. Colours are logarithmic.
    """
    kept = torch.ones(1, 1) if mask is None else kept_in_order(mask, side)
    panels = (kept, _logarithmic(_pooled(energy.weights, side)), _logarithmic(energy.by_distance().T))
    return torch.stack([_colored(_enlarged(panel, side)) for panel in panels])


def told(energy: Energy, mask: BlockMask | None) -> str:
    """The shares in words and numbers."""
    over_time = energy.over_time().tolist()
    lines = [
        "Share of the attention by distance in latent frames: "
        + ", ".join(f"{distance}: {share:.1%}" for distance, share in enumerate(over_time))
        + "."
    ]
    if mask is None:
        return "\n".join([*lines, "The model's attention is dense."])
    lines.append(
        f"Sparse attention keeps {mask.density:.1%} of all pairs here, and {energy.within(mask):.1%} of the "
        "attention lies in them."
    )
    return "\n".join(lines)


def kept_in_order(mask: BlockMask, side: int) -> Tensor:
    """Share of kept pairs with the tokens in their own order: float32 [≤ side, ≤ side]."""
    if mask.order is None:
        return mask.picture(side)
    place = mask.order.cpu().argsort()
    some = torch.linspace(0, mask.queries - 1, min(side, mask.queries)).long()
    row = torch.bucketize(place[some], mask.query_edges[1:], right=True)
    column = torch.bucketize(place[some], mask.key_edges[1:], right=True)
    return mask.kept.cpu().float().mean(dim=0)[row][:, column]


def _pooled(weights: Tensor, side: int) -> Tensor:
    return F.adaptive_avg_pool2d(weights[None], [min(side, length) for length in weights.shape])[0]


def _logarithmic(shares: Tensor) -> Tensor:
    """Shares as brightness in 0..1."""
    relative = shares / shares.max()
    return 1 - relative.clamp(min=DARKEST).log() / torch.tensor(DARKEST).log()


def _enlarged(panel: Tensor, side: int) -> Tensor:
    return F.interpolate(panel[None, None], size=(side, side), mode="nearest")[0, 0]


def _colored(brightness: Tensor) -> Tensor:
    """float32 [h,w] in 0..1 → [h,w,3], dark to light."""
    colors = torch.tensor(COLORS)
    at = brightness.clamp(0, 1) * (len(COLORS) - 1)
    low = at.floor().long().clamp(max=len(COLORS) - 2)
    return torch.lerp(colors[low], colors[low + 1], (at - low)[..., None])
