"""Which moment of a film is shown when, and what is heard, where some of it is slow."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from kinograph.nodes.interpolation.pace import Mark, Pace
from kinograph.nodes.video.tensor_source import TensorSource

STEP = Fraction(1, 10)
WHOLE = Fraction(3)


def slowed(*stretches, times=4, step=STEP) -> Pace:
    spans = [tuple(Fraction(str(moment)) for moment in stretch) for stretch in stretches]
    return Pace.slowed(WHOLE, Fraction(times), spans, STEP, step)


def test_a_stretch_lasts_longer_and_the_rest_does_not():
    pace = slowed((1, 1.5))
    assert pace.marks == (Mark(0, 0), Mark(1, 1), Mark(Fraction(3, 2), 3), Mark(3, Fraction(9, 2)))
    assert [pace.moment(Fraction(n)) for n in range(5)] == [
        0,
        1,
        Fraction(5, 4),
        Fraction(3, 2),
        Fraction(5, 2),
    ]
    assert pace.duration == Fraction(9, 2) and pace.slowest == 4


@pytest.mark.parametrize("times", [1, 2.5, 4])
def test_a_whole_film_is_one_stretch(times):
    pace = slowed((0, 3), times=times)
    assert pace.marks == (Mark(0, 0), Mark(3, 3 * Fraction(times)))


def test_no_stretch_leaves_the_film_as_it_is():
    assert slowed().marks == (Mark(0, 0), Mark(3, 3))


def test_stretches_begin_and_end_on_frames_and_last_whole_ones():
    pace = slowed((0.98, 1.53), times=2.5, step=Fraction(1, 3))
    assert pace.marks[1:3] == (Mark(1, 1), Mark(Fraction(3, 2), 1 + Fraction(4, 3)))


def test_stretches_that_overlap_are_one():
    whole, parts = slowed((1, 2)), slowed((1, 1.6), (1.2, 1.4), (1.5, 2))
    for moment in (Fraction(0), Fraction(6, 5), Fraction(17, 10), Fraction(5, 2)):
        assert parts.shown(moment) == whole.shown(moment)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=4),
    st.fractions(1, 10, max_denominator=7),
    st.fractions(0, 1, max_denominator=50),
)
def test_moments_and_times_belong_together(ends, times, share):
    stretches = sorted((Fraction(min(pair), 13), Fraction(max(pair), 13)) for pair in ends)
    pace = Pace.slowed(WHOLE, times, stretches, STEP, Fraction(1, 24))
    assert pace.marks[0] == (0, 0) and pace.marks[-1].film == WHOLE
    assert all(a.film < b.film and a.shown < b.shown for a, b in pairwise(pace.marks))
    assert pace.shown(pace.moment(share * pace.duration)) == share * pace.duration


def test_beeps_are_heard_when_their_moments_are_shown():
    beeps = torch.zeros(12, 8000)
    beeps[:, 3000:5000] = torch.arange(2000).mul(0.5).sin()
    film = TensorSource(torch.zeros(12, 2, 2, 3), Fraction(1), beeps.reshape(1, -1), 8000)
    pace = Pace.slowed(Fraction(12), Fraction(4), [(Fraction(3), Fraction(6))], Fraction(1), Fraction(1))
    loudness = np.concatenate(list(pace.sound(film, Fraction(0))), axis=1)[0] ** 2
    assert len(loudness) == 21 * 8000
    for second in range(12):
        begin, end = (round(pace.shown(Fraction(moment)) * 8000) for moment in (second, second + 1))
        heard = loudness[begin:end]
        centre = (heard * np.arange(len(heard))).sum() / heard.sum()
        assert abs(centre - len(heard) / 2) / 8000 < 0.04
    later = np.concatenate(list(pace.sound(film, Fraction(19))), axis=1)[0] ** 2
    np.testing.assert_array_equal(later, loudness[19 * 8000 :])
