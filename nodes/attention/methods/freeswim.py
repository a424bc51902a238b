"""FreeSwim: films larger than those the network was trained on, each token with as many keys as in training.

The window of a token has the size of a training frame and is pushed inward at the borders, in all frames:
(2·dʰ + 1)(2·dʷ + 1)·T keys for every query. What the prompt says of the whole picture comes from a second,
dense pass: its attention to the text replaces that of the windowed pass, and may be used again for some
steps. Source: Wu et al. 2025, "FreeSwim: Revisiting Sliding-Window Attention Mechanisms for Training-Free
Ultra-High-Resolution Video Generation".
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING

from ...methods import param, register
from ..plan import NODE

if TYPE_CHECKING:
    from torch import Tensor

    from ..plan import Plan
    from ..token_grid import TokenGrid

TILE = 8
"""Rows and columns of tokens whose windows are computed together."""


@register(
    "freeswim",
    node=NODE,
    system="freeswim",
    paper="FreeSwim: Revisiting Sliding-Window Attention Mechanisms for Training-Free Ultra-High-Resolution "
    "Video Generation (Wu et al.)",
    year=2025,
    test="tests/attention/test_windows.py",
)
class FreeSwim:
    """A window of the training size around each token, and the prompt's effect from a pass over all."""

    native_height: int = param(
        480, "Height of the films that the network was trained on, in pixels.", min=16, max=16384, step=16
    )
    native_width: int = param(
        832, "Width of the films that the network was trained on, in pixels.", min=16, max=16384, step=16
    )
    token_pixels: int = param(16, "Pixels of a token's side: 16 for Wan 2.1, 32 for LTX.", min=1, max=256)
    cross_override: bool = param(
        True, "Take the attention to the text from a second, dense pass: it keeps one subject from repeating."
    )
    cache_steps: int = param(
        5,
        "Steps for which the dense pass's attention to the text serves; 1 = a new one each step.",
        min=1,
        max=1000,
    )
    scale: bool = param(
        True,
        "Sharpen the attention for windows of twice the training length's keys, as the paper's code does.",
    )

    def kind(self, layer: int) -> Hashable:
        return None

    def reach(self, grid: TokenGrid) -> tuple[int, int]:
        """Rows and columns of tokens seen on either side."""
        rows, columns = self.native_height // self.token_pixels, self.native_width // self.token_pixels
        return max(1, rows // 2), max(1, columns // 2)

    def plan(self, grid: TokenGrid, layer: int) -> Plan:
        from ....kernels.attention.block_mask import BlockMask
        from ..plan import FixedPlan
        from ..token_grid import boxes_of, inward_window

        reach = self.reach(grid)
        windows = [inward_window(*axis) for axis in zip((grid.rows, grid.columns), reach, strict=True)]
        tiles = boxes_of(grid, (0, TILE, TILE))
        kept = _touched(tiles.boxes, windows)
        whole = all(int((last - first).min()) + 1 == len(first) for first, last in windows)
        rule = None if whole else _window_rule(grid, tiles.order, windows)
        mask = BlockMask.of(kept, tiles.edges, order=tiles.order, rule=rule)
        return FixedPlan(mask, self._sharpening(grid, reach))

    def _sharpening(self, grid: TokenGrid, reach: tuple[int, int]) -> float:
        """What queries are multiplied by: √(log(2N)/log N) for N tokens in training."""
        if not self.scale:
            return 1.0
        trained = grid.frames * (2 * reach[0]) * (2 * reach[1])
        return math.sqrt(math.log(2 * trained) / math.log(trained))


def _touched(boxes: Tensor, windows: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Which boxes hold tokens that some token of a box sees: bool [boxes,boxes]."""
    import torch

    kept = torch.ones(len(boxes), len(boxes), dtype=torch.bool)
    for axis, (first, last) in enumerate(windows, start=1):
        start = (boxes[:, axis] * TILE).clamp(min=0)
        stop = (start + TILE).clamp(max=len(first)) - 1
        low, high = first[start], last[stop]
        kept &= (stop[None] >= low[:, None]) & (start[None] <= high[:, None])
    beside = boxes[:, 0] < 0
    return kept | beside[:, None] | beside


def _window_rule(grid: TokenGrid, order: Tensor, windows: list[tuple[Tensor, Tensor]]) -> object:
    """The exact windows, for sorted tokens; what stands beside the film sees all and is seen by all."""
    import torch

    places = torch.full((grid.tokens, 2), -1)
    places[grid.before : grid.before + grid.video] = grid.places()[:, 1:]
    places = places[order]
    beside, by_device = grid.tokens > grid.video, {}

    def tables(device: torch.device) -> list[tuple[Tensor, Tensor, Tensor]]:
        """(place, first seen, last seen) of every token along height and width."""
        if device not in by_device:
            by_device[device] = [
                tuple(x.to(device) for x in (place, *(edge[place.clamp(min=0)] for edge in window)))
                for place, window in zip(places.T.contiguous(), windows, strict=True)
            ]
        return by_device[device]

    def sees(query: Tensor, key: Tensor) -> Tensor:
        (y, top, bottom), (x, left, right) = tables(query.device)
        seen = (y[key] >= top[query]) & (y[key] <= bottom[query])
        seen = seen & (x[key] >= left[query]) & (x[key] <= right[query])
        return seen | (y[key] < 0) | (y[query] < 0) if beside else seen

    return sees
