"""Radial Attention: a token looks at its neighbourhood, the narrower the further away in time.

Attention between frames i and j lies near the diagonal |x − y| ≤ w, x and y places within a frame, and decays
with their distance d = |i − j|. With p = 2^bitlen(P), P tokens a frame, the half-width is

    w(d) = decay · p / 2^bitlen(d),

at least a block; where p / 2^bitlen(d) falls below a block, only every (block · 2^bitlen(d) / p)-th distance
is kept at all. All tokens see the first frame and what stands beside the film. Pairs grow as n log n. Source:
Li et al. 2025, "Radial Attention: O(n log n) Sparse Attention with Energy Decay for Long Video Generation".
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from ...methods import param, register
from ..plan import NODE

if TYPE_CHECKING:
    from torch import Tensor

    from ..plan import Plan
    from ..token_grid import TokenGrid

OUTWARD, PUBLISHED = "outward", "published"
WAN, HUNYUAN, EVEN = "wan", "hunyuan", "even"


@register(
    "radial",
    node=NODE,
    system="radial_attention",
    paper="Radial Attention: O(n log n) Sparse Attention with Energy Decay for Long Video Generation "
    "(Li et al.)",
    year=2025,
    test="tests/attention/test_radial_attention.py",
)
class RadialAttention:
    """Windows around the same place in other frames, halved whenever the distance in time doubles."""

    decay: float = param(
        1.0,
        "Widens all windows, in parts of the paper's; 0.2 to 1 were used there. Less is sparser.",
        min=0.01,
        max=100.0,
        step=0.01,
    )
    block: int = param(128, "Tokens of a block: the least that is kept or left out.", min=1, max=1024, step=1)
    rule: str = param(
        WAN,
        "Windows of frames next to each other. As in the paper's code: wan takes half a frame, and lets all "
        "tokens see the first frame; hunyuan takes all of it. even: what the formula gives, as for the "
        "others, which is the sparsest.",
        choices=(WAN, HUNYUAN, EVEN),
    )
    rounding: str = param(
        OUTWARD,
        "Blocks that a window only touches. outward: they are kept. published: they are left out where they "
        "are mostly outside, as the paper's code does; the diagonal is kept all the same.",
        choices=(OUTWARD, PUBLISHED),
    )

    def kind(self, layer: int) -> Hashable:
        return None

    def plan(self, grid: TokenGrid, layer: int) -> Plan:
        from ....kernels.attention.block_mask import BlockMask, even_edges
        from ..plan import FixedPlan

        edges = even_edges(grid.tokens, self.block)
        return FixedPlan(BlockMask.of(self.kept(grid), edges))

    def half_widths(self, grid: TokenGrid) -> Tensor:
        """Half-width of the window between frames at each distance 0 … T − 1, float64 [T]; below 0: none."""
        import torch

        power = 2.0 ** grid.frame_tokens.bit_length()
        widths = []
        for distance in range(grid.frames):
            unfloored = power / 2.0 ** distance.bit_length()
            width = max(unfloored * self.decay, float(self.block))
            if unfloored < self.block and distance % int(self.block / unfloored):
                width = -1.0
            widths.append(width)
        widths[0] = float(grid.frame_tokens)
        if grid.frames > 1 and self.rule != EVEN:
            widths[1] = float(grid.frame_tokens if self.rule == HUNYUAN else grid.frame_tokens // 2)
        return torch.tensor(widths, dtype=torch.float64)

    def kept(self, grid: TokenGrid) -> Tensor:
        """Which blocks are kept, bool [R,R].

        Blocks and frames cut the tokens into pieces; between two pieces the window is a band, whose share is
        told by a formula.
        """
        import torch

        first, last, frame = self._pieces(grid)
        distance = (frame[:, None] - frame[None]).abs().clamp(max=grid.frames - 1)
        width = self.half_widths(grid)[distance]
        place = (first - grid.before) % grid.frame_tokens, (last - 1 - grid.before) % grid.frame_tokens
        kept = self._wide_enough(*place, width)
        beside = (frame < 0)[:, None] | (frame < 0)[None]
        kept |= beside
        if self.rule == WAN:
            kept |= (frame == 0)[None]  # all tokens see the first frame
        row = first // self.block
        blocks = int(row[-1]) + 1
        found = torch.zeros(blocks * blocks, dtype=torch.int32)
        found.scatter_add_(0, (row[:, None] * blocks + row[None]).flatten(), kept.flatten().int())
        return (found.view(blocks, blocks) > 0) | torch.eye(blocks, dtype=torch.bool)

    def _pieces(self, grid: TokenGrid) -> tuple[Tensor, Tensor, Tensor]:
        """First and last + 1 token and the frame (−1 beside the film) of each piece, int64."""
        import torch

        frame_edges = grid.before + torch.arange(grid.frames + 1) * grid.frame_tokens
        cuts = torch.cat([torch.arange(0, grid.tokens, self.block), frame_edges, torch.tensor([grid.tokens])])
        cuts = cuts.unique()
        first, last = cuts[:-1], cuts[1:]
        frame = (first - grid.before).div(grid.frame_tokens, rounding_mode="floor")
        return first, last, torch.where((frame < 0) | (frame >= grid.frames), -1, frame)

    def _wide_enough(self, first: Tensor, last: Tensor, width: Tensor) -> Tensor:
        """Is the band |x − y| ≤ width [N,N] between pieces of places first … last [N] to be kept?

        A column y of a piece sees m rows or more where first + m − 1 − width ≤ y ≤ last − m + 1 + width.
        """
        touched = self._columns(first, last, width, 1)
        if self.rounding == OUTWARD:
            return touched > 0
        enough = self._columns(first, last, width, self.block // 3 + 1)
        return enough > 0.6 * touched

    def _columns(self, first: Tensor, last: Tensor, width: Tensor, rows: int) -> Tensor:
        """How many columns of a piece see at least so many rows of another, [N rows, N columns]."""
        width = width.floor()
        low = (first[:, None] + rows - 1 - width).maximum(first[None])
        high = (last[:, None] - rows + 1 + width).minimum(last[None])
        possible = (last - first + 1 >= rows)[:, None] & (2 * width + 1 >= rows) & (width >= 0)
        return (high - low + 1).clamp(min=0) * possible
