"""Windows around a token: as many keys at the borders as elsewhere."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kinograph.kernels.attention import block_dispatch
from kinograph.nodes.attention.methods.freeswim import FreeSwim
from kinograph.nodes.attention.methods.sliding_tile import SlidingTile
from kinograph.nodes.attention.token_grid import TokenGrid, boxes_of, inward_window

sides = st.integers(1, 14)


@settings(max_examples=40, deadline=None)
@given(frames=st.integers(1, 3), rows=sides, columns=sides, high=st.integers(1, 5), wide=st.integers(1, 5))
def test_every_token_sees_exactly_the_training_frame_in_all_frames(frames, rows, columns, high, wide):
    grid = TokenGrid(frames, rows, columns)
    method = FreeSwim(native_height=32 * high, native_width=32 * wide)
    mask = method.plan(grid, 0).planned
    allowed = mask.allowed()[0]
    wanted = frames * min(2 * high + 1, rows) * min(2 * wide + 1, columns)
    assert (allowed.sum(dim=-1) == wanted).all()
    back = mask.order.argsort()
    places = grid.places()
    seen = allowed[back][:, back]
    own = (places[:, None] - places[None]).abs()
    near = (own[..., 1] <= high) & (own[..., 2] <= wide)
    inner = near.sum(-1) == frames * (2 * high + 1) * (2 * wide + 1)  # no border within reach
    assert seen[inner].equal(near[inner])


def test_the_published_example():
    mask = FreeSwim(96, 128).plan(TokenGrid(1, 12, 20), 0).planned
    assert (mask.allowed().sum(-1) == 63).all()


def test_a_window_that_covers_the_frame_is_dense():
    method, grid = FreeSwim(960, 960), TokenGrid(2, 9, 11)
    plan = method.plan(grid, 0)
    query = torch.randn(1, 2, grid.tokens, 16)
    assert block_dispatch.choose(query, query, query, plan.planned).backend.name == "dense"


def test_text_beside_the_film_sees_all_and_is_seen_by_all():
    grid = TokenGrid(2, 20, 20, before=3, after=5)
    for method in (FreeSwim(64, 64), SlidingTile(1, 4, 4, 0, 1, 1)):
        mask = method.plan(grid, 0).planned
        allowed = mask.allowed()[0]
        beside = (mask.order < 3) | (mask.order >= grid.tokens - 5)
        assert allowed[beside].all() and allowed[:, beside].all() and not allowed.all()


def test_windows_sharpen_only_where_asked():
    grid = TokenGrid(2, 20, 20)
    assert FreeSwim(64, 64).plan(grid, 0).query_scale > 1
    assert FreeSwim(64, 64, scale=False).plan(grid, 0).query_scale == 1


@settings(max_examples=40, deadline=None)
@given(
    grid=st.builds(TokenGrid, st.integers(1, 6), sides, sides, st.integers(0, 9), st.integers(0, 9)),
    size=st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 5)),
)
def test_boxes_hold_every_token_once_and_neighbours_only(grid, size):
    boxes = boxes_of(grid, size)
    assert boxes.order.sort().values.equal(torch.arange(grid.tokens))
    assert boxes.edges[0] == 0 and boxes.edges[-1] == grid.tokens and (boxes.edges.diff() > 0).all()
    assert len(boxes.boxes) == len(boxes.edges) - 1
    places = grid.places()
    for start, stop, number in zip(boxes.edges, boxes.edges[1:], boxes.boxes, strict=False):
        tokens = boxes.order[start:stop] - grid.before
        if number[0] < 0:
            assert ((tokens < 0) | (tokens >= grid.video)).all()
            continue
        spread = places[tokens].amax(0) - places[tokens].amin(0)
        assert all(one < limit or not limit for one, limit in zip(spread.tolist(), size, strict=True))


@pytest.mark.parametrize(("count", "reach"), [(10, 2), (3, 2), (1, 4), (7, 0)])
def test_windows_are_pushed_inward(count, reach):
    first, last = inward_window(count, reach)
    assert (last - first + 1 == min(2 * reach + 1, count)).all()
    assert first.min() == 0 and last.max() == count - 1
