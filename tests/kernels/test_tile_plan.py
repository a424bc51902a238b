"""A mask cut into tiles: every pair once, full tiles first, and one plan for each mask."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kinograph.kernels.attention.block_mask import BlockMask, even_edges
from kinograph.kernels.attention.tile_plan import Plan, Tiles, remembered, tiles_for

CPU = torch.device("cpu")
HOPPER, AMPERE = 227 << 10, 99 << 10


def pairs(plan: Plan, queries: int, keys: int) -> torch.Tensor:
    """How often each pair of query and key is met: int64 [G,S,L]."""
    met = torch.zeros(len(plan.counts), queries, keys, dtype=torch.int64)
    for first, last, row in plan.queries.tolist():
        for group, count in enumerate(plan.counts[:, row].tolist()):
            for place in range(count):
                start, stop = int(plan.first[group, row, place]), int(plan.last[group, row, place])
                assert 0 < stop - start <= plan.tiles.keys
                assert (stop - start == plan.tiles.keys) == (place < plan.full[group, row])
                met[group, first:last, start:stop] += 1
    return met


def check(mask: BlockMask, tiles: Tiles) -> None:
    plan = Plan.of(mask, CPU, tiles)
    assert (plan.queries[:, 1] - plan.queries[:, 0]).max() <= tiles.queries
    assert torch.equal(pairs(plan, mask.queries, mask.keys), mask.allowed().long())


@settings(max_examples=40, deadline=None)
@given(
    queries=st.integers(1, 200),
    keys=st.integers(1, 200),
    block=st.sampled_from([16, 24, 32, 64]),
    tile=st.sampled_from([16, 32]),
    seed=st.integers(0, 99),
)
def test_every_pair_of_even_blocks_is_met_once(queries, keys, block, tile, seed):
    edges, key_edges = even_edges(queries, block), even_edges(keys, block)
    kept = (
        torch.rand(2, len(edges) - 1, len(key_edges) - 1, generator=torch.Generator().manual_seed(seed)) < 0.5
    )
    kept[..., -1] |= ~kept.any(-1)
    check(BlockMask.of(kept, edges, key_edges), Tiles(tile, tile, 4))


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=6),
    key_sizes=st.lists(st.integers(1, 60), min_size=1, max_size=6),
    seed=st.integers(0, 99),
)
def test_every_pair_of_uneven_blocks_is_met_once(sizes, key_sizes, seed):
    edges, key_edges = (torch.tensor([0, *some]).cumsum(0) for some in (sizes, key_sizes))
    kept = torch.rand(2, len(sizes), len(key_sizes), generator=torch.Generator().manual_seed(seed)) < 0.5
    kept[..., 0] |= ~kept.any(-1)
    check(BlockMask.of(kept, edges, key_edges), Tiles(32, 16, 4))


@pytest.mark.parametrize("block", [32, 64, 128])
@pytest.mark.parametrize("channels", [32, 64, 128, 256])
@pytest.mark.parametrize("item", [2, 4])
@pytest.mark.parametrize("memory", [HOPPER, AMPERE])
def test_tiles_are_whole_parts_of_even_blocks_and_fit(block, channels, item, memory):
    tiles = tiles_for(BlockMask.full(8 * block, 8 * block, block), channels, item, memory)
    assert block % tiles.queries == block % tiles.keys == 0
    assert (tiles.queries + 4 * tiles.keys) * channels * item <= memory


def test_text_as_one_large_block_does_not_widen_the_tiles_of_small_ones():
    edges = torch.tensor([0, *[40] * 50, 512]).cumsum(0)
    tiles = tiles_for(BlockMask.of(torch.ones(51, 51, dtype=torch.bool), edges), 128, 2, HOPPER)
    assert tiles.queries == tiles.keys == 64


def test_a_plan_is_made_once_for_a_mask():
    mask = BlockMask.full(64, 64, 32)
    tiles = Tiles(32, 32, 4)
    first = remembered(mask, tiles, lambda: Plan.of(mask, CPU, tiles))
    assert remembered(mask, tiles, lambda: pytest.fail("made again")) is first
