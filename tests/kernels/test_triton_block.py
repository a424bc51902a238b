"""The Triton kernel over lists of blocks, under Triton's interpreter: it gives what the reference gives."""

from __future__ import annotations

import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kinograph.kernels.attention import naive, triton_block
from kinograph.kernels.attention.block_mask import BlockMask, even_edges
from torch import Tensor

if os.environ.get("TRITON_INTERPRET") != "1":
    pytest.skip("needs TRITON_INTERPRET=1: run by test_triton_interpreted.py", allow_module_level=True)


def heads(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def some_mask(queries: int, keys: int, block: int, groups: int = 1, seed: int = 0) -> BlockMask:
    """About half of all blocks, none of the rows empty."""
    edges, key_edges = even_edges(queries, block), even_edges(keys, block)
    shape = (groups, len(edges) - 1, len(key_edges) - 1)
    kept = torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < 0.5
    kept[..., -1] |= ~kept.any(-1)
    return BlockMask.of(kept, edges, key_edges)


def relative_error(made: Tensor, wanted: Tensor) -> float:
    return float((made.double() - wanted.double()).norm() / wanted.double().norm())


@settings(max_examples=8, deadline=None)
@given(
    queries=st.integers(1, 150),
    keys=st.integers(1, 150),
    block=st.sampled_from([32, 64, 128]),
    width=st.sampled_from([32, 40, 64, 128]),
    shared=st.booleans(),
    seed=st.integers(0, 99),
)
def test_float32_is_the_reference(queries, keys, block, width, shared, seed):
    query = heads(2, 2, queries, width, seed=seed)
    key, value = heads(2, 2, keys, width, seed=seed + 1), heads(2, 2, keys, width, seed=seed + 2)
    mask = some_mask(queries, keys, block, 1 if shared else 4, seed)
    assert triton_block.refusal(query, key, value, mask) is None
    made = triton_block.attend(query, key, value, mask)
    assert (made - naive.attend_blocks(query, key, value, mask)).abs().max() <= 1e-5


@pytest.mark.parametrize(("dtype", "bound"), [(torch.bfloat16, 1e-2), (torch.float16, 1e-3)])
@pytest.mark.parametrize("width", [64, 256])
def test_half_precision_is_close(dtype, bound, width):
    query, key, value = (heads(1, 2, 100, width, seed=seed).to(dtype) for seed in range(3))
    mask = some_mask(100, 100, 64)
    made = triton_block.attend(query, key, value, mask)
    assert made.dtype == dtype
    wanted = naive.attend_blocks(query.float(), key.float(), value.float(), mask)
    assert relative_error(made, wanted) <= bound


def test_full_density_is_dense_attention():
    query, key, value = (heads(1, 2, 90, 64, seed=seed) for seed in range(3))
    made = triton_block.attend(query, key, value, BlockMask.full(90, 90, 32))
    dense = torch.nn.functional.scaled_dot_product_attention(query, key, value)
    assert (made - dense).abs().max() <= 1e-5


def test_the_log_of_the_sum_merges_two_branches():
    query, key, value = (heads(2, 2, 64, 32, seed=seed) for seed in range(3))
    edges = even_edges(64, 32)
    one, other = (
        triton_block.attend_with_lse(query, key, value, BlockMask.of(kept.bool(), edges))
        for kept in (torch.tensor([[1, 0], [1, 0]]), torch.tensor([[0, 1], [0, 1]]))
    )
    share = torch.sigmoid(one[1] - other[1])[..., None]
    merged = share * one[0] + (1 - share) * other[0]
    assert (merged - naive.attend(query, key, value)).abs().max() <= 1e-5


def test_heads_may_be_views_of_fused_tokens():
    fused = heads(2, 70, 3, 2, 64)  # [B,S,qkv,H,D]
    query, key, value = (x.transpose(1, 2) for x in fused.unbind(2))
    mask = some_mask(70, 70, 32, groups=4)
    made = triton_block.attend(query, key, value, mask)
    assert (made - naive.attend_blocks(query, key, value, mask)).abs().max() <= 1e-5


def test_large_logits_do_not_overflow():
    query, key, value = (heads(1, 1, 64, 64, seed=seed) * 30 for seed in range(3))
    mask = some_mask(64, 64, 32)
    made = triton_block.attend(query, key, value, mask)
    torch.testing.assert_close(made, naive.attend_blocks(query, key, value, mask), rtol=1e-4, atol=1e-4)


@settings(max_examples=8, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 90), min_size=1, max_size=5),
    key_sizes=st.lists(st.integers(1, 150), min_size=1, max_size=5),
    width=st.sampled_from([32, 64, 128]),
    seed=st.integers(0, 99),
)
def test_blocks_may_have_any_size(sizes, key_sizes, width, seed):
    edges, key_edges = (torch.tensor([0, *some]).cumsum(0) for some in (sizes, key_sizes))
    query = heads(1, 2, sum(sizes), width, seed=seed)
    key, value = (heads(1, 2, sum(key_sizes), width, seed=seed + n) for n in (1, 2))
    kept = torch.rand(2, len(sizes), len(key_sizes), generator=torch.Generator().manual_seed(seed)) < 0.5
    kept[..., 0] |= ~kept.any(-1)
    mask = BlockMask.of(kept, edges, key_edges)
    made = triton_block.attend(query, key, value, mask)
    assert (made - naive.attend_blocks(query, key, value, mask)).abs().max() <= 1e-5


def test_refusals_have_a_reason():
    query = heads(1, 1, 64, 64)
    mask = some_mask(64, 64, 32)
    ruled = BlockMask.of(mask.kept, mask.query_edges, rule=lambda q, k: q >= k)
    wide = heads(1, 1, 64, 320)
    refusal = triton_block.refusal
    assert "rule" in refusal(query, query, query, ruled)
    assert "gradients" in refusal(query.clone().requires_grad_(), query, query, mask)
    assert "float64" in refusal(*(query.double(),) * 3, mask)
    assert "one type" in refusal(query, query, query.half(), mask)
    assert "256" in refusal(wide, wide, wide, mask)
