"""IMAGE functions on videos: chunks, context, colours, and the spool that keeps their results."""

from __future__ import annotations

import gc
import os
import threading
from fractions import Fraction

import numpy as np
import pytest
import torch
from kinograph.nodes.video.image_function import ImageFunction
from kinograph.nodes.video.recipe import AudioSpec, VideoError
from kinograph.nodes.video.spool import Spool
from kinograph.nodes.video.tensor_source import TensorSource


class Recorded:
    """A function that remembers the frame numbers it was given."""

    def __init__(self, function=lambda images: images) -> None:
        self.calls: list[list[int]] = []
        self.function = function

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        assert images.dtype == torch.float32
        self.calls.append([round(float(level) * 219 / 7) for level in images[:, 0, 0, 0]])
        return self.function(images)


def test_the_function_sees_chunks_with_context_and_each_frame_comes_out_once(numbered, numbers):
    seen = Recorded()
    frames = list(ImageFunction(numbered(10), seen, "same", chunk=4, overlap=2).frames())
    assert numbers(frames) == list(range(10))
    assert [time for _, time in frames] == [Fraction(n, 10) for n in range(10)]
    assert seen.calls == [[0, 1, 2, 3, 4, 5], [2, 3, 4, 5, 6, 7, 8, 9], [6, 7, 8, 9]]


@pytest.mark.parametrize("overlap", [0, 1, 3, 9])
@pytest.mark.parametrize("chunk", [1, 3, 8])
def test_a_temporal_function_gives_the_same_whatever_the_chunks(numbered, shown_number, chunk, overlap):
    def mean_of_three(images: torch.Tensor) -> torch.Tensor:
        padded = torch.cat([images[:1], images, images[-1:]])
        return (padded[:-2] + padded[1:-1] + padded[2:]) / 3

    made = ImageFunction(numbered(20), mean_of_three, "mean", chunk=chunk, overlap=overlap)
    shown = [shown_number(image) for image, _ in made.frames()]
    inner = shown[1:-1] if overlap else []
    assert inner == pytest.approx(list(range(1, 19))[: len(inner)], abs=0.3)
    assert len(shown) == 20


def test_colours_survive_the_round_trip():
    source = TensorSource(torch.rand(3, 24, 32, 3, generator=torch.Generator().manual_seed(1)), Fraction(10))
    before = [image.to_ndarray() for image, _ in source.frames()]
    after = [image.to_ndarray() for image, _ in ImageFunction(source, lambda x: x, "same").frames()]
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("colour_range", [0, 1, 2])
@pytest.mark.parametrize("matrix", [1, 2, 6, 9])
def test_yuv_colours_and_tags_survive_the_round_trip(grey_frame, numbered, matrix, colour_range):
    class Tagged(numbered):
        def frames(self, start=Fraction(0)):
            for frame in super().frames(start):
                frame.image.colorspace, frame.image.color_range = matrix, colour_range
                for plane, level in zip(frame.image.planes, (120, 90, 170), strict=True):
                    plane.update(bytes([level]) * plane.buffer_size)
                yield frame

    (frame,) = ImageFunction(Tagged(1), lambda x: x, "same").frames()
    planes = [int(np.frombuffer(plane, np.uint8)[0]) for plane in frame.image.planes]
    assert planes == pytest.approx([120, 90, 170], abs=1)
    assert frame.image.color_range == colour_range
    assert frame.image.colorspace in (matrix, 6 if matrix == 2 else matrix)


def test_size_and_rate_may_change(numbered, numbers):
    def double(images: torch.Tensor) -> torch.Tensor:
        return images.repeat_interleave(2, 0)[:, ::2, ::2]

    made = ImageFunction(numbered(9), double, "double", chunk=4, overlap=1, rate=2, width=32, height=24)
    frames = list(made.frames())
    assert numbers(frames) == [n // 2 for n in range(18)]
    assert [time for _, time in frames] == [Fraction(n, 20) for n in range(18)]
    assert (made.spec.frame_count, made.spec.fps, made.spec.duration) == (18, 20, Fraction(9, 10))
    assert (frames[0].image.width, frames[0].image.height) == (32, 24)
    assert [time for _, time in made.frames(Fraction(33, 100))] == [Fraction(n, 20) for n in range(6, 18)]


def test_a_rate_needs_constant_times(numbered):
    variable = numbered(3, times=(Fraction(0), Fraction(1, 10), Fraction(2)))
    with pytest.raises(VideoError, match="needs a constant rate; retime the video first"):
        ImageFunction(variable, lambda x: x, "double", rate=2)


def test_a_function_that_breaks_its_promise_is_named(numbered):
    with pytest.raises(VideoError, match=r"half returned images of shape \[1, .*\] and declared \[2, "):
        list(ImageFunction(numbered(2), lambda x: x[:1], "half").frames())


@pytest.mark.parametrize("chunk", [0, 9])
def test_a_chunk_outside_its_bounds_is_refused(numbered, chunk):
    with pytest.raises(VideoError, match="chunk must be 1 to 8"):
        ImageFunction(numbered(2), lambda x: x, "same", chunk=chunk)


def test_transparency_goes_around_the_function():
    images = torch.rand(4, 16, 16, 4, generator=torch.Generator().manual_seed(1))
    source = TensorSource(images, Fraction(10))
    inverted = ImageFunction(source, lambda x: 1 - x, "invert")
    for (before, _), (after, _) in zip(source.frames(), inverted.frames(), strict=True):
        np.testing.assert_array_equal(after.to_ndarray()[..., 3], before.to_ndarray()[..., 3])
        np.testing.assert_allclose(after.to_ndarray()[..., :3], 255 - before.to_ndarray()[..., :3], atol=1)
    halved = ImageFunction(source, lambda x: x[:, ::2], "halve", height=8)
    assert halved.spec.pixel_format == "rgb24"
    assert halved.notes == ("halve drops the transparency: it changes the size or the rate",)


def test_the_sound_is_untouched(numbered, whole_sound):
    source = numbered(5, sound=AudioSpec(8000, 1))
    made = ImageFunction(source, lambda x: x, "same")
    np.testing.assert_array_equal(whole_sound(made), whole_sound(source))


def test_an_error_in_the_source_reaches_the_caller_and_no_thread_stays(numbered, no_thread_stays):
    class Failing(numbered):
        def frames(self, start=Fraction(0)):
            yield next(super().frames(start))
            raise VideoError("the tape tore")

    with pytest.raises(VideoError, match="the tape tore"):
        list(ImageFunction(Failing(5), lambda x: x, "same").frames())
    abandoned = ImageFunction(numbered(100), lambda x: x, "same").frames()
    next(abandoned)
    abandoned.close()


def test_a_spool_computes_each_frame_once(numbered, numbers):
    seen = Recorded(lambda images: 1 - images)
    spool = Spool(ImageFunction(numbered(12), seen, "invert", chunk=4))
    first = [image.to_ndarray(format="rgb24") for image, _ in spool.frames()]
    again = list(spool.frames())
    assert sum(map(len, seen.calls)) == 12
    np.testing.assert_array_equal(first, [image.to_ndarray(format="rgb24") for image, _ in again])
    assert [time for _, time in spool.frames(Fraction(55, 100))] == [Fraction(n, 10) for n in range(5, 12)]
    assert sum(map(len, seen.calls)) == 12


@pytest.mark.parametrize(
    "pixel_format", ["yuv420p", "yuv420p10le", "yuva420p", "rgb24", "rgba", "rgb48le", "gbrp"]
)
def test_a_spool_loses_nothing(numbered, pixel_format):
    source = numbered(3, pixel_format=pixel_format, width=62, height=30)
    spool = Spool(source)
    list(spool.frames())
    for (given, _), (kept, _) in zip(source.frames(), spool.frames(), strict=True):
        assert kept.format.name == pixel_format
        for a, b in zip(given.planes, kept.planes, strict=True):
            width = a.width * (2 if "10" in pixel_format or "48" in pixel_format else 1)
            rows = [
                np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:, :width] for plane in (a, b)
            ]
            np.testing.assert_array_equal(*rows)


def test_two_pulls_of_a_spool_share_the_work(numbered, numbers):
    seen = Recorded()
    spool = Spool(ImageFunction(numbered(10), seen, "same", chunk=2))
    pairs = list(zip(spool.frames(), spool.frames(), strict=True))
    assert [numbers([a]) == numbers([b]) for a, b in pairs] == [True] * 10
    assert sum(map(len, seen.calls)) == 10


def test_threads_share_a_spool(numbered, numbers):
    seen = Recorded()
    spool = Spool(ImageFunction(numbered(20), seen, "same", chunk=2))
    results: list[list[int]] = []
    threads = [threading.Thread(target=lambda: results.append(numbers(spool.frames()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [list(range(20))] * 4
    assert sum(map(len, seen.calls)) == 20


def test_an_abandoned_first_pull_leaves_nothing_and_the_next_one_works(numbered, numbers, tmp_path):
    spool = Spool(numbered(10), directory=str(tmp_path))
    pull = spool.frames()
    next(pull)
    pull.close()
    assert os.listdir(tmp_path) == []
    assert numbers(spool.frames()) == list(range(10))
    del spool
    gc.collect()
    assert os.listdir(tmp_path) == []


def test_a_failed_first_pull_can_be_repeated(numbered, numbers):
    attempts = []

    class Flaky(numbered):
        def frames(self, start=Fraction(0)):
            attempts.append(1)
            for index, frame in enumerate(super().frames(start)):
                if index == 3 and len(attempts) == 1:
                    raise VideoError("out of memory")
                yield frame

    spool = Spool(Flaky(6))
    with pytest.raises(VideoError, match="out of memory"):
        list(spool.frames())
    assert numbers(spool.frames()) == list(range(6))


def test_a_spool_keeps_variable_times(numbered):
    times = (Fraction(0), Fraction(1, 7), Fraction(5, 7))
    spool = Spool(numbered(3, times=times))
    assert [tuple(time for _, time in spool.frames()) for _ in range(2)] == [times, times]


def test_a_pull_further_on_than_what_is_kept_computes_for_itself(numbered, numbers):
    spool = Spool(numbered(10))
    assert numbers(spool.frames(Fraction(7, 10))) == [7, 8, 9]
