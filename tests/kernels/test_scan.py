"""The selective scan: every way gives what the recurrence gives, and takes work linear in the tokens."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from interpolation.scan_values import Work, largest_error, scan_inputs
from kinograph.kernels.scan import chunked, dispatch, naive


def test_the_reference_is_the_recurrence_of_each_number():
    x, delta, a, b, c, state = (tensor.double() for tensor in scan_inputs(1, 6, 1, 1, 2))
    h = [float(state[0, 0, n, 0]) for n in range(2)]
    wanted = []
    for t in range(6):
        step, value = float(delta[0, t, 0, 0]), float(x[0, t, 0, 0])
        h = [
            math.exp(step * float(a[0, n, 0])) * h[n] + step * float(b[0, t, 0, n]) * value for n in range(2)
        ]
        wanted.append(sum(float(c[0, t, 0, n]) * h[n] for n in range(2)))
    made, last = naive.selective_scan(x, delta, a, b, c, state)
    assert made.flatten().tolist() == pytest.approx(wanted, abs=1e-6)
    assert last.flatten().tolist() == pytest.approx(h, abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(
    batch=st.integers(1, 2),
    tokens=st.integers(1, 70),
    groups=st.integers(1, 4),
    channels=st.integers(1, 9),
    states=st.sampled_from([1, 3, 16]),
    lanes=st.integers(1, 9),
    tile=st.integers(1, 4000),
    given_state=st.booleans(),
)
def test_chunks_and_lanes_are_the_reference(
    batch, tokens, groups, channels, states, lanes, tile, given_state
):
    *values, state = scan_inputs(batch, tokens, groups, channels, states, seed=tokens)
    state = state if given_state else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(chunked.TILE_NUMBERS, "cpu", tile)
        patch.setattr(chunked, "lanes_for", lambda x, a: lanes)
        made = chunked.selective_scan(*values, state)
    assert largest_error(made, naive.selective_scan(*values, state)) <= 1e-5


def test_long_sequences_stay_within_a_hundred_thousandth():
    values = scan_inputs(1, 3000, 4, 8, 16)
    assert largest_error(chunked.selective_scan(*values), naive.selective_scan(*values)) <= 1e-5


def test_the_state_carries_a_sequence_on():
    x, delta, a, b, c, state = scan_inputs(2, 50, 2, 5, 4)
    whole = dispatch.selective_scan(x, delta, a, b, c, state)
    first, kept = dispatch.selective_scan(x[:, :20], delta[:, :20], a, b[:, :20], c[:, :20], state)
    rest, last = dispatch.selective_scan(x[:, 20:], delta[:, 20:], a, b[:, 20:], c[:, 20:], kept)
    assert largest_error((torch.cat([first, rest], 1), last), whole) <= 1e-6


def test_the_given_state_is_left_alone():
    *values, state = scan_inputs(1, 9, 2, 4, 4)
    before = state.clone()
    chunked.selective_scan(*values, state)
    assert torch.equal(state, before)


@pytest.mark.parametrize("lanes", [1, 4])
def test_work_is_linear_in_the_tokens(monkeypatch, lanes):
    monkeypatch.setattr(chunked, "lanes_for", lambda x, a: lanes)
    monkeypatch.setitem(chunked.TILE_NUMBERS, "cpu", 16 * 8 * 8 * 2 * lanes)
    counts = []
    for tokens in (256, 512, 1024):
        with Work() as work:
            chunked.selective_scan(*scan_inputs(1, tokens, 2, 8, 8))
        counts.append(work.numbers)
    assert counts[2] - counts[1] == pytest.approx(2 * (counts[1] - counts[0]), rel=0.01)
    assert counts[2] / counts[1] == pytest.approx(2, rel=0.05)


def test_gradients_take_the_reference_and_say_why():
    x, delta, a, b, c, _ = scan_inputs(1, 8, 1, 2, 4)
    choice = dispatch.choose(x, a, gradients=True)
    assert choice.backend.name == "naive"
    assert "gradients" in choice.refused["chunked"]
    x.requires_grad_()
    dispatch.selective_scan(x, delta, a, b, c)[0].sum().backward()
    assert x.grad.abs().sum() > 0


def test_a_backend_that_cannot_serve_is_refused_by_name():
    x, _, a, *_ = scan_inputs(1, 8, 1, 2, 4)
    with pytest.raises(dispatch.BackendRefused, match=r"processor|not installed"):
        dispatch.choose(x, a, "triton")
    with pytest.raises(dispatch.BackendRefused, match=r"'chunked'.*gradients"):
        dispatch.choose(x, a, "chunked", gradients=True)
