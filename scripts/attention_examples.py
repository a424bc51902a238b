"""What sparse attention keeps of a small film, and where attention goes, for the help pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from help_examples import Row
from kinograph.nodes.attention.attention_map import Energy, kept_in_order, pictures
from kinograph.nodes.attention.methods.block_top_k import BlockTopK
from kinograph.nodes.attention.methods.freeswim import FreeSwim
from kinograph.nodes.attention.methods.radial_attention import RadialAttention
from kinograph.nodes.attention.methods.sliding_tile import SlidingTile
from kinograph.nodes.attention.methods.vmoba import VMoBA
from kinograph.nodes.attention.plan import AttentionMethod
from kinograph.nodes.attention.token_grid import TokenGrid
from PIL import Image
from torch import Tensor

LONG, TALL = TokenGrid(frames=12, rows=16, columns=16), TokenGrid(frames=4, rows=48, columns=8)
BLOCK, SIDE, CHANNELS, SHARPNESS = 32, 96, 512, 9.0
LIGHT = 0.75
"""Of a kept block: sharp edges of full contrast make large files."""
NEARBY, ALONG_TIME = (1.5, 3.0, 3.0), (5.0, 1.2, 1.2)
"""Tokens along time, height and width in which a logit falls to a third."""


def attending(grid: TokenGrid, reach: tuple[float, float, float]) -> tuple[Tensor, Tensor]:
    """Query and key [1,1,S,CHANNELS] whose product falls with the distance exponentially.

    Random features of the tokens' places: Rahimi and Recht 2007, "Random Features for Large-Scale Kernel
    Machines".
    """
    drawn = torch.Generator().manual_seed(7)
    frequencies = torch.empty(3, CHANNELS // 2).cauchy_(generator=drawn) / torch.tensor(reach)[:, None]
    phases = grid.places().float() @ frequencies
    features = torch.cat([phases.cos(), phases.sin()], dim=-1)[None, None]
    features *= (2 * SHARPNESS * CHANNELS**-0.5) ** 0.5
    return features, features


def masks() -> Iterator[Row]:
    """The blocks that each method keeps; gates look at attention to what is near."""

    def drawn(method: AttentionMethod, layer: int = 0, grid: TokenGrid = LONG) -> Image.Image:
        query, key = attending(grid, NEARBY)
        return _image(LIGHT * kept_in_order(method.plan(grid, layer).mask(query, key), SIDE))

    gate = VMoBA(tile_rows=4, tile_columns=16, cube_columns=16, query_block=BLOCK)
    windows = FreeSwim(native_height=192, native_width=128)
    tiles = SlidingTile(tile_frames=2, tile_rows=4, tile_columns=16)
    wide, narrow = (drawn(RadialAttention(decay=decay, block=BLOCK)) for decay in (1.0, 0.2))
    yield Row("radial, decay 1 | 0.2 | block_top_k", [wide, narrow, drawn(BlockTopK(block=2 * BLOCK))])
    yield Row("vmoba, layer 0 | 1 | 2", [drawn(gate, layer) for layer in range(3)])
    yield Row("freeswim | sliding_tile", [drawn(windows, grid=TALL), drawn(tiles)])


def maps() -> Iterator[Row]:
    """Two layers that look elsewhere, under Radial attention."""
    titles = ("nearby: kept blocks | attention | by distance", "a layer that looks along time")
    for title, reach in zip(titles, (NEARBY, ALONG_TIME), strict=True):
        query, key = attending(LONG, reach)
        mask = RadialAttention(block=BLOCK).plan(LONG, 0).mask(query, key)
        yield Row(title, [_image(one) for one in pictures(Energy.of(LONG, query, key), mask, SIDE)])


def _image(values: Tensor) -> Image.Image:
    """Of values [h,w] or [h,w,3] in 0..1."""
    drawn = Image.fromarray((values * 255).round().byte().numpy()).convert("RGB")
    return drawn.resize((SIDE, SIDE), Image.Resampling.NEAREST)


ATTENTION_EXAMPLES: dict[str, Callable[[], Iterator[Row]]] = {
    "KinoAttentionMap": maps,
    "KinoSparseAttention": masks,
}
