"""Cutting in time and space: exact ends, chroma alignment, sizes."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kinograph.nodes.video.crop import Crop
from kinograph.nodes.video.recipe import AudioSpec, VideoError
from kinograph.nodes.video.resize import Resize
from kinograph.nodes.video.source import FileSource
from kinograph.nodes.video.tensor_source import TensorSource
from kinograph.nodes.video.trim import Trim

SOUND = AudioSpec(8000, 1)


def test_a_trim_starts_and_ends_on_whole_frames(numbered, numbers):
    trimmed = Trim(numbered(20), Fraction(1, 2), Fraction("1.24"))
    frames = list(trimmed.frames())
    assert numbers(frames) == [5, 6, 7, 8, 9, 10, 11]
    assert [time for _, time in frames] == [Fraction(n, 10) for n in range(7)]
    assert (trimmed.spec.frame_count, trimmed.spec.duration) == (7, Fraction(7, 10))


def test_a_trim_of_a_file_is_exact_anywhere(clip, numbers):
    for first in range(0, 30, 7):
        trimmed = Trim.of_frames(FileSource.of(clip), first, 4)
        assert numbers(trimmed.frames()) == list(range(first, min(first + 4, 30)))


def test_negative_times_count_from_the_end(numbered, numbers):
    assert numbers(Trim(numbered(20), Fraction(-1, 2)).frames()) == [15, 16, 17, 18, 19]
    assert numbers(Trim(numbered(20), Fraction(0), Fraction("-1.8")).frames()) == [0, 1]


def test_trims_nest(numbered, numbers):
    inner = Trim(Trim(numbered(20), Fraction(1, 2)), Fraction(1, 2), Fraction(1))
    assert numbers(inner.frames(Fraction(2, 10))) == [12, 13, 14]


def test_a_trim_of_a_variable_rate_shows_what_was_on_screen(numbered, numbers):
    times = tuple(Fraction(n, 10) for n in (0, 1, 5, 9))
    source = numbered(4, fps=Fraction(4), times=times)
    frames = list(Trim(source, Fraction(3, 10), Fraction(8, 10)).frames())
    assert numbers(frames) == [1, 2]
    assert [time for _, time in frames] == [0, Fraction(2, 10)]


def test_the_sound_of_a_trim_is_cut_to_the_sample(numbered, whole_sound):
    source = numbered(20, sound=SOUND)
    part = whole_sound(Trim(source, Fraction(1, 2), Fraction(1)))
    np.testing.assert_array_equal(part, whole_sound(source)[:, 4000:8000])


@pytest.mark.parametrize(("start", "end"), [(5, None), (1, 1), (Fraction(3, 2), 1), (0, -2)])
def test_an_empty_trim_is_refused(numbered, start, end):
    with pytest.raises(VideoError, match="nothing is left between"):
        Trim(numbered(20), Fraction(start), None if end is None else Fraction(end))


@given(
    st.integers(1, 60),
    st.fractions(0, 2),
    st.fractions(0, 2),
    st.sampled_from([10, 24, Fraction(30000, 1001)]),
)
def test_a_trim_yields_as_many_frames_as_it_says(numbered, count, start, length, fps):
    source = numbered(count, fps=Fraction(fps), width=2, height=2)
    try:
        trimmed = Trim(source, start, start + length)
    except VideoError:
        return
    frames = list(trimmed.frames())
    assert len(frames) == trimmed.spec.frame_count == trimmed.spec.duration * fps
    assert [time for _, time in frames] == [index / Fraction(fps) for index in range(len(frames))]


def _checker(width: int = 32, height: int = 24) -> TensorSource:
    """Each pixel's red is its column and its green its row, in 255ths."""
    import torch

    image = torch.zeros(2, height, width, 3)
    image[..., 0] = torch.arange(width) / 255
    image[..., 1] = torch.arange(height)[:, None] / 255
    return TensorSource(image, Fraction(10))


def test_a_crop_takes_the_rectangle():
    cropped = Crop(_checker(), 5, 7, 11, 9)
    pixels = next(cropped.frames()).image.to_ndarray()
    assert (cropped.spec.width, cropped.spec.height) == (11, 9)
    assert pixels[0, 0].tolist() == [5, 7, 0]
    assert pixels[-1, -1].tolist() == [15, 15, 0]
    assert cropped.notes == ()


def test_a_crop_on_half_size_chroma_moves_to_an_even_corner_and_says_so(numbered):
    cropped = Crop(numbered(2), 5, 7, 20, 21)
    image = next(cropped.frames()).image
    assert (image.width, image.height) == (20, 21)
    assert cropped.notes == ("the crop starts at (4, 6), not (5, 7): yuv420p needs it",)


@pytest.mark.parametrize("rectangle", [(-1, 0, 8, 8), (0, 0, 65, 8), (60, 0, 8, 8), (0, 0, 0, 8)])
def test_a_crop_outside_the_picture_is_refused(numbered, rectangle):
    with pytest.raises(VideoError, match="leaves the picture of 64x48"):
        Crop(numbered(2), *rectangle)


@pytest.mark.parametrize(
    ("mode", "box", "size"),
    [
        ("stretch", (50, 20), (50, 20)),
        ("fit", (50, 20), (26, 20)),
        ("fit", (32, 100), (32, 24)),
        ("fill", (50, 20), (50, 20)),
        ("pad", (50, 20), (50, 20)),
        ("fit", (32, 0), (32, 24)),
        ("stretch", (0, 96), (128, 96)),
    ],
)
def test_modes_give_the_size_they_promise(numbered, mode, box, size):
    resized = Resize(numbered(2), *box, mode=mode)
    assert (resized.spec.width, resized.spec.height) == size
    assert {(image.width, image.height) for image, _ in resized.frames()} == {size}


def test_padding_puts_bars_around_the_whole_picture(numbered, shown_number):
    image = next(Resize(numbered(9), 100, 48, mode="pad").frames(Fraction(8, 10))).image
    luma = image.to_ndarray(format="gray")
    assert luma[24, :17].max() < 20
    assert luma[24, 83:].max() < 20
    assert luma[:, 20:80].min() > 60
    assert shown_number(image) == pytest.approx(8, abs=0.2)


def test_filling_cuts_the_middle_out():
    pixels = next(Resize(_checker(), 12, 24, mode="fill").frames()).image.to_ndarray()
    assert pixels[0, :, 0].tolist() == list(range(10, 22))


def test_a_size_moved_to_a_multiple_is_reported(numbered):
    resized = Resize(numbered(2), 60, 45, mode="stretch", multiple_of=16)
    assert (resized.spec.width, resized.spec.height) == (64, 48)
    assert resized.notes == ("resized to 64x48, not 60x45: a multiple of 16",)


def test_colour_tags_survive_resizing_and_cropping(clip):
    class Tagged(FileSource):
        def frames(self, start=Fraction(0)):
            for frame in super().frames(start):
                frame.image.colorspace, frame.image.color_range = 9, 2
                frame.image.color_primaries, frame.image.color_trc = 9, 16
                yield frame

    source = Tagged.of(clip)
    image = next(Resize(Crop(source, 0, 0, 32, 32), 20, 40, mode="pad").frames()).image
    tags = (image.colorspace, image.color_range, image.color_primaries, image.color_trc)
    assert tags == (9, 2, 9, 16)


def test_untagged_pictures_keep_their_matrix_when_they_become_hd(numbered):
    image = next(Resize(numbered(1), 1280, 960).frames()).image
    assert image.colorspace == 6  # a viewer would take 960 lines for BT.709


@pytest.mark.parametrize("arguments", [{"width": 0, "height": 0}, {"width": 8, "height": 8, "mode": "zoom"}])
def test_a_senseless_resize_is_refused(numbered, arguments):
    with pytest.raises(VideoError, match="cannot resize"):
        Resize(numbered(1), **arguments)


def test_every_algorithm_scales(numbered):
    from kinograph.nodes.video.pixels import ALGORITHMS

    for algorithm in ALGORITHMS:
        image = next(Resize(numbered(1), 40, 30, algorithm=algorithm).frames()).image
        assert isinstance(image, av.VideoFrame)
        assert (image.width, image.height) == (40, 30)
