"""Block-sparse attention: every way gives what the reference gives."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from attention.random_masks import some_blocks
from hypothesis import given, settings
from hypothesis import strategies as st
from kinograph.kernels.attention import block_dispatch, dispatch, flex, gathered, naive, tiles
from kinograph.kernels.attention.block_mask import BlockMask, even_edges


def heads(*shape: int, count: int = 3, dtype: torch.dtype = torch.float32) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(*shape, generator=generator).to(dtype) for _ in range(count)]


def relative(made: torch.Tensor, wanted: torch.Tensor) -> float:
    return float((made.float() - wanted.float()).norm() / wanted.float().norm())


def grid_mask(frames: int, frame_tokens: int, text: int, block: int, groups: int = 1) -> BlockMask:
    edges = even_edges(frames * frame_tokens + text, block)
    return BlockMask.of(some_blocks(len(edges) - 1, len(edges) - 1, groups), edges)


GATHERED = [gathered._in_tiles, gathered._tile_by_tile, gathered._in_batches]
films = {
    "frames": st.integers(1, 90),
    "frame_tokens": st.integers(1, 4000),
    "text": st.integers(0, 512),
    "block": st.sampled_from([32, 64, 128]),
    "count": st.integers(1, 3),
    "width": st.sampled_from([16, 64, 80, 128]),
}


def small_enough(frames: int, frame_tokens: int, text: int) -> tuple[int, int, int]:
    """A film of the same form that the reference, which writes every pair out, can hold."""
    while frames * frame_tokens + text > 1500:
        frames, frame_tokens, text = max(1, frames // 2), max(1, frame_tokens // 2), text // 2
    return frames, frame_tokens, text


@settings(max_examples=30, deadline=None)
@given(**films)
@pytest.mark.parametrize("way", GATHERED)
def test_float32_is_the_reference(way, frames, frame_tokens, text, block, count, width):
    mask = grid_mask(*small_enough(frames, frame_tokens, text), block)
    query, key, value = heads(1, count, mask.queries, width)
    with torch.inference_mode():
        made = way(query, key, value, mask)
    torch.testing.assert_close(made, naive.attend_blocks(query, key, value, mask), rtol=1e-5, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(**films)
def test_bfloat16_is_within_a_hundredth(frames, frame_tokens, text, block, count, width):
    mask = grid_mask(*small_enough(frames, frame_tokens, text), block)
    query, key, value = heads(1, count, mask.queries, width, dtype=torch.bfloat16)
    sharp = query * 4  # logits of deviation 4, where rounded logits would err by a hundredth
    with torch.inference_mode():
        made = gathered.attend(sharp, key, value, mask)
    wanted = naive.attend_blocks(sharp.float(), key.float(), value.float(), mask)
    assert made.dtype == torch.bfloat16
    assert relative(made, wanted) < 0.01


@pytest.mark.parametrize("way", [gathered._in_tiles, gathered._in_batches, flex.attend])
def test_each_head_may_have_a_mask_of_its_own(way):
    mask = grid_mask(4, 50, 13, 32, groups=6)
    query, key, value = heads(2, 3, mask.queries, 32)
    with torch.inference_mode():
        made = way(query, key, value, mask)
    torch.testing.assert_close(made, naive.attend_blocks(query, key, value, mask), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("way", [*GATHERED, flex.attend])
def test_a_rule_within_blocks_is_kept(way):
    near = torch.eye(7, dtype=torch.bool)
    near |= near.roll(1, 1) | near.roll(-1, 1)
    mask = BlockMask.of(near, even_edges(200, 32), rule=lambda query, key: (query - key).abs() < 20)
    query, key, value = heads(1, 2, 200, 32)
    with torch.inference_mode():
        made = way(query, key, value, mask)
    torch.testing.assert_close(made, naive.attend_blocks(query, key, value, mask), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("way", GATHERED)
def test_blocks_may_differ_in_size_and_queries_from_keys(way):
    query_edges, key_edges = torch.tensor([0, 3, 40, 41, 100]), torch.tensor([0, 10, 90])
    mask = BlockMask.of(some_blocks(4, 2), query_edges, key_edges)
    query, *_ = heads(1, 2, 100, 16)
    key, value = heads(1, 2, 90, 16, count=2)
    with torch.inference_mode():
        made = way(query, key, value, mask)
    torch.testing.assert_close(made, naive.attend_blocks(query, key, value, mask), rtol=1e-5, atol=1e-5)


def test_heads_may_be_views_of_tokens():
    mask = grid_mask(4, 60, 13, 32)
    views = [x.transpose(1, 2) for x in heads(2, mask.queries, 3, 32)]
    with torch.inference_mode():
        made = gathered.attend(*views, mask)
    torch.testing.assert_close(made, naive.attend_blocks(*views, mask), rtol=1e-5, atol=1e-5)


def test_more_keys_than_fit_at_once_are_put_together(monkeypatch):
    monkeypatch.setattr(tiles, "KEYS", 50)
    mask = grid_mask(4, 60, 13, 32)
    query, key, value = heads(1, 2, mask.queries, 32)
    with torch.inference_mode():
        made = gathered.attend(query * 9, key, value, mask)
    torch.testing.assert_close(made, naive.attend_blocks(query * 9, key, value, mask), rtol=1e-5, atol=1e-5)


def near_each_other(query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
    return (query - key).abs() < 150


@pytest.mark.parametrize("rule", [None, near_each_other])
@pytest.mark.parametrize("way", [*GATHERED, block_dispatch.attend])
def test_sorted_tokens_come_back_in_their_own_order(way, rule):
    mask = replace(BlockMask.full(160, 160, 32) if rule else grid_mask(4, 40, 0, 32), rule=rule)
    order = torch.randperm(mask.queries, generator=torch.Generator().manual_seed(1))
    query, key, value = heads(1, 2, mask.queries, 32)
    wanted = naive.attend_blocks(*(x[:, :, order] for x in (query, key, value)), mask)
    with torch.inference_mode():
        made = way(query, key, value, replace(mask, order=order))
    torch.testing.assert_close(made[:, :, order], wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("backend", ["dense", "flex", "gathered", "naive"])
def test_full_density_is_dense_attention(backend):
    mask = BlockMask.full(150, 150, 32)
    query, key, value = heads(1, 2, 150, 64)
    with torch.inference_mode():
        choice = block_dispatch.choose(query, key, value, mask, backend)
        made = block_dispatch.attend(query, key, value, mask, choice)
    wanted = torch.nn.functional.scaled_dot_product_attention(query, key, value)
    torch.testing.assert_close(made, wanted, rtol=1e-5, atol=1e-5)


def test_gathered_attention_has_gradients():
    mask = grid_mask(3, 30, 0, 32)
    leaves = [x.requires_grad_() for x in heads(1, 2, mask.queries, 16)]
    found = []
    for way in (gathered.attend, naive.attend_blocks):
        way(*leaves, mask).square().sum().backward()
        found.append([leaf.grad.clone() for leaf in leaves])
        for leaf in leaves:
            leaf.grad = None
    for ours, wanted in zip(*found, strict=True):
        torch.testing.assert_close(ours, wanted, rtol=1e-4, atol=1e-5)


def test_auto_goes_dense_where_nearly_all_is_wanted_and_says_what_it_passed_over():
    query, key, value = heads(1, 2, 128, 16)
    dense = block_dispatch.choose(query, key, value, BlockMask.full(128, 128, 32))
    assert dense.backend.name == "dense" and not dense.refused
    sparse = block_dispatch.choose(query, key, value, grid_mask(4, 32, 0, 32))
    assert sparse.backend.name == "gathered"
    assert sparse.refused["dense"].startswith("only ")
    assert set(sparse.refused) == {"dense", "triton", "flex"} and all(sparse.refused.values())


def test_a_backend_that_is_named_and_cannot_run_is_an_error_with_its_reason():
    query, key, value = heads(1, 2, 25, 16)
    uneven = BlockMask.of(torch.eye(3, dtype=torch.bool), torch.tensor([0, 5, 20, 25]))
    with pytest.raises(block_dispatch.BackendRefused, match=r"'flex' cannot be used here: .*one size"):
        block_dispatch.choose(query, key, value, uneven, "flex")


def test_a_mask_for_another_size_is_refused():
    with pytest.raises(ValueError, match="20 queries and 20 keys, but the mask was planned for 25 and 25"):
        block_dispatch.attend(*heads(1, 2, 20, 16), BlockMask.full(25, 25, 5))


@settings(max_examples=20, deadline=None)
@given(queries=st.integers(1, 700), keys=st.integers(1, 700), width=st.sampled_from([16, 64, 128]))
def test_dense_tiles_are_the_reference(queries, keys, width):
    (query,), (key, value) = heads(1, 2, queries, width, count=1), heads(1, 2, keys, width, count=2)
    with torch.inference_mode():
        made = tiles.attend(query, key, value)
    torch.testing.assert_close(made, naive.attend(query, key, value), rtol=1e-5, atol=1e-5)


def test_large_films_are_attended_in_tiles_without_gradients_and_small_ones_are_not():
    large, small = heads(1, 1, 1024, 16), heads(1, 1, 64, 16)
    assert dispatch.choose(*small).backend.name == "sdpa"
    assert dispatch.choose(*large).backend.name == "tiles"
    assert dispatch.choose(*(x.requires_grad_() for x in large)).backend.name == "sdpa"
