"""The editing nodes, through the classes that ComfyUI calls: recipes grow, texts tell what was adapted."""

from __future__ import annotations

from fractions import Fraction

import pytest
from kinograph.nodes.lazy_video import LazyVideo
from kinograph.nodes.video import nodes_edit
from kinograph.nodes.video.nodes_edit import KinoCropVideo, KinoResizeVideo, KinoTrimVideo
from kinograph.nodes.video.nodes_timing import KinoConcatenateVideos, KinoRetimeVideo, frame_rate
from kinograph.nodes.video.recipe import VideoError
from kinograph.nodes.video.source import FileSource
from kinograph.nodes.video.spans import Span, SpanError, Spans

WHOLE = {"start": 0.0, "end": 0.0, "unit": "seconds", "span_index": 0}
AS_IT_IS = {"fps": 0.0, "frames": "nearest", "speed": 1.0, "reverse": False, "loop": 1}


@pytest.fixture
def video(clip) -> LazyVideo:
    return LazyVideo(FileSource.of(clip))


@pytest.fixture
def shown(monkeypatch) -> list[str]:
    """The texts that nodes show."""
    texts = []
    monkeypatch.setattr(nodes_edit, "show_text", lambda text, node_id: texts.append(text))
    return texts


def _levels(video: LazyVideo) -> list[int]:
    """Which frames of the clip these are: frame i is grey 8·i."""
    frames = video.recipe.frames()
    return [round(float(frame.image.to_ndarray(format="rgb24").mean()) / 8) for frame in frames]


@pytest.mark.parametrize(
    ("choice", "frames"),
    [
        ({}, range(30)),
        ({"start": 0.5, "end": 1.2}, range(5, 12)),
        ({"start": 5, "end": 12, "unit": "frames"}, range(5, 12)),
        ({"start": -0.3}, range(27, 30)),
        ({"end": -0.5}, range(25)),
        ({"start": -4, "end": -1, "unit": "frames"}, range(26, 29)),
    ],
)
def test_trim_keeps_the_stretch(video, choice, frames):
    (kept,) = KinoTrimVideo.execute(video, **WHOLE | choice).args
    assert _levels(kept) == list(frames)


def test_trim_keeps_one_span_and_counts_within_it(video):
    spans = Spans((Span(Fraction(0), Fraction(1)), Span(Fraction(1), Fraction(3))), Fraction(3))
    (second,) = KinoTrimVideo.execute(video, **WHOLE | {"span_index": 1}, spans=spans).args
    assert _levels(second) == list(range(10, 30))
    (last,) = KinoTrimVideo.execute(
        video, **WHOLE | {"span_index": -1, "start": 0.5, "end": 1.0}, spans=spans
    ).args
    assert _levels(last) == list(range(15, 20))
    with pytest.raises(SpanError, match="2 were found"):
        KinoTrimVideo.execute(video, **WHOLE | {"span_index": 2}, spans=spans)


def test_a_start_before_the_video_is_told(video, shown):
    (kept,) = KinoTrimVideo.execute(video, **WHOLE | {"start": -3.5}).args
    assert kept.recipe.spec.frame_count == 30
    assert shown[0].splitlines()[-1] == "the video lasts 0:03.000: the start asked for lies before it"


def test_an_end_beyond_the_video_is_told(video, shown):
    (kept,) = KinoTrimVideo.execute(video, **WHOLE | {"end": 9.0}).args
    assert kept.get_frame_count() == 30
    assert "the video ends at 0:03.000" in shown[0]


def test_nothing_left_is_an_error(video):
    with pytest.raises(VideoError, match="start before the end"):
        KinoTrimVideo.execute(video, **WHOLE | {"start": 2.0, "end": 1.0})


def test_crop_reaches_to_the_edges_where_no_size_is_given(video):
    (cropped,) = KinoCropVideo.execute(video, 4, 8, 0, 0).args
    assert cropped.get_dimensions() == (60, 40)
    with pytest.raises(VideoError, match="inside"):
        KinoCropVideo.execute(video, 4, 8, 64, 0)


def test_resize_fits_and_tells_what_rounding_did(video, shown):
    (small,) = KinoResizeVideo.execute(video, 33, 0, "fit", 16, "area").args
    assert small.get_dimensions() == (32, 32)
    assert "64 x 48" not in shown[0]
    assert "multiple of 16" in shown[0]


@pytest.mark.parametrize(
    ("choice", "fps", "frames", "seconds"),
    [
        ({}, 10, 30, 3),
        ({"fps": 20.0}, 20, 60, 3),
        ({"speed": 2.0}, 20, 30, 1.5),
        ({"speed": 2.0, "fps": 10.0}, 10, 15, 1.5),
        ({"loop": 3}, 10, 90, 9),
        ({"speed": 0.5, "loop": 2, "fps": 29.97}, Fraction(30000, 1001), 360, 12.012),
    ],
)
def test_retime_changes_rate_and_length(video, choice, fps, frames, seconds):
    (retimed,) = KinoRetimeVideo.execute(video, **AS_IT_IS | choice).args
    assert retimed.get_frame_rate() == fps
    assert retimed.get_frame_count() == frames
    assert retimed.get_duration() == pytest.approx(seconds)


def test_retime_reverses_after_speed_and_before_loop(video):
    (played,) = KinoRetimeVideo.execute(video, **AS_IT_IS | {"reverse": True, "loop": 2}).args
    assert _levels(played) == [*range(29, -1, -1)] * 2


@pytest.mark.parametrize(
    ("value", "rate"),
    [
        (23.976, Fraction(24000, 1001)),
        (23.98, Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (24.0, 24),
        (12.5, Fraction(25, 2)),
        (1.0, 1),
        (0.5, Fraction(1, 2)),
        (1000.0, 1000),
    ],
)
def test_rates_people_write_become_the_rates_they_mean(value, rate):
    assert frame_rate(value) == rate


def test_a_rate_of_a_few_frames_an_hour_is_not_taken_for_none():
    assert frame_rate(0.004) == Fraction(1, 250)


def test_concatenate_takes_what_is_wired_and_tells_what_it_adapted(video, painted, shown):
    other = LazyVideo(painted(((255, 0, 0),) * 40, fps=Fraction(20), width=32, height=32))
    (joined,) = KinoConcatenateVideos.execute(video, 0.0, 0, 0, 0.0, video_3=other, video_5=video).args
    assert joined.get_dimensions() == (64, 48)
    assert joined.get_frame_count() == 30 + 20 + 30
    assert "32x32 is padded to 64x48" in shown[0]
    assert "no sound" in shown[0]


def test_concatenate_fades_and_obeys_its_size_and_rate(video):
    (joined,) = KinoConcatenateVideos.execute(video, 1.0, 32, 24, 5.0, video_2=video).args
    assert joined.get_dimensions() == (32, 24)
    assert joined.get_frame_count() == 25
    assert len(list(joined.recipe.frames())) == 25
