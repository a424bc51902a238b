"""The looking nodes, through the classes that ComfyUI calls."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from kinograph.nodes.lazy_video import LazyVideo
from kinograph.nodes.methods import MethodError
from kinograph.nodes.video import nodes_inspect
from kinograph.nodes.video.nodes_inspect import (
    KinoContactSheet,
    KinoFramesFromVideo,
    KinoSceneCuts,
    KinoVideoInfo,
)
from kinograph.nodes.video.recipe import VideoError
from kinograph.nodes.video.source import FileSource
from kinograph.nodes.video.spans import Span, SpanError, Spans
from kinograph.nodes.video.tensor_source import TensorSource

EVERYTHING = {"start": 0.0, "unit": "seconds", "count": 0, "stride": 1, "memory_limit": 100}


@pytest.fixture
def video(clip) -> LazyVideo:
    return LazyVideo(FileSource.of(clip))


def _levels(images: torch.Tensor) -> list[int]:
    """Which frames of the clip these are: frame i is grey 8·i."""
    return [round(float(image.mean()) * 255 / 8) for image in images]


@pytest.mark.parametrize(
    ("choice", "frames", "fps", "seconds"),
    [
        ({}, range(30), 10, 3.0),
        ({"start": 1.0, "count": 5}, range(10, 15), 10, 0.5),
        ({"start": 7, "unit": "frames", "count": 4, "stride": 3}, range(7, 19, 3), 10 / 3, 1.2),
        ({"start": 2.8, "count": 9}, range(28, 30), 10, 0.2),
        ({"stride": 7}, range(0, 30, 7), 10 / 7, 3.0),
    ],
)
def test_the_chosen_frames_come_with_their_sound(video, choice, frames, fps, seconds):
    images, mask, audio, rate, count = KinoFramesFromVideo.execute(video, **EVERYTHING | choice).args
    assert _levels(images) == list(frames)
    assert images.shape == (len(frames), 48, 64, 3)
    assert images.dtype == torch.float32
    assert (mask.shape, float(mask.max())) == ((len(frames), 48, 64), 0)
    assert rate == pytest.approx(fps)
    assert count == len(frames)
    assert audio["waveform"].shape == (1, 2, round(seconds * 8000))


def test_alpha_becomes_a_mask_that_is_one_where_nothing_is_seen():
    pictures = torch.rand(3, 4, 6, 4)
    video = LazyVideo(TensorSource.of(pictures, Fraction(5)))
    images, mask, audio, _, _ = KinoFramesFromVideo.execute(video, **EVERYTHING).args
    assert torch.allclose(images, pictures[..., :3], atol=0.5 / 255)
    assert torch.allclose(mask, 1 - pictures[..., 3], atol=0.5 / 255)
    assert audio is None


def test_a_batch_beyond_the_memory_limit_is_refused_with_its_size(painted):
    video = LazyVideo(painted(((0, 0, 0),) * 500, width=640, height=360))
    with pytest.raises(VideoError, match=r"500 images of 640 x 360 take 1,382 MB of at most 1,000"):
        KinoFramesFromVideo.execute(video, **EVERYTHING | {"memory_limit": 1000})


def test_a_start_beyond_the_end_is_an_error(video):
    with pytest.raises(VideoError, match="inside the video"):
        KinoFramesFromVideo.execute(video, **EVERYTHING | {"start": 3.5})


def test_a_sheet_is_one_image_and_spans_give_one_each(video):
    grid = {"columns": 3, "rows": 2, "tile_width": 96, "title": ""}
    (whole,) = KinoContactSheet.execute(video, **grid).args
    spans = Spans(tuple(Span(Fraction(n), Fraction(n + 1), f"part {n}") for n in range(3)), Fraction(3))
    (parts,) = KinoContactSheet.execute(video, **grid, spans=spans).args
    assert whole.shape[0] == 1
    assert parts.shape == (3, *whole.shape[1:])
    assert parts[0].mean() < parts[1].mean() < parts[2].mean()


def test_letters_that_the_font_lacks_are_told(video, monkeypatch):
    texts = []
    monkeypatch.setattr(nodes_inspect, "show_text", lambda text, node_id: texts.append(text))
    KinoContactSheet.execute(video, 1, 1, 96, "Été 日")
    assert texts[-1].splitlines()[1:] == ["the font lacks É é 日: drawn as E e ?"]


def test_sheets_beyond_the_memory_limit_and_empty_spans_are_refused(video):
    with pytest.raises(VideoError, match="choose smaller tiles"):
        KinoContactSheet.execute(video, 20, 20, 1024, "")
    with pytest.raises(SpanError, match="no span to draw"):
        KinoContactSheet.execute(video, 2, 2, 64, "", Spans((), Fraction(3)))


def test_spans_of_another_video_are_refused(video):
    spans = Spans((Span(Fraction(4), Fraction(9), "late"),), Fraction(9))
    with pytest.raises(SpanError, match="wire the video that the spans were found in"):
        KinoContactSheet.execute(video, 3, 2, 96, "", spans)


def test_info_tells_text_and_numbers(video):
    result = KinoVideoInfo.execute(video)
    text, *numbers = result.args
    assert numbers == [64, 48, 10.0, 30, 3.0, True]
    assert "clip.mp4" in text
    assert "h264 and aac" in text
    assert "8000 Hz, 2 channels" in text
    assert result.ui == {"text": (text,)}


def test_info_decodes_nothing(painted):
    class Sealed(painted):
        def frames(self, start=Fraction(0)):
            raise AssertionError("decoded")

    assert KinoVideoInfo.execute(LazyVideo(Sealed(((0, 0, 0),) * 7))).args[4] == 7


@pytest.mark.parametrize("method", ["adaptive", "content"])
def test_scene_cuts_of_a_real_clip(bikes, method):
    video = LazyVideo(FileSource.of(bikes))
    scenes, report, count = KinoSceneCuts.execute(video, 0.6, {"method": method}).args
    assert count == len(scenes) == 6
    assert [int(scene.start * 25) for scene in scenes] == [0, 30, 76, 137, 187, 242]
    assert "0:07.480 – 0:09.680" in report


def test_dropped_cuts_are_named_in_the_report(bikes):
    video = LazyVideo(FileSource.of(bikes))
    _, report, count = KinoSceneCuts.execute(video, 2.0, {"method": "content", "threshold": None}).args
    assert count == 5
    assert "dropped for scenes shorter than 2 s: cuts at 0:01.200" in report


@pytest.mark.parametrize(
    "method",
    [{"method": "guess"}, {"method": "content", "threshold": 300.0}, {"method": "content", "window": 3}],
)
def test_a_bad_method_is_an_error_that_names_it(video, method):
    with pytest.raises(MethodError, match="KinoSceneCuts"):
        KinoSceneCuts.execute(video, 0.6, method)


def test_the_first_method_offered_is_the_default():
    method = KinoSceneCuts.GET_SCHEMA().inputs[-1]
    assert method.id == "method"
    assert method.options[0].key == "adaptive"
    assert [widget.id for widget in method.options[0].inputs] == [
        "adaptive_threshold",
        "min_content_value",
        "window",
    ]


def test_a_cancel_stops_the_search(bikes, monkeypatch):
    import comfy.model_management

    class Interrupted(Exception):
        pass

    calls = []

    def interrupt():
        calls.append(1)
        if len(calls) == 5:
            raise Interrupted

    monkeypatch.setattr(comfy.model_management, "throw_exception_if_processing_interrupted", interrupt)
    with pytest.raises(Interrupted):
        KinoSceneCuts.execute(LazyVideo(FileSource.of(bikes)), 0.6, {"method": "content"})
    assert len(calls) == 5


def test_sheets_are_in_range_and_not_empty(video):
    (sheet,) = KinoContactSheet.execute(video, 2, 2, 64, "x").args
    assert 0 <= float(sheet.min()) < float(sheet.max()) <= 1
    assert np.isfinite(sheet.numpy()).all()
