"""The INT8 kernels under Triton's interpreter: they give what the simulation of the same arithmetic gives."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kinograph.kernels.attention import naive, quantized, triton_quantized
from kinograph.kernels.attention.block_mask import BlockMask, even_edges
from kinograph.kernels.attention.quantized import Quantization
from torch import Tensor

if os.environ.get("TRITON_INTERPRET") != "1":
    pytest.skip("needs TRITON_INTERPRET=1: run by test_triton_interpreted.py", allow_module_level=True)

FP16 = Quantization(query_key="int8", weights_value="fp16", grain="block", smooth_query=False)
FP8 = replace(FP16, weights_value="fp8")


def heads(*shape: int, seed: int = 0, bias: float = 0.0) -> Tensor:
    """Normal numbers; with a bias, one of that deviation for each channel, the same for all tokens."""
    generator = torch.Generator().manual_seed(seed)
    bent = bias * torch.randn(*shape[:2], 1, shape[3], generator=generator)
    return torch.randn(*shape, generator=generator) + bent


def relative_error(made: Tensor, wanted: Tensor) -> float:
    return float((made.double() - wanted.double()).norm() / wanted.double().norm())


@settings(max_examples=8, deadline=None)
@given(
    queries=st.integers(1, 200),
    keys=st.integers(1, 200),
    width=st.sampled_from([32, 40, 64, 128]),
    smooth=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    bits=st.sampled_from([FP16, FP8]),
)
def test_the_kernel_is_the_simulation(queries, keys, width, smooth, bits):
    query = heads(1, 2, queries, width, bias=1.0) * 0.5
    key, value = heads(1, 2, keys, width, seed=1, bias=1.0), heads(1, 2, keys, width, seed=2)
    options = replace(bits, smooth_query=smooth[0], smooth_key=smooth[1], smooth_value=smooth[2])
    assert triton_quantized.refusal(query, key, value, options) is None
    made = triton_quantized.attend(query, key, value, options)
    wanted = quantized.attend(query, key, value, options)
    # A weight near the middle between two steps may be rounded either way: 2⁻¹¹ in FP16, 2⁻⁴ in FP8.
    assert relative_error(made, wanted) < (1e-3 if bits is FP16 else 1e-2)


def test_smoothed_keys_and_queries_are_close_under_outliers():
    query, key = (heads(1, 2, 150, 64, seed=seed, bias=8.0) / 8**0.5 for seed in range(2))
    value = heads(1, 2, 150, 64, seed=2)
    wanted = naive.attend(query, key, value)
    errors = [
        relative_error(triton_quantized.attend(query, key, value, options), wanted)
        for options in (replace(FP16, smooth_key=False), FP16, replace(FP16, smooth_query=True))
    ]
    assert errors[0] > 2 * errors[1] > 4 * errors[2]
    assert errors[2] < 5e-3


@pytest.mark.parametrize("block", [32, 64, 128])
@pytest.mark.parametrize("smooth", [False, True])
def test_lists_of_blocks_for_each_head(block, smooth):
    query, key, value = (heads(1, 2, tokens, 64, seed=tokens) for tokens in (150, 200, 200))
    edges, key_edges = even_edges(150, block), even_edges(200, block)
    generator = torch.Generator().manual_seed(block)
    kept = torch.rand(2, len(edges) - 1, len(key_edges) - 1, generator=generator) < 0.5
    kept[..., -1] |= ~kept.any(-1)
    mask = BlockMask.of(kept, edges, key_edges)
    options = replace(FP16, smooth_query=smooth)
    assert triton_quantized.refusal(query, key, value, options, mask) is None
    made = triton_quantized.attend(query, key, value, options, mask)
    assert relative_error(made, naive.attend_blocks(query, key, value, mask)) < 0.02


def test_heads_go_one_by_one_where_their_means_take_much_room():
    query = heads(1, 3, 20, 32, bias=1.0).half()
    key, value = (heads(1, 3, 300, 32, seed=seed, bias=1.0).half() for seed in (1, 2))
    options = replace(FP16, smooth_query=True)
    assert triton_quantized.heads_at_once(query, key, options, None) == 1
    made = triton_quantized.attend(query, key, value, options)
    alone = [
        triton_quantized.attend(*(x[:, n : n + 1] for x in (query, key, value)), options) for n in range(3)
    ]
    assert torch.equal(made, torch.cat(alone, dim=1))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_views_of_fused_tokens(dtype):
    fused = heads(2, 70, 3, 128).view(2, 70, 3, 2, 64).to(dtype)  # [B,S,qkv,H,D]
    query, key, value = (x.transpose(1, 2) for x in fused.unbind(2))
    made = triton_quantized.attend(query, key, value, FP16)
    assert made.dtype == dtype
    assert relative_error(made, quantized.attend(query, key, value, FP16)) < 1e-2


def test_refusals_have_a_reason():
    query = heads(1, 1, 64, 64)
    refusal = triton_quantized.refusal
    assert "simulated" in refusal(query, query, query, replace(FP16, query_key="int4"))
    assert "thread" in refusal(query, query, query, replace(FP16, grain="thread"))
    assert "exact" in refusal(query, query, query, replace(FP16, weights_value="exact"))
    assert "one size" in refusal(query, query, query, FP16, BlockMask.full(64, 64, 16))
    assert "gradients" in refusal(query.clone().requires_grad_(), query, query, FP16)
