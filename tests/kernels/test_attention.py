"""Attention through its one call: the reference's results, and a reason for every refusal."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kinograph.kernels.attention import dispatch, naive


def heads(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=25, deadline=None)
@given(
    batch=st.integers(1, 3),
    count=st.integers(1, 3),
    queries=st.integers(1, 40),
    keys=st.integers(1, 40),
    width=st.sampled_from([16, 64, 128]),
)
def test_attend_is_the_reference(batch, count, queries, keys, width):
    query = heads(batch, count, queries, width)
    key, value = heads(batch, count, keys, width, seed=1), heads(batch, count, keys, width, seed=2)
    torch.testing.assert_close(
        dispatch.attend(query, key, value), naive.attend(query, key, value), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_close_and_stays(dtype):
    query, key, value = (heads(1, 2, 33, 128, seed=seed).to(dtype) for seed in range(3))
    made = dispatch.attend(query, key, value)
    assert made.dtype == dtype
    wanted = naive.attend(query.float(), key.float(), value.float())
    assert float((made.float() - wanted).norm() / wanted.norm()) < 0.01


def test_heads_may_be_views_of_tokens():
    query, key, value = (heads(2, 9, 3, 64, seed=seed).transpose(1, 2) for seed in range(3))
    assert torch.equal(
        dispatch.attend(query, key, value),
        dispatch.attend(query.contiguous(), key.contiguous(), value.contiguous()),
    )


def test_a_scale_of_ones_own():
    query, key, value = (heads(1, 1, 5, 8, seed=seed) for seed in range(3))
    flat = naive.attend(query, key, value, scale=0.0)
    torch.testing.assert_close(flat, value.mean(dim=2, keepdim=True).expand_as(flat))


def test_a_backend_that_refuses_says_why_and_the_next_serves(monkeypatch):
    picky = dispatch.Backend(
        "picky",
        lambda query, key, value: pytest.fail("refused, yet called"),
        lambda query, key, value, site: f"{len(query)} clips are too many" if len(query) > 1 else None,
    )
    monkeypatch.setattr(dispatch, "BACKENDS", [picky, *dispatch.BACKENDS])
    query = heads(2, 1, 5, 8)
    choice = dispatch.choose(query, query, query)
    assert choice.backend.name == "sdpa"
    assert choice.refused["picky"] == "2 clips are too many"
    assert "no gradients" in choice.refused["products"]
    dispatch.attend(query, query, query)
    assert dispatch.choose(query[:1], query[:1], query[:1]).backend is picky


def test_gradients_flow():
    query, key, value = (heads(1, 2, 7, 16, seed=seed).requires_grad_() for seed in range(3))
    dispatch.attend(query, key, value).sum().backward()
    assert all(bool(x.grad.isfinite().all()) for x in (query, key, value))


@pytest.mark.parametrize("autocast", [False, True])
def test_training_in_bfloat16_takes_products_with_the_references_gradients(autocast):
    exact = [heads(2, 2, 30, 64, seed=seed).requires_grad_() for seed in range(3)]
    naive.attend(*exact).square().sum().backward()
    coarse = [x.detach().bfloat16().requires_grad_() for x in exact]
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        assert dispatch.choose(*coarse).backend.name == "products"
        made = dispatch.attend(*coarse)
    assert made.dtype == torch.bfloat16
    made.float().square().sum().backward()
    for rounded, wanted in zip(coarse, exact, strict=True):
        error = (rounded.grad.float() - wanted.grad).norm() / wanted.grad.norm()
        assert float(error) < 0.03


def test_products_are_refused_where_their_logits_are_many(monkeypatch):
    query = heads(1, 2, 30, 64).bfloat16().requires_grad_()
    monkeypatch.setattr(dispatch.products, "MOST_LOGITS", 100)
    choice = dispatch.choose(query, query, query)
    assert choice.backend.name == "sdpa"
    assert choice.refused["products"] == "1800 logits are too many to keep"
