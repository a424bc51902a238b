"""Quantised attention: exact without quantising, and what smoothing, grain and two sums save."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kinograph.kernels.attention import naive, quantized
from kinograph.kernels.attention.adaptive import LayerChoice, cosine_similarity, int4_similarity
from kinograph.kernels.attention.quantized import KEY_GROUPS, QUERY_GROUPS, Quantization
from torch import Tensor

EXACT = Quantization(query_key="exact", weights_value="exact")


def heads(*shape: int, seed: int = 0, bias: float = 0.0) -> Tensor:
    """Normal numbers; with a bias, one of that deviation for each channel, the same for all tokens."""
    generator = torch.Generator().manual_seed(seed)
    bent = bias * torch.randn(*shape[:2], 1, shape[3], generator=generator)
    return torch.randn(*shape, generator=generator) + bent


def biased(tokens: int = 300, seed: int = 0, bias: float = 8.0) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values; of the first two some channels are far from 0, as in video models."""
    query, key = (heads(1, 2, tokens, 64, seed=3 * seed + n, bias=bias) / bias**0.5 for n in range(2))
    return query, key, heads(1, 2, tokens, 64, seed=3 * seed + 2)


def similarity(tensors: tuple[Tensor, Tensor, Tensor], options: Quantization) -> float:
    return cosine_similarity(quantized.attend(*tensors, options), naive.attend(*tensors))


@settings(max_examples=25, deadline=None)
@given(
    queries=st.integers(1, 300),
    keys=st.integers(1, 300),
    width=st.sampled_from([32, 64, 128]),
    smooth=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    seed=st.integers(0, 99),
)
def test_smoothing_is_exact_without_quantising(queries, keys, width, smooth, seed):
    query = heads(1, 2, queries, width, seed=seed, bias=1.0)
    key, value = (heads(1, 2, keys, width, seed=seed + n, bias=1.0) for n in (1, 2))
    names = ("smooth_query", "smooth_key", "smooth_value")
    made = quantized.attend(query, key, value, replace(EXACT, **dict(zip(names, smooth, strict=True))))
    assert (made - naive.attend(query, key, value)).abs().max() < 1e-5


@pytest.mark.parametrize("seed", range(3))
def test_smoothing_keeps_int4_close_under_outliers(seed):
    tensors = biased(seed=seed)
    rough = Quantization(smooth_query=False, smooth_key=False, smooth_value=False)
    keys_only = replace(rough, smooth_key=True)
    assert similarity(tensors, rough) < similarity(tensors, keys_only) < similarity(tensors, Quantization())
    assert similarity(tensors, Quantization()) > 0.98


def test_more_bits_and_finer_grain_are_closer():
    tensors = biased()
    fp16 = Quantization(weights_value="fp16")
    grains = [
        similarity(tensors, replace(fp16, grain=grain)) for grain in ("block", "warp", "thread", "token")
    ]
    assert grains == sorted(grains)
    assert similarity(tensors, replace(fp16, query_key="int8")) > 0.9999 > grains[-1]


def test_smooth_values_are_closer_in_fp8():
    query, key, _ = biased()
    tensors = query, key, heads(1, 2, 300, 64, seed=9) + 40
    fp8 = Quantization(query_key="exact")
    errors = [
        float((quantized.attend(*tensors, options) - naive.attend(*tensors)).norm())
        for options in (replace(fp8, smooth_value=False), fp8)
    ]
    assert errors[1] < errors[0] / 5


def test_two_levels_of_sums_are_closer_over_many_keys():
    query, key, value = (
        heads(1, 1, 8, 64),
        heads(1, 1, 6000, 64, seed=1) * 0.1,
        heads(1, 1, 6000, 64, seed=2) + 1,
    )
    fp8 = Quantization(query_key="exact", smooth_value=False)
    wanted = naive.attend(query, key, value)
    errors = [
        float((quantized.attend(query, key, value, options) - wanted).norm())
        for options in (replace(fp8, two_level=False), fp8)
    ]
    assert errors[1] < errors[0] / 2


def test_threads_share_scales_as_the_tensor_core_lays_them_out():
    query = torch.zeros(1, 1, 64, 16)
    query[0, 0, 5] = 7.0  # queries 5, 13, 21, 29 of the first warp
    scale = quantized.quantized(query, "int4", QUERY_GROUPS["thread"]).scale.flatten()
    assert (scale > 0.5).nonzero().flatten().tolist() == [5, 13, 21, 29]
    scale = quantized.quantized(query, "int4", KEY_GROUPS["thread"]).scale.flatten()
    assert (scale > 0.5).nonzero().flatten().tolist() == [n for n in range(64) if n % 8 in (4, 5)]


@pytest.mark.parametrize("grain", ["token", "thread", "warp", "block"])
@pytest.mark.parametrize("kind", ["int4", "int8"])
def test_whole_numbers_stay_in_range_and_within_half_a_step(grain, kind):
    x = heads(2, 2, 100, 32)
    whole, scale = quantized.quantized(x, kind, QUERY_GROUPS[grain])
    assert torch.equal(whole, whole.round()) and whole.abs().max() == quantized.LARGEST[kind]
    assert ((whole * scale - x).abs() <= scale * 0.5001).all()


def test_equal_tokens_and_zeros_are_no_trouble():
    ones = torch.ones(1, 1, 70, 32)
    assert torch.allclose(quantized.attend(ones, ones, ones, Quantization()), ones)
    zeros = torch.zeros(1, 1, 70, 32)
    assert torch.equal(quantized.attend(zeros, zeros, zeros, Quantization(smooth_key=False)), zeros)


def test_a_layer_that_int4_spoils_gets_int8():
    sharp = tuple(heads(1, 2, 300, 64, seed=seed) * 2 for seed in range(3))  # logits of deviation 4
    choice = LayerChoice(Quantization(), least=0.99)
    assert choice.options_of(0, *biased()).query_key == "int4"
    assert choice.options_of(1, *sharp).query_key == "int8"
    assert choice.similarity[1] < 0.99 <= choice.similarity[0]


def test_a_layer_is_measured_once():
    choice = LayerChoice(Quantization())
    first = choice.options_of(4, *biased(bias=1.0))
    zeros = torch.zeros(1, 1, 4, 64)
    assert choice.options_of(4, zeros, zeros, zeros) == first


def test_similarity_on_sampled_queries_is_that_of_all():
    tensors = biased(tokens=700)
    assert int4_similarity(*tensors, Quantization()) == pytest.approx(
        similarity(tensors, Quantization()), abs=5e-3
    )
