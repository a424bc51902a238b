"""Every moment lies in one pair, at an exact share of it."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from kinograph.nodes.interpolation.instants import instants
from kinograph.nodes.interpolation.links import Link
from kinograph.nodes.interpolation.pairs import MOST_HELD, Between, pairs
from kinograph.nodes.video.recipe import Frame

LINKS = {"m": Link.MOTION, "c": Link.CUT, "r": Link.REPEAT}


def paired(links: str, longest_hold: float = 4, times=None):
    """Frames 0, 1, 2 … seconds with these links, the first frame's aside."""
    steps = [None, *(LINKS[letter] for letter in links)]
    times = times or range(len(steps))
    frames = [
        (Frame(index, Fraction(time)), link)
        for index, (time, link) in enumerate(zip(times, steps, strict=True))
    ]
    return list(pairs(frames, Fraction(longest_hold)))


def told(found) -> list[tuple]:
    return [(pair.before.image, pair.after and pair.after.image, pair.between.name[0]) for pair in found]


def test_drawings_on_twos_move_from_the_first_of_each():
    assert told(paired("rmrmr")) == [(0, 2, "M"), (2, 4, "M"), (4, 5, "S"), (5, None, "T")]
    assert [pair.repeats for pair in paired("rmrmr")] == [1, 1, 0, 0]


def test_repeats_before_a_cut_stay():
    assert told(paired("rrcm")) == [(0, 1, "S"), (1, 2, "S"), (2, 3, "C"), (3, 4, "M"), (4, None, "T")]


def test_a_hold_longer_than_allowed_is_stillness_up_to_its_last_frame():
    assert told(paired("rrrm", 4))[0] == (0, 4, "M")
    assert told(paired("rrrrm", 4)) == [*((n, n + 1, "S") for n in range(4)), (4, 5, "M"), (5, None, "T")]
    assert told(paired("rrm", 0)) == [(0, 1, "S"), (1, 2, "S"), (2, 3, "M"), (3, None, "T")]


def test_no_more_than_a_few_frames_are_held_in_memory():
    steps = iter(
        [(Frame(0, Fraction(0)), None), *((Frame(n, Fraction(n)), Link.REPEAT) for n in range(1, 1000))]
    )
    next(pairs(steps, Fraction(10**6)))
    assert next(steps)[0].image <= MOST_HELD + 1


def test_one_frame_and_none():
    assert told(paired("")) == [(0, None, "T")]
    assert list(pairs([], Fraction(1))) == []


@given(st.text("mcr", max_size=40), st.integers(0, 20))
def test_pairs_cover_a_film_without_gaps(links, longest_hold):
    found = paired(links, longest_hold)
    assert found[0].before.image == 0
    assert all(one.after is other.before for one, other in pairwise(found))
    assert found[-1].between is Between.THE_END and found[-1].before.image == len(links)
    skipped = sum(pair.after.image - pair.before.image - 1 for pair in found[:-1])
    assert skipped == sum(pair.repeats for pair in found)
    cuts = [pair.after.image for pair in found if pair.between is Between.CUT]
    assert cuts == [index for index, letter in enumerate(links, 1) if letter == "c"]


@given(
    st.integers(1, 30),
    st.sampled_from([Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(7, 3)]),
    st.sampled_from([Fraction(24000, 1001), Fraction(25), Fraction(60), Fraction(1000, 7)]),
)
def test_every_time_lies_in_its_pair_at_its_exact_share(count, given_rate, wanted):
    times = [index / given_rate for index in range(count)]
    asked = [index / wanted for index in range(round(count / given_rate * wanted))]
    for time, instant in zip(asked, instants(paired("m" * (count - 1), 4, times), asked), strict=True):
        before, after = instant.pair[:2]
        if after is None:
            assert instant.share == 0 and time >= times[-1]
        else:
            assert before.time + instant.share * (after.time - before.time) == time
            assert 0 <= instant.share < 1


def test_a_time_within_the_tolerance_is_the_frames():
    times = [Fraction(0), Fraction("0.033"), Fraction("0.067"), Fraction("0.1")]
    asked = [Fraction(index, 30) for index in range(4)]
    found = list(instants(paired("mmm", 4, times), asked, Fraction(1, 1000)))
    assert [instant.share for instant in found] == [0, 0, 0, 0]
    assert [instant.pair.before.image for instant in found] == [0, 1, 2, 3]
    assert any(instant.share for instant in instants(paired("mmm", 4, times), asked))


def test_at_a_cut_the_nearer_frame_is_shown():
    [cut, _] = paired("c")
    shown = list(instants([cut, paired("c")[1]], [Fraction(n, 4) for n in range(4)]))
    assert [instant.nearest for instant in shown] == [0, 0, 0, 1]
    assert all(instant.is_given for instant in shown)
