"""Reading files: what is known without decoding, and frames and sound at their exact times."""

from __future__ import annotations

import os
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from kinograph.nodes.video.recipe import VideoError
from kinograph.nodes.video.source import BytesSource, FileSource

FORMATS = {
    "h264.mp4": {"options": {"g": "6"}},
    "h264.mkv": {"rate": 30, "options": {"g": "6"}},
    "h264.avi": {"options": {"g": "6"}},
    "h264.ts": {"muxer": "mpegts", "options": {"g": "6"}},
    "raw.h264": {"muxer": "h264"},
    "fragmented.mp4": {"muxer_options": {"movflags": "frag_keyframe+empty_moov"}, "options": {"g": "6"}},
    "mpeg4.avi": {"codec": "mpeg4", "options": {"g": "6"}},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"crf": "10", "b": "0"}},
    "ffv1.mkv": {"codec": "ffv1", "pixel_format": "yuv420p10le", "rate": 24},
    "prores.mov": {"codec": "prores_ks", "pixel_format": "yuv422p10le"},
    "picture.gif": {"codec": "gif", "pixel_format": "gray"},
    "picture.apng": {"codec": "apng", "pixel_format": "rgba"},
}


@pytest.fixture(scope="module")
def formats(tmp_path_factory: pytest.TempPathFactory, make_clip) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("formats")
    return {name: make_clip(folder / name, **facts) for name, facts in FORMATS.items()}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_all_frames_in_order_at_exact_times(name, formats, numbers):
    source = FileSource.of(formats[name])
    frames = list(source.frames())
    rate = FORMATS[name].get("rate", 25)
    assert numbers(frames) == list(range(20))
    assert [time for _, time in frames] == [Fraction(index, rate) for index in range(20)]
    assert (source.spec.fps, source.spec.frame_count, source.spec.duration) == (rate, 20, Fraction(20, rate))
    assert {(i.width, i.height, i.format.name) for i, _ in frames} == {(64, 48, source.spec.pixel_format)}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("number", [0, 3, 6, 11, 19])
def test_a_pull_may_start_at_any_frame(name, number, formats, numbers):
    source = FileSource.of(formats[name])
    within = number / source.spec.fps + Fraction(1, 500)
    assert numbers(source.frames(within)) == list(range(number, 20))


def test_sound_may_start_anywhere_in_a_stream_without_index(tmp_path, whole_sound):
    path = tmp_path / "clip.mpg"
    with av.open(str(path), "w", format="mpeg") as container:
        picture, sound = container.add_stream("mpeg2video", rate=25), container.add_stream("mp2", rate=48000)
        picture.width, picture.height = 64, 48
        for number in range(50):
            frame = av.VideoFrame(64, 48, "yuv420p")
            frame.pts = number
            container.mux(picture.encode(frame))
            wave = np.sin(np.arange(number * 1920, (number + 1) * 1920) / 20).astype(np.float32)
            heard = av.AudioFrame.from_ndarray((wave * 20000).astype(np.int16)[None], "s16", "mono")
            heard.sample_rate, heard.pts = 48000, number * 1920
            container.mux(sound.encode(heard))
        container.mux([*picture.encode(None), *sound.encode(None)])
    source = FileSource.of(path)
    whole = whole_sound(source)
    for tenth in range(1, 19):
        part = whole_sound(source, Fraction(tenth, 10))
        assert part.shape[1] == whole.shape[1] - tenth * 4800
        np.testing.assert_allclose(part[:, :40000], whole[:, tenth * 4800 :][:, :40000], atol=0.01)


def test_a_pull_from_the_end_on_is_empty(clip):
    source = FileSource.of(clip)
    assert list(source.frames(source.spec.duration)) == []
    assert list(source.audio(source.spec.duration)) == []


def test_two_pulls_do_not_disturb_each_other(clip, numbers):
    source = FileSource.of(clip)
    pairs = zip(source.frames(), source.frames(), strict=True)
    assert all(numbers([a]) == numbers([b]) for a, b in pairs)


def test_variable_times_are_kept(tmp_path, make_clip, numbers):
    times = [Fraction(n, 100) for n in (0, 4, 8, 20, 21, 22, 60)]
    source = FileSource.of(make_clip(tmp_path / "variable.mp4", times=times))
    frames = list(source.frames())
    assert [time for _, time in frames] == times
    assert source.spec.variable_rate
    assert source.spec.frame_count == 7
    assert source.spec.fps == pytest.approx(7 / float(source.spec.duration), rel=1e-3)
    assert numbers(source.frames(Fraction(15, 100))) == [2, 3, 4, 5, 6]


def test_a_missing_frame_is_a_gap_even_where_the_clock_ticks_once_per_frame(tmp_path, make_clip, numbers):
    times = [Fraction(index, 25) for index in range(21) if index != 1]
    path = make_clip(tmp_path / "gap.avi", codec="mpeg4", times=times, clock=Fraction(1, 25))
    source = FileSource.of(path)
    assert [time for _, time in source.frames()] == times
    assert source.spec.variable_rate
    assert numbers(source.frames(Fraction(1, 20))) == list(range(20))


def _corner(index: int) -> av.VideoFrame:
    """Black, but for a white top left corner."""
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:12, :16] = 255
    return av.VideoFrame.from_ndarray(pixels).reformat(format="yuv420p")


@pytest.mark.parametrize(
    ("rotation", "mirrored", "corner"),
    [
        (0, False, "top left"),
        (90, False, "bottom left"),
        (-90, False, "top right"),
        (180, False, "bottom right"),
        (0, True, "top right"),
        (180, True, "bottom left"),
        (90, True, "bottom right"),
        (-90, True, "top left"),
    ],
)
def test_rotation_and_mirror_flags_are_applied(tmp_path, make_clip, rotation, mirrored, corner):
    path = make_clip(tmp_path / "turned.mp4", count=3, picture=_corner, rotation=rotation, mirrored=mirrored)
    source = FileSource.of(path)
    pixels = next(source.frames()).image.to_ndarray(format="gray")
    upright = rotation in (0, 180)
    assert (source.spec.width, source.spec.height) == ((64, 48) if upright else (48, 64))
    rows, columns = {"top": 0, "bottom": -1}, {"left": 0, "right": -1}
    white = tuple(corner.split())
    for row in rows:
        for column in columns:
            assert (pixels[rows[row], columns[column]] > 128) == ((row, column) == white), (row, column)


def test_alpha_of_vp9_is_decoded(tmp_path, make_clip):
    def half(index: int) -> av.VideoFrame:
        pixels = np.full((48, 64, 4), 200, np.uint8)
        pixels[:, :32, 3] = 0
        pixels[:, 32:, 3] = 255
        return av.VideoFrame.from_ndarray(pixels, format="rgba").reformat(format="yuva420p")

    path = make_clip(
        tmp_path / "alpha.webm", codec="libvpx-vp9", picture=half, count=5, options={"crf": "4", "b": "0"}
    )
    source = FileSource.of(path)
    assert source.spec.pixel_format == "yuva420p"
    for image, _ in source.frames():
        alpha = image.to_ndarray(format="rgba")[..., 3]
        assert alpha[:, 4].max() < 8
        assert alpha[:, 60].min() > 247


def test_full_range_jpeg_colours_keep_their_meaning(tmp_path, make_clip):
    def white(index: int) -> av.VideoFrame:
        made = av.VideoFrame(64, 48, "yuvj420p")
        for plane, level in zip(made.planes, (255, 128, 128), strict=True):
            plane.update(bytes([level]) * plane.buffer_size)
        return made

    path = make_clip(tmp_path / "camera.avi", codec="mjpeg", picture=white, count=3)
    image = next(FileSource.of(path).frames()).image
    assert (image.format.name, image.color_range) == ("yuv420p", 2)
    assert image.to_ndarray(format="rgb24").min() > 250


def test_non_square_pixels_are_made_square(real_clips):
    source = FileSource.of(real_clips / "carphone_pristine.mp4")
    assert (source.facts.stored_width, source.facts.stored_height) == (176, 144)
    assert (source.spec.width, source.spec.height) == (192, 144)  # pixels are 128:117


@pytest.mark.parametrize(
    ("name", "count", "fps"),
    [
        ("bikes.mp4", 250, 25),
        ("bigbuckbunny.mp4", 132, 25),
        ("carphone_pristine.mp4", 120, Fraction(30000, 1001)),
    ],
)
def test_real_clips_are_counted_without_decoding(real_clips, name, count, fps):
    source = FileSource.of(real_clips / name)
    assert (source.spec.frame_count, source.spec.fps) == (count, fps)
    assert sum(1 for _ in source.frames()) == count


def test_real_sound_lasts_as_long_as_the_picture_from_any_start(real_clips, whole_sound):
    source = FileSource.of(real_clips / "bigbuckbunny.mp4")
    whole = whole_sound(source)
    assert whole.shape == (6, round(source.spec.duration * 48000))
    for start in (Fraction(1, 3), Fraction(2), Fraction(51, 10)):
        part = whole_sound(source, start)
        begin = round(start * 48000)
        assert part.shape[1] == whole.shape[1] - begin
        np.testing.assert_allclose(part, whole[:, begin:], atol=2e-3)


@pytest.mark.parametrize(
    ("sound", "heard"),
    [((0, 0.8), (0, 0.8)), ((0, 0.3), (0, 0.3)), ((0, 2.0), (0, 0.8)), ((0.25, 1.0), (0.25, 0.8))],
    ids=["as long", "shorter", "longer", "late"],
)
def test_sound_is_placed_padded_and_cut(tmp_path, make_clip, whole_sound, sound, heard):
    source = FileSource.of(make_clip(tmp_path / "sound.mkv", codec="ffv1", sound=sound))
    wave = whole_sound(source)[0]
    loud = np.flatnonzero(np.abs(wave) > 0.01)
    assert len(wave) == 6400  # 20 frames at 25 fps, 8000 Hz
    assert loud[0] / 8000 == pytest.approx(heard[0], abs=0.003)
    assert loud[-1] / 8000 == pytest.approx(heard[1], abs=0.003)


def test_sound_before_the_first_picture_is_cut(tmp_path, make_clip, whole_sound):
    times = [Fraction(1, 2) + Fraction(n, 25) for n in range(20)]
    path = make_clip(tmp_path / "late.mkv", codec="ffv1", times=times, sound=(0, 0.75))
    source = FileSource.of(path)
    wave = whole_sound(source)[0]
    assert next(source.frames()).time == 0
    assert np.flatnonzero(np.abs(wave) > 0.01)[-1] / 8000 == pytest.approx(0.25, abs=0.003)


def test_a_silent_file_has_no_sound(tmp_path, make_clip):
    source = FileSource.of(make_clip(tmp_path / "silent.mp4"))
    assert source.spec.audio is None
    assert list(source.audio()) == []


def test_bytes_in_memory_read_like_the_file(clip, numbers, whole_sound):
    file, memory = FileSource.of(clip), BytesSource(clip.read_bytes())
    assert memory.spec == file.spec
    assert numbers(memory.frames()) == numbers(file.frames())
    np.testing.assert_array_equal(whole_sound(memory), whole_sound(file))


def test_the_fingerprint_follows_the_content(clip, tmp_path):
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(clip.read_bytes())
    before = FileSource.of(copy).fingerprint()
    os.utime(copy, ns=(1, 1))
    assert FileSource.of(copy).fingerprint() != before
    assert BytesSource(b"a").fingerprint() != BytesSource(b"b").fingerprint()


def test_a_source_that_changed_is_refused(clip, tmp_path):
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(clip.read_bytes())
    source = FileSource.of(copy)
    next(source.frames())
    copy.write_bytes(clip.read_bytes() + b"more")
    with pytest.raises(VideoError, match="the source changed: copy"):
        list(source.frames())
    with pytest.raises(VideoError, match="the source changed"):
        list(source.audio())


def _half(data: bytes) -> bytes:
    return data[: len(data) // 2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda data: b"", "is empty"),
        (lambda data: b"This is a letter, not a film.\n" * 50, "cannot be opened as a video"),
        (_half, "cannot be opened as a video"),
    ],
    ids=["zero bytes", "text", "truncated"],
)
def test_what_is_no_video_is_named(clip, tmp_path, content, message):
    path = tmp_path / "broken.mp4"
    path.write_bytes(content(clip.read_bytes()))
    with pytest.raises(VideoError, match=f"broken.mp4 {message}"):
        FileSource.of(path).spec


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(VideoError, match="choose an existing file"):
        FileSource.of(tmp_path / "gone.mp4")


def test_a_file_without_picture_says_what_it_holds(tmp_path):
    path = tmp_path / "song.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(VideoError, match=r"song.wav has no picture \(it holds audio\)"):
        FileSource.of(path).spec


@pytest.fixture(scope="module")
def noisy(tmp_path_factory, make_clip) -> Path:
    """Noise, so that every byte of the file matters; the index comes first."""
    random = np.random.default_rng(5)

    def noise(index: int) -> av.VideoFrame:
        return av.VideoFrame.from_ndarray(random.integers(0, 255, (72, 64), np.uint8), format="yuv420p")

    path = tmp_path_factory.mktemp("noisy") / "noisy.mp4"
    faststart = {"movflags": "faststart"}
    return make_clip(path, picture=noise, count=40, options={"g": "10"}, muxer_options=faststart)


def test_a_file_cut_short_behind_its_index_is_an_error(noisy, tmp_path):
    path = tmp_path / "short.mp4"
    path.write_bytes(noisy.read_bytes()[: noisy.stat().st_size * 2 // 3])
    with pytest.raises(VideoError, match=r"short.mp4 is (damaged|cut short)"):
        list(FileSource.of(path).frames())


def test_damage_in_the_middle_is_an_error(noisy, tmp_path):
    data = bytearray(noisy.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = b"\xff" * 3000
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    with pytest.raises(VideoError, match=r"damaged.mp4 is damaged after 0\.\d\d s"):
        list(FileSource.of(path).frames())


def test_times_never_go_back(real_clips):
    times = [time for _, time in FileSource.of(real_clips / "bikes.mp4").frames(Fraction(3))]
    assert all(a < b for a, b in pairwise(times))
