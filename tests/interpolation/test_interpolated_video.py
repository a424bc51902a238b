"""Videos at other rates: how many frames, which are the given ones, what is never made, what is heard."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kinograph.nodes.film_interpolation import Interpolator, interpolated_video
from kinograph.nodes.interpolation.interpolated_video import interpolated_within
from kinograph.nodes.interpolation.links import Rules
from kinograph.nodes.runtime import managed
from kinograph.nodes.video.concatenate import Concatenate
from kinograph.nodes.video.recipe import AudioSpec, Frame
from kinograph.nodes.video.speed import Speed
from kinograph.nodes.video.trim import Trim

ON_TWOS = Rules(longest_hold=Fraction(1, 5))
NTSC_FILM = Fraction(24000, 1001)
NTSC = Fraction(30000, 1001)


def interpolated(recipe, network, fps, rules=ON_TWOS, **how):
    return interpolated_video(recipe, Fraction(fps), rules, Interpolator(managed(network), **how))


def arrays(recipe, start=Fraction(0)) -> list[np.ndarray]:
    return [image.to_ndarray() for image, _ in recipe.frames(start)]


def moving(pictured, ball_picture, count: int, **facts):
    return pictured(tuple(ball_picture(5 + 3 * step) for step in range(count)), **facts)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 40),
    st.sampled_from([NTSC_FILM, Fraction(24), Fraction(25), NTSC]),
    st.sampled_from([NTSC_FILM, Fraction(25), Fraction(50), NTSC, Fraction(60), Fraction(60000, 1001)]),
)
def test_frame_count_and_times_are_as_asked(mixer, pictured, count, given_rate, wanted):
    film = pictured((np.zeros((2, 2, 3), np.uint8),) * count, given_rate)
    made = interpolated(film, mixer(1), wanted, Rules(cut_threshold=0))
    expected = max(1, round(count / given_rate * wanted))
    frames = list(made.frames())
    assert made.spec.frame_count == len(frames) == expected
    assert [time for _, time in frames] == [index / wanted for index in range(expected)]
    assert abs(made.spec.duration - film.spec.duration) <= 1 / (2 * wanted)


@pytest.mark.parametrize(("given_rate", "wanted"), [(NTSC_FILM, 60), (24, 25), (25, 50), (25, 24), (10, 37)])
def test_a_given_frame_whose_time_is_met_passes_bit_by_bit(mixer, pictured, ball_picture, given_rate, wanted):
    film = moving(pictured, ball_picture, 27, fps=Fraction(given_rate))
    given = {time: image.to_ndarray() for image, time in film.frames()}
    met = 0
    for image, time in interpolated(film, mixer(), wanted).frames():
        if time in given:
            np.testing.assert_array_equal(image.to_ndarray(), given[time])
            met += 1
    assert met >= 1
    if Fraction(wanted) % Fraction(given_rate) == 0:
        assert met == 27


def test_other_frames_are_made_from_the_two_around_at_their_exact_share(mixer, pictured):
    film = pictured(tuple(np.full((64, 64, 3), 20 * step, np.uint8) for step in range(5)))
    network = mixer()
    shown = [array[0, 0, 0] for array in arrays(interpolated(film, network, 40, Rules(cut_threshold=0)))]
    assert shown == [*range(0, 80, 5), 80, 80, 80, 80]
    assert sorted(network.times) == sorted([0.25, 0.5, 0.75] * 4)
    assert network.featured == 5  # each given frame's once


@pytest.mark.parametrize("first", [1, 4, 7])
def test_no_frame_mixes_two_scenes(mixer, pictured, ball_picture, first):
    scenes = [ball_picture(5 + 3 * step, scene=int(step >= first)) for step in range(8)]
    film, network = pictured(tuple(scenes)), mixer()
    made = interpolated(film, network, 30)
    shown = arrays(made)
    np.testing.assert_array_equal(shown[3 * first - 2], scenes[first - 1])
    np.testing.assert_array_equal(shown[3 * first - 1], scenes[first])
    assert made.source.record.cuts == [Fraction(first, 10)]
    assert f"1 cut not interpolated across, at 0:00.{first}00" in made.notes
    assert len(network.times) == 2 * 6


def test_animation_on_twos_moves_on_every_frame(mixer, pictured, ball_picture):
    drawings = [ball_picture(12 * (step // 2)) for step in range(9)]
    film = pictured(tuple(drawings))
    shown = arrays(made := interpolated(film, mixer(), 10))
    for index in (0, 2, 4, 6, 8):
        np.testing.assert_array_equal(shown[index], drawings[index])
    halfway = (drawings[0].astype(float) + drawings[2]) / 2
    np.testing.assert_allclose(shown[1], halfway, atol=1)
    assert made.source.record.repeats == 4
    assert "4 frames that only repeated the one before gave way to motion" in made.notes


def test_repeats_may_be_kept(mixer, pictured, ball_picture):
    film = pictured(tuple(ball_picture(12 * (step // 2)) for step in range(9)))
    made = interpolated(film, mixer(), 10, Rules())
    for shown, drawn in zip(arrays(made), arrays(film), strict=True):
        np.testing.assert_array_equal(shown, drawn)
    assert made.source.record.repeats == 0


def test_a_long_hold_stays_still_until_it_ends(mixer, pictured, ball_picture):
    steps = [0, 1, 2, 2, 2, 2, 2, 3]
    film, network = pictured(tuple(ball_picture(12 * step) for step in steps)), mixer()
    made = interpolated(film, network, 20)
    shown = arrays(made)
    for index in range(4, 13):
        np.testing.assert_array_equal(shown[index], ball_picture(24))
    record = made.source.record
    assert (record.made, record.blended, record.repeats) == (3, 4, 0)


def test_a_variable_rate_becomes_constant(mixer, pictured):
    times = tuple(Fraction(n, 1000) for n in (0, 100, 300, 333, 400))
    levels = tuple(np.full((8, 8, 3), round(time * 400), np.uint8) for time in times)
    film = pictured(levels, Fraction(10), times)
    made = interpolated(film, mixer(), 20, Rules(cut_threshold=0))
    assert not made.spec.variable_rate and "the variable frame rate becomes constant" in made.notes
    shown = [int(array[0, 0, 0]) for array in arrays(made)]
    assert shown == [0, 20, 40, 60, 80, 100, 120, 140, 160, 160]


def test_what_stands_still_in_a_variable_rate_moves_only_before_the_next_frame(mixer, pictured, ball_picture):
    """As screen recordings are: no frame comes while nothing happens."""
    times = tuple(Fraction(n, 10) for n in (0, 1, 2, 3, 4, 14, 15, 16, 17))
    film = pictured(tuple(ball_picture(9 * n) for n in range(9)), Fraction(5), times)
    made = interpolated(film, mixer(), 20)
    shown = arrays(made)
    for index in range(8, 25):
        np.testing.assert_array_equal(shown[index], film.pictures[4])
    quarter = film.pictures[4] * 0.75 + film.pictures[5] * 0.25
    np.testing.assert_allclose(shown[25], quarter, atol=1)
    morphed = arrays(interpolated(film, mixer(), 20, Rules()))
    assert not np.array_equal(morphed[10], film.pictures[4])


def test_times_that_a_container_rounded_are_met(mixer, pictured, ball_picture):
    times = tuple(Fraction(round(1000 * n / 30), 1000) for n in range(6))
    film = pictured(tuple(ball_picture(3 * n) for n in range(6)), Fraction(30), times)
    network = mixer()
    shown = arrays(interpolated(film, network, 30))
    assert not network.calls
    np.testing.assert_array_equal(shown, film.pictures)


@pytest.mark.parametrize("count", [1, 2])
def test_one_frame_and_two(mixer, pictured, ball_picture, count):
    film = moving(pictured, ball_picture, count)
    made = interpolated(film, mixer(), 40)
    shown = arrays(made)
    assert len(shown) == 4 * count
    np.testing.assert_array_equal(shown[0], film.pictures[0])
    np.testing.assert_array_equal(shown[-4:], [film.pictures[-1]] * 4)
    assert ("the video has one frame, which is shown throughout" in made.notes) == (count == 1)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (37, 23), (96, 64), (129, 70)])
@pytest.mark.parametrize("align", [1, 64])
def test_any_size(mixer, pictured, width, height, align):
    noise = np.random.default_rng(0).integers(0, 255, (3, height, width, 3)).astype(np.uint8)
    film = pictured(tuple(noise))
    shown = arrays(interpolated(film, mixer(align), 20, Rules(cut_threshold=0)))
    assert shown[1].shape == (height, width, 3)
    np.testing.assert_allclose(shown[1], (noise[0].astype(float) + noise[1]) / 2, atol=1)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le", "yuva444p", "nv12", "gbrp", "bgra"])
def test_frames_are_made_in_the_films_own_format(mixer, pictured, ball_picture, pixel_format):
    class Stored(pictured):
        @property
        def spec(self):
            return replace(super().spec, pixel_format=pixel_format)

        def frames(self, start=Fraction(0)):
            for image, time in pictured(self.pictures, self.fps).frames(start):
                stored = image.reformat(format=pixel_format)
                stored.color_range = 1
                yield Frame(stored, time)

    film = Stored(tuple(ball_picture(5 + 2 * step) for step in range(3)))
    shown = list(interpolated(film, mixer(), 20).frames())
    assert {image.format.name for image, _ in shown} == {pixel_format}
    colours = [image.to_ndarray(format="rgb24").astype(float) for image, _ in shown]
    assert np.abs(colours[1] - (colours[0] + colours[2]) / 2).mean() < 2


def test_transparency_moves_as_the_colours_do(mixer, pictured):
    before, after = np.zeros((2, 40, 40, 4), np.uint8)
    before[:20], after[20:] = (200, 100, 50, 255), (200, 100, 50, 255)
    before[:, :5] = after[:, :5] = (10, 20, 30, 128)
    film, network = pictured((before, after)), mixer()
    made = interpolated(film, network, 20, Rules(cut_threshold=0))
    half = arrays(made)[1]
    assert made.spec.pixel_format == "rgba"
    np.testing.assert_allclose(half[:, 5:, 3], 128, atol=1)
    np.testing.assert_allclose(half[:, 5:, :3], np.broadcast_to((200, 100, 50), (40, 35, 3)), atol=3)
    np.testing.assert_allclose(half[:, :5], np.broadcast_to((10, 20, 30, 128), (40, 5, 4)), atol=1)
    assert sum(batch for batch, *_ in network.calls) == 2  # colours and matte
    assert "transparency goes through the network as a picture of its own" in made.notes


def test_a_matte_that_stays_is_not_computed(mixer, pictured):
    opaque = np.full((2, 16, 16, 4), 255, np.uint8)
    opaque[1, ..., :3] = 0
    network = mixer()
    half = arrays(interpolated(pictured(tuple(opaque)), network, 20, Rules(cut_threshold=0)))[1]
    assert (half[..., 3] == 255).all()
    assert sum(batch for batch, *_ in network.calls) == 1


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_networks_get_half_precision(mixer, pictured, ball_picture, dtype):
    film = moving(pictured, ball_picture, 3)
    exact = arrays(interpolated(film, mixer(), 25))
    half = arrays(made := interpolated(film, mixer().to(dtype), 25))
    np.testing.assert_allclose(half, exact, atol=3)
    assert any(str(dtype).removeprefix("torch.") in note for note in made.notes)


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(7, 2)])
def test_a_pull_from_any_moment_gives_the_same(mixer, pictured, ball_picture, rate):
    steps = [0, 1, 1, 2, 2, 2, 3, 4, 4, 4, 4, 4, 4, 4, 5, 5, 6, 7, 7, 8]
    frames = tuple(ball_picture(9 * step, scene=int(index >= 15)) for index, step in enumerate(steps))
    uneven = tuple(Fraction(index, 10) + Fraction(index % 3, 100) for index in range(20))
    for times in ((), uneven):
        made = interpolated(pictured(frames, Fraction(10), times), mixer(), rate).source
        whole = arrays(made)
        for index in range(0, len(whole), 5):
            np.testing.assert_array_equal(arrays(made, index / rate), whole[index:])
        assert list(made.frames(made.spec.duration)) == []


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.sampled_from(["moves", "moves", "repeats", "cut"]), max_size=30),
    st.lists(st.sampled_from([9, 10, 11, 20, 150]), min_size=31, max_size=31),
    st.booleans(),
    st.sampled_from([3, 10, 24, 60]),
    st.sampled_from([0, 18, 40]),
    st.floats(0, 1),
)
def test_whatever_happens_in_a_film_and_whenever_it_is_pulled(
    mixer, pictured, ball_picture, events, gaps, steady, wanted, hold, begin
):
    position, scene, shown = 0, 0, [ball_picture(0, 0, 48, 32)]
    for event in events:
        position, scene = position + 7 * (event == "moves"), scene + (event == "cut")
        shown.append(ball_picture(position % 60, scene, 48, 32))
    times = () if steady else tuple(Fraction(sum(gaps[:index]), 100) for index in range(len(shown)))
    fps = Fraction(10) if steady else 100 * len(shown) / Fraction(sum(gaps[: len(shown)]))
    film = pictured(tuple(shown), fps, times)
    made = interpolated(film, mixer(1), wanted, Rules(longest_hold=Fraction(hold, 100))).source
    whole = arrays(made)
    assert len(whole) == made.spec.frame_count == max(1, round(film.spec.duration * wanted))
    np.testing.assert_array_equal(whole[0], shown[0])
    first = int(begin * (len(whole) - 1))
    np.testing.assert_array_equal(arrays(made, Fraction(first, wanted)), whole[first:])


def test_a_partial_pull_does_not_replace_the_whole_ones_record(mixer, pictured, ball_picture):
    made = interpolated(moving(pictured, ball_picture, 6), mixer(), 20).source
    list(made.frames())
    record = made.record
    list(made.frames(Fraction(1, 5)))
    assert made.record is record and record.complete
    next(made.frames())
    assert not made.record.complete


def test_frames_are_made_once_for_all_who_look(mixer, pictured, ball_picture):
    network = mixer()
    made = interpolated(moving(pictured, ball_picture, 6), network, 20)
    first = arrays(made)
    asked = len(network.times)
    np.testing.assert_array_equal(arrays(made), first)
    assert len(network.times) == asked == 5


def test_the_sound_stays_as_long_as_the_picture(mixer, pictured, ball_picture):
    film = moving(pictured, ball_picture, 7, fps=NTSC_FILM, sound=AudioSpec(8000, 2))
    made = interpolated(film, mixer(), 60)
    sound = np.concatenate(list(made.audio()), axis=1)
    given = np.concatenate(list(film.audio()), axis=1)
    assert sound.shape[1] == round(made.spec.duration * 8000)
    shared = min(sound.shape[1], given.shape[1])
    np.testing.assert_array_equal(sound[:, :shared], given[:, :shared])


@pytest.mark.parametrize(("given_rate", "wanted"), [(NTSC_FILM, 60), (25, 60), (24, NTSC)])
def test_after_an_hour_picture_and_sound_are_less_than_a_frame_apart(mixer, pictured, given_rate, wanted):
    hour = 3600 * round(Fraction(given_rate))
    film = pictured((np.zeros((2, 2, 3), np.uint8),) * 2, Fraction(given_rate), sound=AudioSpec(48000, 1))
    spec = replace(film.spec, frame_count=hour, duration=hour / Fraction(given_rate))
    long = type("Long", (type(film),), {"spec": spec})(film.pictures, film.fps, (), film.sound)
    made = interpolated(long, mixer(1), wanted).spec
    assert made.frame_count == round(spec.duration * wanted)
    assert abs(made.frame_count / made.fps - spec.duration) <= 1 / (2 * made.fps)


def test_the_fingerprint_tells_of_everything_that_matters(mixer, pictured, ball_picture):
    film, network = moving(pictured, ball_picture, 2), mixer()
    other = mixer()
    other.gain.data *= 0.5
    variants = [
        interpolated(film, network, 20),
        interpolated(film, network, 30),
        interpolated(film, network, 20, Rules()),
        interpolated(film, other, 20),
        interpolated(film, network, 20, budget_mb=1),
        interpolated(moving(pictured, ball_picture, 3), network, 20),
    ]
    assert len({made.fingerprint() for made in variants}) == len(variants)
    assert interpolated(film, network, 20).fingerprint() == variants[0].fingerprint()


def test_an_interpolated_video_is_found_behind_later_steps(mixer, pictured, ball_picture):
    film = moving(pictured, ball_picture, 4)
    made = interpolated(film, mixer(), 20)
    behind = Concatenate((film, Speed(Trim(made, Fraction(1, 10)), Fraction(2))))
    assert interpolated_within(behind) == [made]
    again = interpolated(made, mixer(), 60)
    assert interpolated_within(again) == [again, made]
    assert interpolated_within(film) == []


def test_nothing_but_a_few_frames_is_held(mixer, pictured, ball_picture):
    """However long the film: frames read ahead, looked at, waiting for a batch."""
    read = 0

    class Watched(pictured):
        def frames(self, start=Fraction(0)):
            nonlocal read
            for frame in super().frames(start):
                read += 1
                yield frame

    film = Watched(tuple(ball_picture(step % 7 * 12, width=32, height=32) for step in range(300)))
    network = mixer()
    with closing(interpolated(film, network, 20, Rules()).source.frames()) as frames:
        for shown, _ in enumerate(frames):
            assert read <= shown / 2 + 40
