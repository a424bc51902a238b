"""Writing: every codec reads back exactly, adaptations are reported, and nothing half-written stays."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from kinograph.nodes.video.codecs import CONTAINERS, VIDEO_CODECS
from kinograph.nodes.video.encode import encode
from kinograph.nodes.video.recipe import AudioSpec, VideoError
from kinograph.nodes.video.settings import EncodeSettings
from kinograph.nodes.video.source import FileSource
from kinograph.nodes.video.tensor_source import TensorSource

FAST = {"h264": "ultrafast", "hevc": "ultrafast", "av1": "ultrafast", "vp9": "ultrafast"}
PAIRS = [(container, codec) for container, facts in CONTAINERS.items() for codec in facts.video]
READABLE = [pair for pair in PAIRS if pair[0] != "webp"]
STEREO = AudioSpec(44100, 2)


def _settings(container: str, codec: str, **others) -> EncodeSettings:
    return EncodeSettings(container, codec, preset=FAST.get(codec), **others)


@pytest.mark.parametrize(("container", "codec"), READABLE)
def test_every_codec_in_every_container_reads_back(tmp_path, numbered, numbers, container, codec):
    recipe = numbered(12, fps=Fraction(25), sound=STEREO)
    report = encode(recipe, tmp_path / f"made.{container}", _settings(container, codec))
    source = FileSource.of(report.path)
    assert numbers(source.frames()) == list(range(12))
    assert [time for _, time in source.frames()] == [Fraction(n, 25) for n in range(12)]
    assert (source.spec.fps, source.spec.duration) == (25, Fraction(12, 25))
    assert (report.frames, report.bytes) == (12, report.path.stat().st_size)
    assert (source.spec.audio is None) == (container == "gif")
    assert os.listdir(tmp_path) == [f"made.{container}"]


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60), Fraction(7, 3)])
@pytest.mark.parametrize("container", ["mp4", "mkv", "webm"])
def test_rates_are_exact(tmp_path, numbered, container, fps):
    report = encode(numbered(15, fps=fps), tmp_path / f"made.{container}", EncodeSettings(container))
    spec = FileSource.of(report.path).spec
    assert (spec.fps, spec.frame_count, spec.variable_rate) == (fps, 15, False)


@pytest.mark.parametrize(("container", "clock"), [("mp4", 90_000), ("mkv", 1000), ("webm", 1000)])
def test_variable_times_are_kept_to_the_containers_clock(tmp_path, numbered, container, clock):
    times = tuple(Fraction(n, 70) for n in (0, 3, 4, 20, 21))
    recipe = numbered(5, fps=Fraction(5), times=times)
    report = encode(recipe, tmp_path / f"made.{container}", EncodeSettings(container))
    source = FileSource.of(report.path)
    assert [float(time) for _, time in source.frames()] == pytest.approx(
        list(map(float, times)), abs=1 / clock
    )
    assert source.spec.variable_rate
    assert float(source.spec.duration) == pytest.approx(1, abs=1 / clock)


@pytest.mark.parametrize("container", ["mp4", "mov"])
def test_the_end_is_kept_behind_reordered_variable_times(tmp_path, numbered, container):
    times = tuple(Fraction(n, 30) for n in (0, 2, 5, 6, 8, 9, 11, 12, 14))
    recipe = numbered(9, fps=Fraction(18), times=times)
    report = encode(recipe, tmp_path / f"made.{container}", EncodeSettings(container, "h264"))
    assert FileSource.of(report.path).spec.duration == Fraction(1, 2)


def test_variable_times_may_be_made_constant(tmp_path, numbered):
    recipe = numbered(5, fps=Fraction(5), times=tuple(Fraction(n, 10) for n in (0, 1, 2, 6, 7)))
    report = encode(recipe, tmp_path / "made.mp4", EncodeSettings(constant_rate=True))
    assert not FileSource.of(report.path).spec.variable_rate
    assert report.notes == ("the variable rate is now 5.000 frames per second",)


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv", "webm"])
@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_sound_stays_in_step_to_the_end(tmp_path, container, rate, whole_sound):
    """A click every half second, and the frame that shows it."""
    images = torch.zeros(50, 16, 16, 3)
    wave = torch.zeros(1, rate * 2)
    for beat in range(4):
        images[beat * 25 // 2] = 1
        wave[:, beat * rate // 2 : beat * rate // 2 + 40] = 0.9
    recipe = TensorSource(images, Fraction(25), wave, rate)
    source = FileSource.of(encode(recipe, tmp_path / f"made.{container}", EncodeSettings(container)).path)
    heard = whole_sound(source)[0]
    sample_rate = source.spec.audio.sample_rate
    assert len(heard) == 2 * sample_rate
    for beat in range(4):
        near = heard[max(0, round((beat / 2 - 0.1) * sample_rate)) :][: round(0.2 * sample_rate)]
        loudest = np.abs(near).argmax() / sample_rate + max(0, beat / 2 - 0.1)
        assert loudest == pytest.approx(beat / 2, abs=0.012)


def test_sound_is_resampled_where_the_codec_needs_it_and_reported(tmp_path, numbered):
    recipe = numbered(10, sound=STEREO)
    report = encode(recipe, tmp_path / "made.webm", _settings("webm", "vp9"))
    assert report.notes == ("the sound is resampled to 48000 Hz for libopus",)


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_odd_sizes_are_padded_by_one_pixel_and_reported(tmp_path, numbered, numbers, codec):
    recipe = numbered(5, width=65, height=67)
    report = encode(recipe, tmp_path / "made.mp4", _settings("mp4", codec))
    source = FileSource.of(report.path)
    assert (source.spec.width, source.spec.height) == (66, 68)
    assert report.notes == (f"padded to 66x68: {codec} needs even sides",)
    edge = list(source.frames())[4].image.to_ndarray(format="gray")
    assert abs(int(edge[-1, -1]) - int(edge[30, 30])) < 4


@pytest.mark.parametrize(
    ("container", "codec"), [("webm", "vp9"), ("mov", "prores"), ("mkv", "ffv1"), ("gif", "gif")]
)
def test_alpha_is_kept_where_the_codec_can(tmp_path, container, codec):
    images = torch.rand(3, 16, 16, 4)
    images[..., 3] = (torch.arange(16) > 7).float()
    report = encode(
        TensorSource(images, Fraction(10)), tmp_path / f"a.{container}", _settings(container, codec)
    )
    image = next(FileSource.of(report.path).frames()).image
    alpha = image.to_ndarray(format="rgba")[..., 3]
    assert alpha[:, :6].max() < 10
    assert alpha[:, 10:].min() > 245
    assert not any("transparency" in note for note in report.notes)


def test_alpha_is_reported_where_it_is_lost(tmp_path):
    report = encode(TensorSource(torch.rand(2, 16, 16, 4), Fraction(10)), tmp_path / "a.mp4")
    assert report.notes == ("the transparency is dropped: h264 in mp4 as yuv420p has none",)


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_ten_bits_stay_ten_bits(tmp_path, numbered, codec):
    recipe = numbered(3, pixel_format="yuv420p10le")
    report = encode(recipe, tmp_path / "deep.mp4", _settings("mp4", codec))
    assert FileSource.of(report.path).facts.bit_depth == 10
    assert report.notes == ()
    flat = encode(recipe, tmp_path / "flat.mp4", _settings("mp4", codec, bit_depth=8))
    assert FileSource.of(flat.path).facts.bit_depth == 8


def test_lost_depth_is_reported(tmp_path, numbered):
    recipe = numbered(3, pixel_format="yuv420p10le")
    report = encode(recipe, tmp_path / "made.gif", EncodeSettings("gif"))
    assert report.notes == ("10 bits per colour become 8: gif is written as rgb24",)


def test_a_given_pixel_format_is_used(tmp_path, numbered):
    settings = EncodeSettings(pixel_format="yuv444p")
    assert (
        FileSource.of(encode(numbered(2), tmp_path / "a.mp4", settings).path).spec.pixel_format == "yuv444p"
    )
    with pytest.raises(VideoError, match="no pixel format of h264 'rgb24'; choose one of yuv420p"):
        encode(numbered(2), tmp_path / "b.mp4", EncodeSettings(pixel_format="rgb24"))


def test_colour_tags_reach_the_file(tmp_path, numbered):
    class Tagged(numbered):
        def frames(self, start=Fraction(0)):
            for frame in super().frames(start):
                frame.image.colorspace, frame.image.color_range = 9, 1
                frame.image.color_primaries, frame.image.color_trc = 9, 16
                yield frame

    image = next(FileSource.of(encode(Tagged(2), tmp_path / "hdr.mp4").path).frames()).image
    tags = (image.colorspace, image.color_range, image.color_primaries, image.color_trc)
    assert tags == (9, 1, 9, 16)


@pytest.mark.parametrize("height", [480, 720])
def test_rgb_colours_come_back(tmp_path, height):
    images = torch.zeros(1, height, 64, 3)
    images[:] = torch.tensor([0.8, 0.3, 0.1])
    report = encode(TensorSource(images, Fraction(1)), tmp_path / "red.mp4", EncodeSettings(crf=0))
    image = next(FileSource.of(report.path).frames()).image
    from kinograph.nodes.video.pixels import Converter

    assert image.colorspace == (1 if height >= 720 else 6)
    pixel = Converter(pixel_format="rgb24")(image).to_ndarray()[8, 8]
    assert pixel.tolist() == pytest.approx([204, 76, 26], abs=4)


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv", "webm"])
def test_tags_are_embedded(tmp_path, numbered, container):
    tags = {"prompt": '{"1": {"inputs": {}}}', "workflow": "ä" * 5000}
    report = encode(numbered(2), tmp_path / f"a.{container}", EncodeSettings(container), metadata=tags)
    read = {key.lower(): value for key, value in FileSource.of(report.path).facts.tags.items()}
    assert {key: read[key] for key in tags} == tags


def test_tags_that_a_container_cannot_carry_are_reported(tmp_path, numbered):
    report = encode(numbered(2), tmp_path / "a.gif", EncodeSettings("gif"), metadata={"prompt": "{}"})
    assert report.notes == ("gif carries no tags: prompt not embedded",)


def test_a_webp_animation_has_its_frames_and_loops(tmp_path, numbered):
    from PIL import Image

    report = encode(numbered(6), tmp_path / "a.webp", EncodeSettings("webp"))
    with Image.open(report.path) as image:
        assert (image.n_frames, image.info["loop"], image.size) == (6, 0, (64, 48))


def test_a_gif_has_one_good_palette_for_changing_colours(tmp_path):
    images = torch.zeros(12, 32, 32, 3)
    images[:6, ..., 0] = torch.linspace(0, 1, 32)
    images[6:, ..., 2] = torch.linspace(0, 1, 32)
    report = encode(TensorSource(images, Fraction(10)), tmp_path / "a.gif", EncodeSettings("gif"))
    shown = torch.stack(
        [torch.from_numpy(i.to_ndarray(format="rgb24")) for i, _ in FileSource.of(report.path).frames()]
    )
    assert (shown / 255 - images).abs().mean() < 0.02


def test_a_gif_faster_than_viewers_show_is_slowed_and_reported(tmp_path, numbered):
    report = encode(numbered(12, fps=Fraction(60)), tmp_path / "a.gif", EncodeSettings("gif"))
    assert report.notes == ("60 frames per second become 50: gif's limit",)
    assert report.frames == 10


def test_an_existing_file_is_never_overwritten(tmp_path, numbered):
    path = tmp_path / "kept.mp4"
    path.write_text("mine")
    with pytest.raises(VideoError, match=r"kept\.mp4 exists and is not overwritten"):
        encode(numbered(2), path)
    assert path.read_text() == "mine"


def test_a_file_that_appears_meanwhile_is_kept(tmp_path, numbered):
    path = tmp_path / "raced.mp4"
    with pytest.raises(VideoError, match="appeared while it was being written"):
        encode(numbered(2), path, tick=lambda _: path.write_text("theirs"))
    assert path.read_text() == "theirs"
    assert os.listdir(tmp_path) == ["raced.mp4"]


class Cancelled(BaseException):
    """As hosts raise it."""


@pytest.mark.parametrize("container", ["mp4", "webm", "gif"])
def test_a_cancel_leaves_nothing_and_frees_everything(tmp_path, numbered, container, no_thread_stays):
    done = []

    def tick(count: int) -> None:
        done.append(count)
        if len(done) == 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        encode(numbered(500), tmp_path / f"a.{container}", EncodeSettings(container), tick=tick)
    assert os.listdir(tmp_path) == []


def test_a_damaged_source_leaves_nothing(tmp_path, numbered):
    class Torn(numbered):
        def frames(self, start=Fraction(0)):
            for index, frame in enumerate(super().frames(start)):
                if index == 4:
                    raise VideoError("the tape tore")
                yield frame

    with pytest.raises(VideoError, match="the tape tore"):
        encode(Torn(9), tmp_path / "a.mp4")
    assert os.listdir(tmp_path) == []


def test_progress_counts_every_frame(tmp_path, numbered):
    ticks = []
    encode(numbered(7), tmp_path / "a.mp4", tick=ticks.append)
    assert ticks == [1] * 7


FILL = """
import resource, signal, sys, torch
from fractions import Fraction
from kinograph.nodes.video.encode import encode
from kinograph.nodes.video.recipe import VideoError
from kinograph.nodes.video.settings import EncodeSettings
from kinograph.nodes.video.tensor_source import TensorSource
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
noise = TensorSource(torch.rand(30, 128, 128, 3), Fraction(10))
try:
    encode(noise, sys.argv[1], EncodeSettings(sys.argv[1].rsplit(".")[-1]))
except VideoError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits file sizes by POSIX means")
@pytest.mark.parametrize(("container", "limit"), [("mp4", 100_000), ("mkv", 100_000), ("webp", 1000)])
def test_a_full_disk_is_a_clear_error_and_leaves_nothing(tmp_path, container, limit):
    command = [sys.executable, "-c", FILL, str(tmp_path / f"a.{container}"), str(limit)]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.stdout.startswith(f"the disk is full: {tmp_path} took no more"), finished.stderr
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_not_there_is_named(tmp_path, numbered):
    with pytest.raises(VideoError, match=r"cannot write h264 .* No such file or directory"):
        encode(numbered(2), tmp_path / "gone" / "a.mp4")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"container": "ogg"}, "no container 'ogg'; choose one of mp4, mov"),
        ({"container": "webm", "codec": "h264"}, "no codec in webm 'h264'; choose one of vp9, av1"),
        ({"preset": "warp"}, "no h264 preset 'warp'; choose one of ultrafast"),
        ({"container": "webm", "audio_codec": "aac"}, "no audio codec in webm 'aac'; choose one of opus"),
        ({"crf": 52}, "h264 takes a crf of 0 to 51, got 52"),
        (
            {"container": "mkv", "codec": "ffv1", "preset": "fast"},
            "no ffv1 preset 'fast'; choose one of none",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings, message):
    with pytest.raises(VideoError, match=message):
        EncodeSettings(**settings)


def test_a_size_that_the_encoder_refuses_is_explained(tmp_path, numbered):
    with pytest.raises(VideoError, match=r"cannot write hevc \(libx265, yuv420p, 2x2\)"):
        encode(numbered(2, width=2, height=2), tmp_path / "a.mp4", _settings("mp4", "hevc"))
    assert os.listdir(tmp_path) == []


def test_every_codec_names_an_encoder_that_this_build_has():
    assert {
        codec for codec, facts in VIDEO_CODECS.items() if not set(facts.encoders) & av.codecs_available
    } == set()


def test_a_real_clip_goes_through(tmp_path: Path, real_clips: Path, numbers):
    from kinograph.nodes.video.constant_rate import ConstantRate
    from kinograph.nodes.video.resize import Resize
    from kinograph.nodes.video.trim import Trim

    trimmed = Trim(FileSource.of(real_clips / "bigbuckbunny.mp4"), Fraction(1), Fraction(2))
    recipe = ConstantRate(Resize(trimmed, 160, 90), Fraction(60))
    report = encode(recipe, tmp_path / "made.mp4", EncodeSettings(preset="ultrafast"))
    spec = FileSource.of(report.path).spec
    assert (spec.width, spec.height, spec.fps, spec.frame_count) == (160, 90, 60, 60)
    assert spec.audio == AudioSpec(48000, 6)
