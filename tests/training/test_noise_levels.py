"""The noise levels that text-to-video training draws."""

from __future__ import annotations

import random

import pytest
from kinograph.training import noise_levels
from kinograph.training.noise_levels import drawn_level, drawn_sigmas


@pytest.mark.parametrize("frames", [1, 2, 5, 9])
def test_levels_are_in_range_and_some_frame_carries_noise(frames):
    rng = random.Random(0)
    for _ in range(500):
        sigmas = drawn_sigmas(rng, frames)
        assert len(sigmas) == frames
        assert all(0 <= sigma <= 1 for sigma in sigmas) and any(sigmas)


def test_pure_noise_where_sampling_begins_is_not_rare():
    rng = random.Random(2)
    levels = [drawn_level(rng) for _ in range(5000)]
    assert sum(level > 0.95 for level in levels) > 5000 * 0.018


def test_films_are_learnt_with_more_noise_than_pictures():
    means = [sum(drawn_level(random.Random(seed), frames) for seed in range(2000)) for frames in (1, 5)]
    assert means[1] > 1.1 * means[0]


@pytest.mark.parametrize(
    "kind, holds",
    [
        ("flat", lambda s: len(set(s)) == 1),
        ("independent", lambda s: len(set(s)) == len(s)),
        ("first", lambda s: s[0] == 0 and len(set(s[1:])) == 1),
        ("ends", lambda s: s[0] == s[-1] == 0 and len(set(s[1:-1])) == 1),
        ("prefix", lambda s: s[0] == 0 and s[-1] > 0 and s == sorted(s)),
        ("ramp", lambda s: s == sorted(s) and len(set(s)) == len(s)),
    ],
)
def test_each_kind_is_what_sampling_will_ask_for(kind, holds, monkeypatch):
    monkeypatch.setattr(noise_levels, "KINDS", {**dict.fromkeys(noise_levels.KINDS, 0.0), kind: 1.0})
    rng = random.Random(1)
    assert all(holds(drawn_sigmas(rng, 5)) for _ in range(100))


def test_a_clip_that_begins_no_film_is_learnt_with_frames_given_before_the_rest():
    rng = random.Random(3)
    drawn = [drawn_sigmas(rng, 5, later=True) for _ in range(100)]
    assert all(sigmas[0] == 0 < sigmas[-1] for sigmas in drawn)
    assert {sigmas.count(0) for sigmas in drawn} == {1, 2, 3, 4}
