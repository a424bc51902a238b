"""Any time out of middles: which frames are asked for, and where a time lies between them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from kinograph.nodes.interpolation.halving import Halving, Moment
from torch import Tensor

FIRST, LAST = Moment(0.0, torch.zeros(1)), Moment(1.0, torch.ones(1))


def mixed(before: Moment, after: Moment, share: float) -> Tensor:
    return before.picture.lerp(after.picture, share)


@given(st.floats(0.001, 0.999))
def test_a_film_of_steady_change_comes_out_right_at_any_time(time):
    assert float(Halving(mixed).frame(FIRST, LAST, time)) == pytest.approx(time, abs=1e-6)


def test_eighths_are_made_of_middles_alone():
    shares = []
    halving = Halving(lambda before, after, share: shares.append(share) or mixed(before, after, share))
    for eighth in range(1, 8):
        halving.frame(FIRST, LAST, eighth / 8)
    assert shares == [0.5] * 7


def test_other_times_lie_between_the_nearest_middles():
    asked = []

    def between(before: Moment, after: Moment, share: float) -> Tensor:
        asked.append((before.time, after.time, share))
        return mixed(before, after, share)

    halving = Halving(between)
    for time in (0.4, 0.8):
        halving.frame(FIRST, LAST, time)
    wanted = [(0, 1, 0.5), (0, 0.5, 0.5), (0.25, 0.5, 0.6), (0.5, 1, 0.5), (0.75, 1, 0.2)]
    assert asked == [pytest.approx(one) for one in wanted]
