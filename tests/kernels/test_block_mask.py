"""Block masks: lists and pictures of what is kept, whatever the blocks' sizes."""

from __future__ import annotations

import pytest
import torch
from attention.random_masks import some_blocks
from hypothesis import given, settings
from hypothesis import strategies as st
from kinograph.kernels.attention.block_mask import BlockMask, even_edges


@settings(max_examples=50, deadline=None)
@given(tokens=st.integers(1, 300), block=st.sampled_from([1, 7, 32, 128]), groups=st.integers(1, 3))
def test_lists_say_what_was_kept(tokens, block, groups):
    edges = even_edges(tokens, block)
    assert edges[0] == 0 and edges[-1] == tokens and (edges.diff()[:-1] == block).all()
    kept = some_blocks(len(edges) - 1, len(edges) - 1, groups)
    mask = BlockMask.of(kept, edges)
    assert mask.kept.equal(kept)
    assert mask.counts.equal(kept.sum(-1))
    assert all(
        (row[: count - 1] < row[1:count]).all()
        for row, count in zip(mask.lists[0], mask.counts[0], strict=True)
    )
    assert mask.density == pytest.approx(mask.allowed().float().mean().item())


def test_blocks_of_one_size_are_told_and_others_too():
    assert BlockMask.full(100, 100, 32).block == 32
    assert BlockMask.full(20, 20, 32).block == 20
    uneven = torch.tensor([0, 5, 20, 25])
    assert BlockMask.of(torch.eye(3, dtype=torch.bool), uneven).block is None


def test_a_block_of_queries_without_keys_is_refused():
    kept = torch.ones(3, 3, dtype=torch.bool)
    kept[1] = False
    with pytest.raises(ValueError, match="query block 1 of mask 0 has no keys"):
        BlockMask.of(kept, even_edges(9, 3))


def test_a_shape_that_does_not_fit_the_edges_is_refused():
    with pytest.raises(ValueError, match=r"\[2, 2\] blocks for edges of \[3, 3\]"):
        BlockMask.of(torch.ones(2, 2, dtype=torch.bool), even_edges(9, 3))


def test_a_rule_holds_within_blocks():
    mask = BlockMask.of(
        torch.ones(2, 2, dtype=torch.bool), even_edges(6, 3), rule=lambda query, key: key <= query
    )
    assert mask.allowed()[0].equal(torch.ones(6, 6).tril().bool())


def test_a_picture_is_as_large_as_asked_for_and_as_bright_as_dense():
    mask = BlockMask.of(torch.eye(100, dtype=torch.bool), even_edges(1000, 10))
    picture = mask.picture(20)
    assert picture.shape == (20, 20)
    assert picture.mean().item() == pytest.approx(mask.density)
    assert mask.picture().shape == (100, 100)
