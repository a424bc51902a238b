"""Sliding tiles: boxes of tokens look at the boxes around them, as many at the borders as elsewhere.

Source: Zhang et al. 2025, "Fast Video Generation with Sliding Tile Attention".
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from ...methods import param, register
from ..plan import NODE

if TYPE_CHECKING:
    from ..plan import Plan
    from ..token_grid import TokenGrid


def _reach(axis: str, default: int) -> int:
    return param(
        default, f"Tiles to be seen on either side along {axis}; 0 is the tile's own.", min=0, max=256, step=1
    )


def _side(axis: str, default: int) -> int:
    return param(default, f"Tokens of a tile along {axis}.", min=1, max=256, step=1)


@register(
    "sliding_tile",
    node=NODE,
    paper="Fast Video Generation with Sliding Tile Attention (Zhang et al.)",
    year=2025,
    test="tests/attention/test_windows.py",
)
class SlidingTile:
    """Windows of whole tiles in time and space."""

    tile_frames: int = _side("time, latent frames", 4)
    tile_rows: int = _side("the height", 8)
    tile_columns: int = _side("the width", 8)
    reach_frames: int = _reach("time", 1)
    reach_rows: int = _reach("the height", 1)
    reach_columns: int = _reach("the width", 1)

    def kind(self, layer: int) -> Hashable:
        return None

    def plan(self, grid: TokenGrid, layer: int) -> Plan:
        import torch

        from ....kernels.attention.block_mask import BlockMask
        from ..plan import FixedPlan
        from ..token_grid import boxes_of, inward_window

        tiles = boxes_of(grid, (self.tile_frames, self.tile_rows, self.tile_columns))
        beside = tiles.boxes[:, 0] < 0
        kept = torch.ones(len(beside), len(beside), dtype=torch.bool)
        reaches = (self.reach_frames, self.reach_rows, self.reach_columns)
        for axis, reach in enumerate(reaches):
            low, high = inward_window(tiles.counts[axis], reach)
            number = tiles.boxes[:, axis].clamp(min=0)
            kept &= (number >= low[number][:, None]) & (number <= high[number][:, None])
        kept |= beside[:, None] | beside
        return FixedPlan(BlockMask.of(kept, tiles.edges, order=tiles.order))
