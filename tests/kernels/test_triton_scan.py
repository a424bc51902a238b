"""The Triton kernel of the selective scan, under Triton's interpreter: it gives what the reference gives."""

from __future__ import annotations

import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from interpolation.scan_values import largest_error, scan_inputs
from kinograph.kernels.scan import dispatch, naive, triton_scan

if os.environ.get("TRITON_INTERPRET") != "1":
    pytest.skip("needs TRITON_INTERPRET=1: run by test_triton_interpreted.py", allow_module_level=True)


@settings(max_examples=6, deadline=None)
@given(
    batch=st.integers(1, 2),
    tokens=st.integers(1, 80),
    channels=st.integers(1, 12),
    states=st.sampled_from([1, 4, 16]),
    given_state=st.booleans(),
)
def test_any_size_is_the_reference(batch, tokens, channels, states, given_state):
    *values, state = scan_inputs(batch, tokens, 2, channels, states, seed=tokens)
    state = state if given_state else None
    made = triton_scan.selective_scan(*values, state)
    assert largest_error(made, naive.selective_scan(*values, state)) <= 1e-5


def test_tokens_may_be_views_of_longer_ones():
    x, delta, a, b, c, _ = scan_inputs(1, 50, 2, 8, 4)
    fused = torch.cat([b, c], -1)
    b, c = fused.split(4, -1)
    part = slice(7, 45)
    made = triton_scan.selective_scan(x[:, part], delta[:, part], a, b[:, part], c[:, part])
    wanted = naive.selective_scan(x[:, part], delta[:, part], a, b[:, part], c[:, part])
    assert largest_error(made, wanted) <= 1e-5


def test_it_is_chosen_and_leaves_the_given_state_alone():
    *values, state = scan_inputs(1, 9, 2, 4, 4)
    before = state.clone()
    assert dispatch.choose(values[0], values[2]).backend.name == "triton"
    dispatch.selective_scan(*values, state)
    assert torch.equal(state, before)


def test_refusals_have_a_reason():
    x, _, a, *_ = scan_inputs(1, 4, 1, 2, 3)
    assert "power of two" in triton_scan.refusal(x, a)
