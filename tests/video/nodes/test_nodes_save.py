"""Encode Video, through the class that ComfyUI calls: whole files, honest reports, nothing else."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor

import av
import comfy.cli_args
import comfy.model_management
import pytest
import torch
from comfy_api.latest import io
from kinograph.nodes.folders import PathRefused
from kinograph.nodes.lazy_video import LazyVideo
from kinograph.nodes.video.nodes_save import KinoEncodeVideo
from kinograph.nodes.video.recipe import VideoError
from kinograph.nodes.video.source import FileSource

DEFAULTS = {
    "filename_prefix": "clip",
    "container": "mp4",
    "codec": "auto",
    "crf": -1.0,
    "preset": "auto",
    "bit_depth": "auto",
    "pixel_format": "auto",
    "audio_codec": "auto",
    "audio_bitrate": 0,
    "constant_rate": False,
    "embed_workflow": True,
}
QUICK = DEFAULTS | {"preset": "ultrafast"}
PROMPT = {"1": {"class_type": "KinoEncodeVideo", "inputs": {"filename_prefix": "ä"}}}
WORKFLOW = {"nodes": [], "version": 0.4}


@pytest.fixture
def video(clip) -> LazyVideo:
    return LazyVideo(FileSource.of(clip))


@pytest.fixture
def node() -> type[KinoEncodeVideo]:
    """The class as the host prepares it, with the running graph."""
    hidden = {io.Hidden.prompt: PROMPT, io.Hidden.extra_pnginfo: {"workflow": WORKFLOW}}
    return KinoEncodeVideo.PREPARE_CLASS_CLONE({"hidden_inputs": hidden})


def test_the_file_has_picture_sound_and_graph(folders, video, node):
    saved, path, report = node.execute(video, **QUICK | {"filename_prefix": "video/clip"}).args
    assert path == "video/clip_00001_.mp4"
    assert os.listdir(folders / "output/video") == ["clip_00001_.mp4"]
    assert (saved.get_frame_count(), saved.get_dimensions()) == (30, (64, 48))
    assert report.startswith("video/clip_00001_.mp4: 30 frames, 0:03.000")
    with av.open(str(folders / "output" / path)) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
        assert json.loads(container.metadata["prompt"]) == PROMPT
        assert json.loads(container.metadata["workflow"]) == WORKFLOW


def test_the_editor_is_told_where_the_file_is(folders, video, node):
    shown = node.execute(video, **QUICK | {"filename_prefix": "a/b/clip"}).ui
    assert shown["images"] == [{"filename": "clip_00001_.mp4", "subfolder": "a/b", "type": "output"}]
    assert shown["animated"] == (True,)


def test_a_moving_webp_which_cannot_be_read_back_is_shown_all_the_same(folders, video, node):
    shown = node.execute(video, **QUICK | {"container": "webp", "preset": "auto"}).ui
    [player] = shown["kino_view"]
    assert player["file"]["filename"] == "clip_00001_.webp"
    assert (player["width"], player["height"], player["frames"]) == (64, 48, 30)


@pytest.mark.parametrize("switch", ["node", "host"])
def test_the_graph_stays_out_when_asked(folders, video, node, monkeypatch, switch):
    monkeypatch.setattr(comfy.cli_args.args, "disable_metadata", switch == "host")
    _, path, _ = node.execute(video, **QUICK | {"embed_workflow": switch != "node"}).args
    with av.open(str(folders / "output" / path)) as container:
        assert not {"prompt", "workflow"} & set(container.metadata)


@pytest.mark.parametrize(
    ("choice", "suffix", "codecs"),
    [
        ({"container": "mkv", "codec": "ffv1", "preset": "auto"}, ".mkv", ["ffv1", "flac"]),
        ({"container": "mov", "preset": "proxy"}, ".mov", ["prores", "pcm_s16le"]),
        ({"container": "webm"}, ".webm", ["libvpx-vp9", "opus"]),
        ({"audio_codec": "none", "crf": 30.0}, ".mp4", ["h264"]),
        ({"container": "gif", "preset": "auto"}, ".gif", ["gif"]),
        ({"codec": "hevc", "bit_depth": "10"}, ".mp4", ["hevc", "aac"]),
    ],
)
def test_containers_and_codecs(folders, video, choice, suffix, codecs):
    _, path, _ = KinoEncodeVideo.execute(video, **QUICK | choice).args
    assert path.endswith(suffix)
    with av.open(str(folders / "output" / path)) as container:
        names = [stream.codec_context.name.replace("libvpx-", "") for stream in container.streams]
        assert names == [codec.replace("libvpx-", "") for codec in codecs]


def test_what_was_adapted_is_reported(folders, painted):
    odd = LazyVideo(painted(((200, 30, 30),) * 5, width=65, height=37))
    audio = {"waveform": torch.zeros(1, 1, 8000), "sample_rate": 8000}
    _, _, report = KinoEncodeVideo.execute(odd, **QUICK, audio=audio).args
    assert "padded to 66x38" in report
    assert "the sound lasts 0:01.000, the picture 0:00.500: it is cut" in report


def test_another_sound_replaces_the_videos_own(folders, video):
    audio = {"waveform": torch.full((1, 1, 16000), 0.25), "sample_rate": 16000}
    _, path, report = KinoEncodeVideo.execute(
        video, **QUICK | {"container": "mkv", "audio_codec": "pcm"}, audio=audio
    ).args
    assert "followed by silence" in report
    source = FileSource.of(folders / "output" / path)
    sound = torch.cat([torch.from_numpy(piece) for piece in source.audio()], dim=1)
    assert sound.shape == (1, 48000)
    assert sound[0, :16000].mean() == pytest.approx(0.25, abs=1e-3)
    assert sound[0, 16000:].abs().max() == 0


def test_names_have_the_videos_facts(folders, video):
    prefix = "%width%x%height%_%fps%fps_%frames%"
    _, path, _ = KinoEncodeVideo.execute(video, **QUICK | {"filename_prefix": prefix}).args
    assert path == "64x48_10fps_30_00001_.mp4"


def test_eight_threads_write_eight_files(folders, painted):
    def save(level: int) -> tuple[str, int]:
        video = LazyVideo(painted(((level, level, level),) * 4))
        return KinoEncodeVideo.execute(video, **QUICK | {"crf": 0.0}).args[1], level

    with ThreadPoolExecutor(8) as pool:
        saved = list(pool.map(save, range(0, 240, 10)))
    assert len({name for name, _ in saved}) == 24
    assert sorted(os.listdir(folders / "output")) == sorted(name for name, _ in saved)
    for name, level in saved:
        frame = next(FileSource.of(folders / "output" / name).frames())
        assert abs(float(frame.image.to_ndarray(format="rgb24").mean()) - level) < 4


class Interrupted(Exception):
    pass


def test_a_cancel_leaves_nothing(folders, bikes, monkeypatch):
    frames = []

    def interrupt():
        frames.append(sorted(os.listdir(folders / "output")))
        if len(frames) == 20:
            raise Interrupted

    monkeypatch.setattr(comfy.model_management, "throw_exception_if_processing_interrupted", interrupt)
    with pytest.raises(Interrupted):
        KinoEncodeVideo.execute(LazyVideo(FileSource.of(bikes)), **QUICK)
    assert all(name.startswith(".") for name in frames[-1])
    assert os.listdir(folders / "output") == []


def test_a_damaged_source_leaves_nothing(folders, clip):
    clip.write_bytes(clip.read_bytes()[:4000])
    with pytest.raises(VideoError, match=r"clip\.mp4"):
        KinoEncodeVideo.execute(LazyVideo(FileSource.of(clip)), **QUICK)
    assert os.listdir(folders / "output") == []


@pytest.mark.parametrize(
    ("choice", "complaint"),
    [
        ({"filename_prefix": "../clip"}, "leads outside the folder"),
        ({"filename_prefix": "/tmp/clip"}, "absolute path"),
        ({"filename_prefix": "clip?"}, "Windows"),
        ({"container": {"mp4": 1}}, "choose one of mp4"),
        ({"container": "gif", "codec": "h264"}, "choose one of gif"),
        ({"container": "webm", "audio_codec": "aac"}, "choose one of opus"),
        ({"crf": 60.0}, "crf of 0 to 51"),
        ({"preset": "proxy"}, "h264 preset"),
    ],
)
def test_settings_that_do_not_go_together_are_an_invalid_graph(video, folders, choice, complaint):
    given = QUICK | choice
    checked = ("filename_prefix", "container", "codec", "crf", "preset", "audio_codec")
    told = KinoEncodeVideo.validate_inputs(**{name: given[name] for name in checked})
    assert complaint in told
    with pytest.raises((VideoError, PathRefused)) as error:
        KinoEncodeVideo.execute(video, **given)
    assert str(error.value) == told
    assert os.listdir(folders / "output") == []


def test_good_settings_and_those_still_to_come_are_valid():
    checked = ("filename_prefix", "container", "codec", "crf", "preset", "audio_codec")
    given = {name: DEFAULTS[name] for name in checked}
    dated = given | {"filename_prefix": "%date:yyyy-MM-dd%/%width%"}
    assert KinoEncodeVideo.validate_inputs(**given) is True
    assert KinoEncodeVideo.validate_inputs(**dated) is True
    assert KinoEncodeVideo.validate_inputs(**given | {"crf": None}) is True
