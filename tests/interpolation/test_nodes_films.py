"""The nodes for films in the embedded host: rates, slow motion, reports, cancel and memory."""

from __future__ import annotations

import time
from fractions import Fraction

import comfy.model_management
import numpy as np
import pytest
import torch
from comfy.model_management import InterruptProcessingException
from kinograph.nodes.interpolation.nodes_films import KinoInterpolateVideo, KinoSlowMotion
from kinograph.nodes.interpolation.nodes_frames import KinoInterpolationReport
from kinograph.nodes.interpolation.rife import Rife
from kinograph.nodes.interpolation.rife_config import RifeConfig
from kinograph.nodes.lazy_video import LazyVideo
from kinograph.nodes.runtime import managed
from kinograph.nodes.video.encode import encode
from kinograph.nodes.video.nodes_timing import KinoRetimeVideo
from kinograph.nodes.video.recipe import AudioSpec, VideoError
from kinograph.nodes.video.source import FileSource
from kinograph.nodes.video.spans import Span, Spans

FILM = {"cut_threshold": 10.0, "longest_hold": 0.18, "scale": "auto", "memory_limit": 0}


@pytest.fixture
def film(pictured, ball_picture) -> LazyVideo:
    """Ten frames, a cut after six, a tone of 440 Hz."""
    pictures = tuple(ball_picture(5 + 3 * step, scene=int(step >= 6)) for step in range(10))
    return LazyVideo(pictured(pictures, Fraction(24000, 1001), sound=AudioSpec(8000, 1)))


def faster(model, video, fps=0.0, factor=2.0, **settings) -> LazyVideo:
    return KinoInterpolateVideo.execute(model, video, fps, factor, **{**FILM, **settings}).args[0]


def slower(model, video, times, fps=0.0, start=0.0, end=0.0, **settings) -> LazyVideo:
    return KinoSlowMotion.execute(model, video, times, fps, start, end, **{**FILM, **settings}).args[0]


def reported(video) -> tuple[str, Spans]:
    same, report, scenes = KinoInterpolationReport.execute(video).args
    assert same is video
    return report, scenes


@pytest.mark.parametrize(
    ("asked", "fps", "count"),
    [
        ({}, Fraction(48000, 1001), 20),
        ({"factor": 2.5}, Fraction(60000, 1001), 25),
        ({"fps": 59.94}, Fraction(60000, 1001), 25),
        ({"fps": 60.0}, Fraction(60), 25),
        ({"fps": 23.976}, Fraction(24000, 1001), 10),
        ({"factor": 0.5}, Fraction(12000, 1001), 5),
    ],
)
def test_the_rate_is_the_exact_one_meant(interp_model, film, asked, fps, count):
    spec = faster(interp_model, film, **asked).recipe.spec
    assert (spec.fps, spec.frame_count) == (fps, count)


def test_nothing_is_made_before_someone_looks(mixer, film):
    video = faster(managed(network := mixer()), film)
    slower(managed(network), film, 4.0)
    assert not network.calls and not network.featured
    next(iter(video.recipe.frames()))


def test_a_written_film_tells_its_cuts(interp_model, film, tmp_path):
    video = faster(interp_model, film, fps=60.0)
    report = encode(video.recipe, tmp_path / "film.mp4")
    assert "1 cut not interpolated across, at 0:00.250" in report.notes
    written = FileSource.of(tmp_path / "film.mp4").spec
    assert (written.frame_count, written.fps) == (25, 60)


def test_scenes_from_another_node_are_obeyed(interp_model, film):
    duration = film.recipe.spec.duration
    third = 3 / film.recipe.spec.fps
    scenes = Spans((Span(Fraction(0), third), Span(third, duration)), duration)
    assert reported(faster(interp_model, film, scenes=scenes))[1].items[1].start == third


@pytest.mark.parametrize(("times", "fps", "rate", "count"), [(4.0, 0.0, None, 40), (2.5, 30.0, 30, 31)])
def test_slow_motion_lasts_as_many_times_as_long(interp_model, film, times, fps, rate, count):
    given, slow = film.recipe.spec, slower(interp_model, film, times, fps).recipe
    spec = slow.spec
    assert spec.fps == (rate or given.fps)
    assert spec.frame_count == count == len(list(slow.frames()))
    assert abs(spec.duration - given.duration * Fraction(times)) <= 1 / (2 * spec.fps)
    assert [time for _, time in slow.frames()] == [index / spec.fps for index in range(count)]


def test_slow_motion_keeps_the_pitch(pictured, interp_model):
    black = (np.zeros((4, 4, 3), np.uint8),) * 20
    slow = slower(interp_model, LazyVideo(pictured(black, sound=AudioSpec(8000, 1))), 2.0).recipe
    wave = np.concatenate(list(slow.audio()), axis=1)[0]
    assert len(wave) == 4 * 8000
    middle = wave[len(wave) // 4 : len(wave) // 2]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() * 8000 / len(middle) == pytest.approx(440, abs=8)


def test_slow_motion_moves_between_the_frames(pictured, interp_model):
    levels = tuple(np.full((8, 8, 3), 40 * step, np.uint8) for step in range(4))
    slow = slower(interp_model, LazyVideo(pictured(levels)), 4.0, cut_threshold=0.0).recipe
    assert [int(image.to_ndarray()[0, 0, 0]) for image, _ in slow.frames()] == [
        *range(0, 120, 10),
        *[120] * 4,
    ]


TWO_FRAMES = Spans((Span(Fraction(2, 10), Fraction(4, 10)),), Fraction(8, 10))


@pytest.mark.parametrize(
    "stretch", [{"spans": TWO_FRAMES}, {"start": 0.2, "end": 0.4}, {"spans": TWO_FRAMES, "end": 0.7}]
)
def test_slow_motion_of_a_stretch_leaves_the_rest_alone(pictured, interp_model, stretch):
    levels = tuple(np.full((8, 8, 3), 20 * step, np.uint8) for step in range(8))
    slow = slower(interp_model, LazyVideo(pictured(levels)), 4.0, cut_threshold=0.0, **stretch).recipe
    shown = [int(image.to_ndarray()[0, 0, 0]) for image, _ in slow.frames()]
    assert shown == [0, 20, *range(40, 80, 5), 80, 100, 120, 140]
    assert [time for _, time in slow.frames()] == [Fraction(index, 10) for index in range(14)]
    again = [int(image.to_ndarray()[0, 0, 0]) for image, _ in slow.source.frames(Fraction(5, 10))]
    assert again == shown[5:]


@pytest.mark.parametrize(
    "stretch", [{"start": 0.4, "end": 0.2}, {"start": 5.0}, {"spans": TWO_FRAMES, "start": 0.4}]
)
def test_slow_motion_of_nothing_is_refused(pictured, interp_model, stretch):
    film = LazyVideo(pictured((np.zeros((8, 8, 3), np.uint8),) * 8))
    with pytest.raises(VideoError, match=r"no frame of this video of 0\.8 s would be slow; choose a start"):
        slower(interp_model, film, 4.0, **stretch)


def test_scenes_of_a_slow_film_are_in_its_own_time(interp_model, film):
    cut = 6 / film.recipe.spec.fps
    assert reported(slower(interp_model, film, 3.0))[1].items[1].start == 3 * cut


def test_a_report_makes_the_film_that_is_written_after_it(mixer, film, tmp_path):
    video = slower(managed(network := mixer()), film, 3.0)
    report, scenes = reported(video)
    asked = len(network.times)
    encode(video.recipe, tmp_path / "film.mp4")
    assert len(network.times) == asked == 16
    assert "30 frames: 16 made by the network, 14 as they were." in report
    assert "Pairs with cut: 1." in report and "Seconds in the network: " in report
    assert [span.start for span in scenes] == [0, 18 / film.recipe.spec.fps]


def test_a_report_reads_what_the_last_pull_did(mixer, film):
    edited = faster(managed(network := mixer()), film)
    [retimed] = KinoRetimeVideo.execute(edited, 0.0, "nearest", 2.0, False, 1).args
    list(retimed.recipe.frames())
    asked = len(network.times)
    assert "8 made by the network" in reported(retimed)[0]
    assert len(network.times) == asked


def test_a_report_needs_an_interpolated_video(film):
    with pytest.raises(VideoError, match="no frame of this video was interpolated here; wire one from"):
        KinoInterpolationReport.execute(film)


def test_scale_reaches_networks_that_know_it(mixer, film):
    class Scaled(mixer):
        def forward(self, image0, image1, timestep, cache, scale=1.0):
            self.scales = {*getattr(self, "scales", ()), scale}
            return super().forward(image0, image1, timestep, cache)

    network = Scaled()
    assert (
        "motion is looked for at 0.5 of the frame's size"
        in reported(faster(managed(network), film, scale="0.5"))[0]
    )
    assert network.scales == {0.5}
    told = reported(faster(managed(mixer()), film, scale="0.5"))[0]
    assert "Mixer looks for motion at the frame's own size only: scale has no effect" in told


@pytest.mark.parametrize("scale", ["auto", "0.5", "2"])
def test_rife_takes_films_of_any_size_at_any_scale(pictured, ball_picture, scale):
    torch.manual_seed(0)
    network = Rife(RifeConfig(widths=(8, 8, 8, 8), features=4, head=4, head_layers=2)).eval()
    pictures = tuple(ball_picture(5 + 3 * step, width=101, height=75) for step in range(3))
    video = faster(managed(network.to(torch.bfloat16)), LazyVideo(pictured(pictures)), scale=scale)
    shown = [image.to_ndarray() for image, _ in video.recipe.frames()]
    assert [array.shape for array in shown] == [(75, 101, 3)] * 6
    assert not np.array_equal(shown[1], shown[0])
    assert "Rife in bfloat16 on cpu, 16 frames at a time" in video.recipe.notes


class Deep(torch.nn.Module):
    """A network of many layers, each of which takes a while."""

    pad_align = 1

    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(*(Slow() for _ in range(1000)))
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def extract_features(self, image):
        return None

    def memory_used_forward(self, shape, dtype):
        return 0

    def forward(self, image0, image1, timestep, cache):
        return self.layers(image0)


class Slow(torch.nn.Module):
    def forward(self, x):
        time.sleep(0.01)
        return x


def test_a_cancel_is_noticed_within_a_second(film, tmp_path):
    import threading

    video = faster(managed(Deep()), film)
    threading.Timer(0.3, comfy.model_management.interrupt_current_processing).start()
    begun = time.perf_counter()
    with pytest.raises(InterruptProcessingException):
        encode(video.recipe, tmp_path / "film.mp4")
    assert time.perf_counter() - begun < 1.3
    assert list(tmp_path.iterdir()) == []


def test_a_cancelled_film_can_be_made_again(mixer, film):
    video = faster(managed(mixer()), film)
    comfy.model_management.interrupt_current_processing()
    with pytest.raises(InterruptProcessingException):
        list(video.recipe.frames())
    assert len(list(video.recipe.frames())) == 20


def test_tiles_give_the_film_that_whole_frames_give(mixer, pictured, ball_picture):
    pictures = tuple(ball_picture(100 * step, width=700, height=400) for step in range(3))
    video = LazyVideo(pictured(pictures))
    whole = faster(managed(mixer()), video)
    tiled = faster(managed(network := mixer(32, bytes_per_pixel=250)), video, memory_limit=60)
    for one, other in zip(whole.recipe.frames(), tiled.recipe.frames(), strict=True):
        np.testing.assert_allclose(one.image.to_ndarray(), other.image.to_ndarray(), atol=1)
    assert len(network.calls) > 3 and all(height < 400 for _, height, _ in network.calls)
    assert any("tiles of" in note for note in tiled.recipe.notes)
