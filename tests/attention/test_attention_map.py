"""Attention maps: where the energy lies, and how much of it a mask keeps."""

from __future__ import annotations

import pytest
import torch
from attention.test_sparse_attention_node import TILES, film, latent, model, sparse  # noqa: F401
from generation.wan_files import prompt
from kinograph.kernels.attention.block_mask import BlockMask, even_edges
from kinograph.nodes.attention.attention_map import Energy, pictures, told
from kinograph.nodes.attention.methods.sliding_tile import SlidingTile
from kinograph.nodes.attention.nodes import KinoAttentionMap
from kinograph.nodes.attention.token_grid import TokenGrid
from kinograph.nodes.film_attention import attentions_of

GRID = TokenGrid(4, 3, 5, before=2, after=1)


def own_frame_only(grid: TokenGrid = GRID) -> Energy:
    """Every token of the film looks at its own frame's, evenly."""
    tokens = torch.arange(grid.before, grid.before + grid.video)
    frame = (tokens - grid.before) // grid.frame_tokens
    weights = torch.zeros(grid.video, grid.tokens)
    weights[:, tokens] = (frame[:, None] == frame).float() / grid.frame_tokens
    return Energy(grid, tokens, weights)


def test_attention_to_ones_own_frame_is_all_at_distance_nought():
    over_time = own_frame_only().over_time()
    assert over_time.tolist() == pytest.approx([1, 0, 0, 0])
    assert own_frame_only().by_distance()[0].min() > 0  # spread over space; no ring has no tokens


def test_rows_of_real_queries_add_up_to_one():
    query, key = torch.randn(2, 2, 2, GRID.tokens, 8, generator=torch.Generator().manual_seed(0))
    energy = Energy.of(GRID, query, key)
    torch.testing.assert_close(energy.weights.sum(1), torch.ones(GRID.tokens))
    assert energy.by_distance().sum().item() == pytest.approx(1, rel=1e-5)


def test_a_mask_of_everything_holds_all_attention_and_one_of_the_frame_all_of_such():
    energy = own_frame_only()
    assert energy.within(BlockMask.full(GRID.tokens, GRID.tokens, 7)) == pytest.approx(1)
    frames = SlidingTile(1, 3, 5, 0, 0, 0).plan(GRID, 0).planned
    assert energy.within(frames) == pytest.approx(1)
    edges = even_edges(GRID.tokens, 9)
    lonely = BlockMask.of(torch.eye(len(edges) - 1, dtype=torch.bool), edges)
    assert 0.2 < energy.within(lonely) < 0.8


def test_sorted_masks_are_drawn_in_the_films_order():
    frames = SlidingTile(1, 2, 2, 0, 0, 0).plan(GRID, 0).planned
    maps = pictures(own_frame_only(), frames, 64)
    assert maps.shape == (3, 64, 64, 3) and maps.min() >= 0 and maps.max() <= 1
    assert maps[0, 0].mean() > 0.9  # the tokens beside the film see all
    assert maps[0, 30].mean() < 0.5


def test_the_node_shows_what_sparse_attention_keeps(model):  # noqa: F811
    maps, report = KinoAttentionMap.execute(sparse(model, TILES), prompt(1), latent(), 1, 0.5, 0, 96).args
    assert maps.shape == (3, 96, 96, 3)
    assert "Sparse attention keeps" in report
    dense = KinoAttentionMap.execute(model, prompt(1), latent(), 0, 0.5, 0, 96).args[1]
    assert dense.endswith("The model's attention is dense.")
    assert told(own_frame_only(), None).startswith(
        "Share of the attention by distance in latent frames: 0: 100.0%"
    )


def test_the_report_of_a_film_outlives_a_map(model):  # noqa: F811
    patched = sparse(model, TILES)
    film(patched)
    before = attentions_of(patched)[0].report
    KinoAttentionMap.execute(patched, prompt(1), latent(), 1, 0.5, 0, 96)
    assert attentions_of(patched)[0].report is before
    assert before.changed.total() == 8  # of two layers in four steps


def test_a_layer_that_is_not_there_is_named(model):  # noqa: F811
    with pytest.raises(ValueError, match="no layer 7: they are 0 to 1"):
        KinoAttentionMap.execute(model, prompt(1), latent(), 7, 0.5, 0, 96)
