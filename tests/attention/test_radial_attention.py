"""Radial attention: its windows, planned without a tokens × tokens tensor, are those written out."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kinograph.nodes.attention.methods.radial_attention import RadialAttention
from kinograph.nodes.attention.token_grid import TokenGrid


def written_out(method: RadialAttention, grid: TokenGrid) -> torch.Tensor:
    """Blocks with any pair inside the windows, from all pairs."""
    number = torch.arange(grid.tokens) - grid.before
    frame = number.div(grid.frame_tokens, rounding_mode="floor")
    beside = (frame < 0) | (frame >= grid.frames)
    place, frame = number % grid.frame_tokens, torch.where(beside, 0, frame)
    width = method.half_widths(grid).floor()[(frame[:, None] - frame).abs()]
    pairs = (place[:, None] - place).abs() <= width
    pairs |= beside[:, None] | beside | ((frame == 0) & (method.rule == "wan"))
    blocks = -(-grid.tokens // method.block)
    padded = torch.zeros(blocks * method.block, blocks * method.block, dtype=torch.bool)
    padded[: grid.tokens, : grid.tokens] = pairs
    kept = padded.view(blocks, method.block, blocks, method.block).any(1).any(-1)
    return kept | torch.eye(blocks, dtype=torch.bool)


grids = st.builds(
    TokenGrid,
    st.integers(1, 12),
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(0, 40),
    st.integers(0, 40),
)


@settings(max_examples=60, deadline=None)
@given(
    grid=grids,
    rule=st.sampled_from(["wan", "hunyuan", "even"]),
    block=st.sampled_from([8, 16, 32]),
    decay=st.floats(0.05, 2.0),
)
def test_blocks_rounded_outward_are_all_that_a_window_touches(grid, rule, block, decay):
    method = RadialAttention(decay, block, rule)
    assert method.kept(grid).equal(written_out(method, grid))


@settings(max_examples=40, deadline=None)
@given(grid=grids, block=st.sampled_from([8, 16, 32]))
def test_published_rounding_keeps_fewer_blocks_and_always_the_diagonal(grid, block):
    outward = RadialAttention(0.5, block).kept(grid)
    published = RadialAttention(0.5, block, rounding="published").kept(grid)
    assert not (published & ~outward).any()
    assert published.diagonal().all()


def test_only_the_first_frame_is_seen_by_more_than_see_it():
    kept = RadialAttention(block=16).kept(TokenGrid(12, 4, 4))
    assert kept[:, 0].all() and not kept[0].all()
    assert kept[1:, 1:].equal(kept[1:, 1:].T)


def test_blocks_of_a_token_and_windows_wider_than_frames_let_all_see_all():
    assert RadialAttention(6.0, 1, "hunyuan").kept(TokenGrid(6, 3, 3)).all()


def test_pairs_grow_less_than_quadratically_with_the_frames():
    pairs = [
        RadialAttention(block=8).plan(grid, 0).planned.density * grid.tokens**2
        for grid in (TokenGrid(frames, 8, 8) for frames in (32, 64, 128))
    ]
    assert all(longer / shorter < 2.7 for shorter, longer in itertools.pairwise(pairs))


def test_windows_halve_when_the_distance_doubles():
    widths = RadialAttention(block=1).half_widths(TokenGrid(17, 16, 16))
    assert [float(widths[distance]) for distance in (2, 4, 8, 16)] == [128, 64, 32, 16]
    assert float(widths[0]) == 256 and float(widths[1]) == 128


def test_far_frames_are_thinned_where_windows_would_be_less_than_a_block():
    widths = RadialAttention(block=64).half_widths(TokenGrid(40, 8, 8))
    assert [distance for distance in range(8, 16) if widths[distance] >= 0] == [8]
    assert set(widths[widths >= 0].tolist()) == {64.0, 32.0}


@pytest.mark.parametrize("decay", [0.2, 1.0])
def test_a_plan_does_not_ask_for_queries(decay):
    method, grid = RadialAttention(decay), TokenGrid(5, 12, 12)
    plan = method.plan(grid, 3)
    assert not plan.gated
    assert plan.mask(None, None) is plan.mask(None, None)
