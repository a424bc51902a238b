"""Gates: the best boxes, as many as asked for, and always one's own."""

from __future__ import annotations

import itertools

import pytest
import torch
from kinograph.kernels.attention import block_dispatch, naive
from kinograph.nodes.attention.gates import best_of_all, best_of_each, block_means, until_share
from kinograph.nodes.attention.methods.block_top_k import BlockTopK
from kinograph.nodes.attention.methods.vmoba import VMoBA
from kinograph.nodes.attention.token_grid import TokenGrid

GRID = TokenGrid(5, 9, 10, before=3, after=4)


def heads(grid: TokenGrid = GRID, count: int = 3) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, 2, grid.tokens, 32, generator=generator) for _ in range(count)]


@pytest.mark.parametrize("layer", [0, 1, 2, 5])
def test_a_threshold_of_one_is_dense_attention(layer):
    query, key, value = heads()
    mask = VMoBA(tau=1.0).plan(GRID, layer).mask(query, key)
    made = block_dispatch.attend(
        query, key, value, mask, block_dispatch.choose(query, key, value, mask, "gathered")
    )
    torch.testing.assert_close(made, naive.attend(query, key, value), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("scope", ["head", "query"])
def test_kept_pairs_are_the_fewest_that_reach_the_share(scope):
    scores = torch.randn(1, 1, 3, 4, generator=torch.Generator().manual_seed(3))
    kept = VMoBA(tau=0.6, scope=scope).chosen(scores)
    for row_scores, row_kept in (
        [(scores.flatten(), kept.flatten())]
        if scope == "head"
        else zip(scores[0, 0], kept[0, 0], strict=True)
    ):
        shares = (row_scores - row_scores.min()) / (row_scores - row_scores.min()).sum()
        fewest = next(
            count
            for count in range(1, len(shares) + 1)
            if max(sum(some) for some in itertools.combinations(shares.tolist(), count)) >= 0.6
        )
        assert int(row_kept.sum()) == fewest
        assert float(shares[row_kept].sum()) >= 0.6


def test_more_is_kept_for_a_higher_threshold():
    query, key, _ = heads()
    densities = [VMoBA(tau=tau).plan(GRID, 2).mask(query, key).density for tau in (0.05, 0.2, 0.4, 0.8, 1.0)]
    assert densities == sorted(densities) and densities[0] < 0.5 and densities[-1] == 1.0


def test_layers_cut_time_then_space_then_both():
    method = VMoBA(chunk_frames=2, tile_rows=3, tile_columns=5, cube_frames=2, cube_rows=4, cube_columns=4)
    assert [method.size(layer) for layer in range(4)] == [(2, 0, 0), (0, 3, 5), (2, 4, 4), (2, 0, 0)]
    assert [method.kind(layer) for layer in range(5)] == [0, 1, 2, 0, 1]


@pytest.mark.parametrize("method", [VMoBA(tau=0.01), VMoBA(tau=0.01, query_block=1), BlockTopK(0.01, 16)])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_ones_own_box_and_what_stands_beside_the_film_are_always_kept(method, layer):
    query, key, _ = heads()
    mask = method.plan(GRID, layer).mask(query, key)
    allowed = mask.allowed()
    order = torch.arange(GRID.tokens) if mask.order is None else mask.order
    beside = (order < 3) | (order >= GRID.tokens - 4)
    assert allowed.diagonal(dim1=1, dim2=2).all()
    assert allowed[:, :, beside].all() and allowed[:, beside].all()
    assert not allowed.all()


def test_the_gate_of_single_queries_is_the_papers():
    method, grid = VMoBA(query_block=1, select="top_k", scope="query", top_k=2), TokenGrid(4, 3, 4)
    query, key, _ = heads(grid)
    mask = method.plan(grid, 0).mask(query, key)
    means = key.unflatten(2, (4, 12)).mean(3)  # a box is a frame
    best = (query @ means.transpose(-2, -1)).topk(2, dim=-1).indices  # [B,H,S,2]
    for batch, head, token in itertools.product(range(2), range(2), range(grid.tokens)):
        wanted = {*best[batch, head, token].tolist(), token // 12}
        assert set(mask.kept[batch * 2 + head, token].nonzero().flatten().tolist()) == wanted


def test_the_best_of_all_pairs_may_all_be_one_rows():
    scores = torch.tensor([[9.0, 8.0, 7.0], [1.0, 2.0, 3.0]])[None, None]
    assert best_of_all(scores, 1)[0, 0].tolist() == [[True, True, False], [False, False, False]]
    assert best_of_each(scores, 1)[0, 0].tolist() == [[True, False, False], [False, False, True]]


def test_equal_scores_need_the_share_of_the_pairs():
    assert int(until_share(torch.ones(1, 10), 0.5).sum()) == 5


def test_means_are_over_each_block():
    x = torch.arange(12.0).view(1, 1, 6, 2)
    means = block_means(x, torch.tensor([0, 0, 1, 1, 1, 2]), 3)
    assert means[0, 0].tolist() == [[1.0, 2.0], [6.0, 7.0], [10.0, 11.0]]
