"""Rate, speed, reverse and loop: frame counts, which frame shows when, and sound that follows."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from kinograph.nodes.video import reverse
from kinograph.nodes.video.constant_rate import ConstantRate
from kinograph.nodes.video.loop import Loop
from kinograph.nodes.video.recipe import AudioSpec, VideoError
from kinograph.nodes.video.reverse import Reverse
from kinograph.nodes.video.source import FileSource
from kinograph.nodes.video.speed import Speed
from kinograph.nodes.video.tensor_source import TensorSource

RATES = st.sampled_from(
    [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(60)]
)
SOUND = AudioSpec(8000, 2)


@given(st.integers(1, 80), RATES, RATES)
def test_a_new_rate_gives_round_duration_times_fps_frames(numbered, count, given_rate, wanted):
    source = numbered(count, fps=given_rate, width=2, height=2)
    changed = ConstantRate(source, wanted)
    expected = max(1, round(count / given_rate * wanted))
    frames = list(changed.frames())
    assert len(frames) == changed.spec.frame_count == expected
    assert [time for _, time in frames] == [index / wanted for index in range(expected)]
    assert changed.spec.duration == expected / wanted


@given(st.integers(2, 25), RATES, RATES)
def test_the_nearest_frame_is_shown(numbered, numbers, count, given_rate, wanted):
    changed = ConstantRate(numbered(count, fps=given_rate), wanted)
    for number, (_, time) in zip(numbers(changed.frames()), changed.frames(), strict=True):
        gaps = [abs(time - index / given_rate) for index in range(count)]
        assert gaps[number] == min(gaps)


def test_a_blend_weighs_the_neighbours_by_distance(numbered, shown_number):
    blended = ConstantRate(numbered(4), Fraction(40), "blend")
    shown = [shown_number(image) for image, _ in blended.frames()]
    assert shown[:13] == pytest.approx([n / 4 for n in range(13)], abs=0.2)
    assert shown[13:] == pytest.approx([3, 3, 3], abs=0.1)


@pytest.mark.parametrize("pixel_format", ["yuv420p10le", "rgb24", "yuva420p", "yuv444p16le"])
def test_blends_work_in_other_formats(numbered, shown_number, pixel_format):
    blended = ConstantRate(numbered(2, pixel_format=pixel_format), Fraction(20), "blend")
    image = list(blended.frames())[1].image
    assert image.format.name == pixel_format
    assert shown_number(image) == pytest.approx(0.5, abs=0.15)


def test_a_variable_rate_becomes_constant(numbered, numbers):
    times = tuple(Fraction(n, 10) for n in (0, 1, 6, 7))
    source = numbered(4, fps=Fraction(4), times=times)
    constant = ConstantRate(source, Fraction(10))
    assert numbers(constant.frames()) == [0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert not constant.spec.variable_rate


def test_a_new_rate_may_be_pulled_from_any_frame(numbered, numbers):
    changed = ConstantRate(numbered(10), Fraction(25))
    whole = numbers(changed.frames())
    for index in range(25):
        assert numbers(changed.frames(index / Fraction(25))) == whole[index:]


@pytest.mark.parametrize("factor", [Fraction(2), Fraction(1, 2), Fraction(1, 5), Fraction(13, 10)])
def test_speed_keeps_the_frames_and_changes_the_times(numbered, numbers, factor):
    fast = Speed(numbered(20), factor)
    frames = list(fast.frames())
    assert numbers(frames) == list(range(20))
    assert [time for _, time in frames] == [index / (10 * factor) for index in range(20)]
    assert (fast.spec.fps, fast.spec.duration) == (10 * factor, 2 / factor)


@pytest.mark.parametrize("factor", [Fraction(2), Fraction(1, 2), Fraction(3, 10)])
def test_speed_keeps_the_pitch(clip, whole_sound, factor):
    fast = Speed(FileSource.of(clip), factor)
    wave = whole_sound(fast)[0]
    assert len(wave) == round(fast.spec.duration * 8000)
    middle = wave[len(wave) // 4 : len(wave) // 2]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() * 8000 / len(middle) == pytest.approx(440, abs=8)


@pytest.mark.parametrize(
    "factor", [Fraction(1, 5), Fraction(1, 4), Fraction(1, 2), Fraction(2, 3), Fraction(5, 2), Fraction(10)]
)
def test_beeps_stay_where_their_pictures_are_at_any_speed(whole_sound, factor):
    beeps = torch.zeros(12, 8000)
    beeps[:, 3000:5000] = torch.arange(2000).mul(0.5).sin()
    given = TensorSource(torch.zeros(12, 2, 2, 3), Fraction(1), beeps.reshape(1, -1), 8000)
    seconds = np.split(whole_sound(Speed(given, factor))[0] ** 2, 12)
    for loudness in seconds:
        centre = (loudness * np.arange(len(loudness))).sum() / loudness.sum()
        assert abs(centre - len(loudness) / 2) / 8000 < 0.04


def test_a_short_sound_is_heard_to_its_end_at_another_speed(whole_sound):
    ring = torch.linspace(0, 400, 800).sin()[None]
    for factor in (Fraction(1, 2), Fraction(2)):
        sound = whole_sound(Speed(TensorSource(torch.zeros(1, 2, 2, 3), Fraction(10), ring, 8000), factor))[0]
        assert np.abs(sound[-len(sound) // 3 :]).max() > 0.3


@pytest.mark.parametrize("buffer", [1, 5 * 64 * 48 * 12 // 8])
def test_reverse_plays_every_frame_backwards_in_small_stretches(clip, numbers, monkeypatch, buffer):
    monkeypatch.setattr(reverse, "BUFFER_BYTES", buffer)
    backwards = Reverse(FileSource.of(clip))
    frames = list(backwards.frames())
    assert numbers(frames) == list(range(29, -1, -1))
    assert [time for _, time in frames] == [Fraction(index, 25) for index in range(30)]
    assert numbers(backwards.frames(Fraction(10, 25) + Fraction(1, 100))) == list(range(19, -1, -1))


def test_reverse_mirrors_variable_times(numbered, numbers):
    source = numbered(3, fps=Fraction(3), times=(Fraction(0), Fraction(1, 10), Fraction(6, 10)))
    frames = list(Reverse(source).frames())
    assert numbers(frames) == [2, 1, 0]
    assert [time for _, time in frames] == [0, Fraction(4, 10), Fraction(9, 10)]


def test_reverse_holds_a_bounded_number_of_frames(numbered, monkeypatch):
    most = 0

    class Watched(numbered):
        def frames(self, start=Fraction(0)):
            nonlocal most
            for count, frame in enumerate(super().frames(start)):
                most = max(most, count)
                yield frame

    monkeypatch.setattr(reverse, "BUFFER_BYTES", 1)
    assert len(list(Reverse(Watched(100)).frames())) == 100
    assert most <= 5


def test_reversed_sound_is_the_sound_backwards(numbered, whole_sound):
    source = numbered(20, sound=SOUND)
    np.testing.assert_array_equal(whole_sound(Reverse(source)), whole_sound(source)[:, ::-1])
    half = whole_sound(Reverse(source), Fraction(1))
    np.testing.assert_array_equal(half, whole_sound(source)[:, 7999::-1])


def test_reversing_twice_gives_the_original(clip, numbers):
    source = FileSource.of(clip)
    assert numbers(Reverse(Reverse(source)).frames()) == numbers(source.frames())


def test_a_loop_repeats_picture_and_sound(numbered, numbers, whole_sound):
    looped = Loop(numbered(3, sound=SOUND), 3)
    frames = list(looped.frames())
    assert numbers(frames) == [0, 1, 2] * 3
    assert [time for _, time in frames] == [Fraction(n, 10) for n in range(9)]
    assert numbers(looped.frames(Fraction(4, 10))) == [1, 2, 0, 1, 2]
    np.testing.assert_array_equal(whole_sound(looped), np.tile(whole_sound(numbered(3, sound=SOUND)), 3))
    assert whole_sound(looped, Fraction(4, 10)).shape[1] == 4000


@given(st.integers(1, 7), st.integers(1, 5), st.sampled_from([7, 11025, 44100]))
def test_sound_lengths_add_up_whatever_the_rate(numbered, whole_sound, count, times, rate):
    looped = Loop(
        numbered(count, fps=Fraction(30000, 1001), width=2, height=2, sound=AudioSpec(rate, 1)), times
    )
    assert whole_sound(looped).shape[1] == round(looped.spec.duration * rate)


@pytest.mark.parametrize(
    "make",
    [
        lambda source: ConstantRate(source, Fraction(0)),
        lambda source: ConstantRate(source, Fraction(5), "guess"),
        lambda source: Speed(source, Fraction(0)),
        lambda source: Loop(source, 0),
    ],
)
def test_senseless_parameters_are_refused(numbered, make):
    with pytest.raises(VideoError):
        make(numbered(3))
