"""Nodes tell the editor what to draw, and make films to look at only where someone looks."""

from __future__ import annotations

from fractions import Fraction

import av
import folder_paths
import pytest
import torch
from kinograph.nodes.evaluation.nodes import KinoCompareVideos
from kinograph.nodes.lazy_video import LazyVideo
from kinograph.nodes.node_views import film, timeline
from kinograph.nodes.vae.nodes import KinoLatentPreview
from kinograph.nodes.video.nodes_edit import KinoCropVideo
from kinograph.nodes.video.spans import Span, Spans
from kinograph.nodes.video.tensor_source import TensorSource
from server import PromptServer


@pytest.fixture
def temp(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_paths, "temp_directory", str(tmp_path / "temp"))
    return tmp_path / "temp"


@pytest.fixture
def editor(monkeypatch):
    """A prompt that came from a client that listens."""
    monkeypatch.setattr(PromptServer.instance, "client_id", "editor")


def video(width: int = 64, height: int = 48, frames: int = 6) -> LazyVideo:
    return LazyVideo(TensorSource(torch.rand(frames, height, width, 3), Fraction(12)))


def kinds(result) -> list[str]:
    return [view["kind"] for view in result.ui["kino_view"]]


def test_an_edit_tells_its_size_as_a_report():
    [shown] = KinoCropVideo.execute(video(), 0, 0, 32, 32).ui["kino_view"]
    assert shown["kind"] == "report"
    assert "32" in shown["text"]


def test_spans_are_told_in_seconds():
    spans = Spans(
        (Span(Fraction(1, 2), Fraction(2), "second"), Span(Fraction(0), Fraction(1, 2))), Fraction(2)
    )
    shown = timeline(spans)
    assert shown["duration"] == 2.0
    assert shown["spans"] == [
        {"start": 0.0, "end": 0.5, "label": ""},
        {"start": 0.5, "end": 2.0, "label": "second"},
    ]


def test_compared_videos_can_be_looked_at_side_by_side(temp, editor):
    result = KinoCompareVideos.execute(video(), video(), 4, 512)
    assert kinds(result) == ["compare", "report"]
    shown = result.ui["kino_view"][0]
    assert (shown["before_name"], shown["after_name"], shown["frames"]) == ("reference", "video", 4)
    for name in ("before", "after"):
        assert shown[name]["type"] == "temp"
        with av.open(str(temp / shown[name]["filename"])) as container:
            assert container.streams.video[0].codec_context.name == "h264"
            assert sum(1 for _ in container.decode(video=0)) == 4


def test_a_batch_writes_no_films_to_look_at(temp):
    assert kinds(KinoCompareVideos.execute(video(), video(), 4, 512)) == ["report"]
    latent = {"samples": torch.zeros(1, 16, 2, 4, 4)}
    assert KinoLatentPreview.execute(latent, "auto", 32, 16.0).ui is None
    assert not temp.exists()


def test_a_large_film_is_shown_small(temp):
    shown = film(TensorSource(torch.rand(2, 100, 2001, 3), Fraction(2)))
    with av.open(str(temp / shown["file"]["filename"])) as container:
        stream = container.streams.video[0]
        assert max(stream.width, stream.height) <= 960
    assert (shown["width"], shown["height"]) == (2001, 100)
