"""Joining clips: what they agree on, cuts, cross-fades and their sound."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from kinograph.nodes.video.concatenate import Concatenate
from kinograph.nodes.video.recipe import AudioSpec, VideoError

MONO = AudioSpec(8000, 1)


def test_a_cut_plays_one_after_the_other(numbered, numbers):
    joined = Concatenate((numbered(3), numbered(4), numbered(2)))
    frames = list(joined.frames())
    assert numbers(frames) == [0, 1, 2, 0, 1, 2, 3, 0, 1]
    assert [time for _, time in frames] == [Fraction(n, 10) for n in range(9)]
    assert joined.spec.frame_count == 9
    for start in range(9):
        assert numbers(joined.frames(Fraction(start, 10))) == numbers(frames)[start:]


def test_sizes_and_rates_follow_the_first_clip_and_are_reported(numbered):
    joined = Concatenate((numbered(4), numbered(10, fps=Fraction(25), width=100, height=20)))
    assert {(image.width, image.height) for image, _ in joined.frames()} == {(64, 48)}
    assert (joined.spec.fps, joined.spec.frame_count) == (10, 8)
    assert joined.notes == (
        "clip 2: 100x20 is padded to 64x48",
        "clip 2: 25.000 becomes 10.000 frames per second",
    )


def test_size_and_rate_may_be_given(numbered):
    joined = Concatenate((numbered(4), numbered(4)), width=32, height=32, fps=Fraction(20))
    assert (joined.spec.width, joined.spec.height, joined.spec.frame_count) == (32, 32, 16)
    assert len(list(joined.frames())) == 16


def test_pixel_formats_and_colours_are_unified(numbered, numbers):
    joined = Concatenate(
        (numbered(2), numbered(2, pixel_format="rgb24"), numbered(2, pixel_format="yuv444p10le"))
    )
    frames = list(joined.frames())
    assert {image.format.name for image, _ in frames} == {"yuv420p"}
    assert numbers(frames) == [0, 1, 0, 1, 0, 1]


def test_a_cross_fade_mixes_over_its_frames(numbered, shown_number):
    bright = numbered(25)
    joined = Concatenate((numbered(8), bright), cross_fade=Fraction(4, 10))
    assert joined.spec.frame_count == 29
    shown = [shown_number(image) for image, _ in joined.frames()]
    mixed = [4 + n - (n + 0.5) / 4 * 4 for n in range(4)]
    assert shown == pytest.approx([0, 1, 2, 3, *mixed, *range(4, 25)], abs=0.15)
    for start in (3, 4, 6, 7, 8):
        part = [shown_number(image) for image, _ in joined.frames(Fraction(start, 10))]
        assert part == pytest.approx(shown[start:], abs=0.01), start


def test_a_cross_fade_mixes_the_sound_linearly(numbered, whole_sound):
    class Loud(numbered):
        def audio(self, start=Fraction(0)):
            for piece in super().audio(start):
                yield np.full_like(piece, self.count / 10)

    joined = Concatenate((Loud(10, sound=MONO), Loud(20, sound=MONO)), cross_fade=Fraction(5, 10))
    wave = whole_sound(joined)[0]
    assert len(wave) == 20000  # 2.5 s
    np.testing.assert_allclose(wave[:4000], 1)
    np.testing.assert_allclose(wave[4000:8000], 1 + (np.arange(4000) + 0.5) / 4000, atol=1e-5)
    np.testing.assert_allclose(wave[8000:], 2)
    for start in (Fraction(1, 4), Fraction(3, 4), Fraction(5, 4)):
        np.testing.assert_allclose(whole_sound(joined, start)[0], wave[round(start * 8000) :], atol=1e-6)


def test_missing_sound_is_silence_and_other_rates_are_resampled(numbered, whole_sound):
    stereo = AudioSpec(16000, 2)
    joined = Concatenate((numbered(5), numbered(10, sound=MONO), numbered(10, sound=stereo)))
    wave = whole_sound(joined)[0]
    assert joined.spec.audio == MONO
    assert len(wave) == 20000
    assert np.abs(wave[:4000]).max() == 0
    np.testing.assert_allclose(wave[12100:19900], np.arange(100, 7900) / 8000, atol=0.01)
    assert joined.notes == (
        "clip 1: it has no sound and is silent",
        "clip 3: its sound is resampled to 8000 Hz, 1 channel",
    )


def test_a_cross_fade_longer_than_a_clip_is_refused(numbered):
    with pytest.raises(VideoError, match=r"clip 2 lasts 0\.50 s, too short for 2 cross-fades of 0\.30 s"):
        Concatenate((numbered(9), numbered(5), numbered(9)), cross_fade=Fraction(3, 10))


def test_nothing_to_join_is_refused():
    with pytest.raises(VideoError, match="nothing to concatenate"):
        Concatenate(())
