"""VIDEO values of the host: from files and from tensors."""

import io
import os
from fractions import Fraction

import numpy as np
import pytest
import torch
from comfy_api.latest import Input, InputImpl, Types


def greys(images):
    """The frame numbers that the clip's grey levels tell."""
    return (images[:, -4:, -4:].mean(dim=(1, 2, 3)) * 255 / 20).round().int().tolist()


def click_at(second, length=1.0, rate=16000):
    samples = np.zeros(round(length * rate))
    samples[round(second * rate) : round(second * rate) + 200] = 0.8
    return samples


def first_loud(audio):
    return int((audio["waveform"][0, 0].abs() > 0.3).nonzero()[0]) / audio["sample_rate"]


def video(path, **window):
    return InputImpl.VideoFromFile(path, **window)


def components(count=10, size=(64, 48), rate=10, seconds=None):
    images = torch.linspace(0, 1, count).reshape(-1, 1, 1, 1).expand(-1, size[1], size[0], 3)
    audio = None
    if seconds is not None:
        audio = {"waveform": torch.rand(1, 2, round(seconds * 16000)) * 0.5, "sample_rate": 16000}
    return Types.VideoComponents(images=images, frame_rate=Fraction(rate), audio=audio)


def test_the_facts_of_a_file(write_clip):
    clip = video(write_clip(sound=click_at(0.2)))
    assert clip.get_dimensions() == (64, 48)
    assert clip.get_frame_count() == 10
    assert clip.get_frame_rate() == 10
    assert clip.get_duration() == pytest.approx(1.0, abs=0.1)
    assert clip.get_bit_depth() == 8
    assert "mp4" in clip.get_container_format().split(",")
    assert clip.get_active_trim_window() == (0.0, 0.0)
    assert isinstance(clip, Input.Video)


def test_all_frames_and_the_sound(write_clip):
    parts = video(write_clip(sound=click_at(0.5))).get_components()
    assert parts.images.shape == (10, 48, 64, 3)
    assert parts.images.dtype == torch.float32
    assert greys(parts.images) == list(range(10))
    assert parts.audio["waveform"].shape[:2] == (1, 1)
    assert first_loud(parts.audio) == pytest.approx(0.5, abs=0.02)
    assert parts.alpha is None


def test_a_file_in_memory_may_be_read_again_and_again(write_clip):
    with open(write_clip(), "rb") as file:
        clip = video(io.BytesIO(file.read()))
    assert clip.get_frame_count() == clip.get_frame_count() == 10
    assert clip.get_stream_source().tell() == 0
    assert greys(clip.get_components().images) == list(range(10))


@pytest.mark.parametrize(("degrees", "corner"), [(90, (-1, 0)), (180, (-1, -1)), (270, (0, -1))])
def test_the_rotation_flag_is_applied(write_clip, degrees, corner):
    """Turned against the clock, the white block leaves the top left corner."""
    turned = video(write_clip(rotation=degrees))
    images = turned.get_components().images
    assert turned.get_dimensions() == ((48, 64) if degrees % 180 else (64, 48))
    assert images.shape[1:3] == turned.get_dimensions()[::-1]
    assert images[0][corner].mean() > 0.9
    assert images[0, 0, 0].mean() < 0.1


def test_a_variable_rate_keeps_every_frame_and_the_length(write_clip):
    times = [Fraction(t, 100) for t in (0, 10, 15, 40, 90)]
    clip = video(write_clip(times=times))
    assert greys(clip.get_components().images) == [0, 1, 2, 3, 4]
    assert clip.get_frame_count() == 5
    assert float(clip.get_frame_count() / clip.get_frame_rate()) == pytest.approx(
        clip.get_duration(), rel=0.15
    )


def test_ten_bits_are_read_in_full(write_clip):
    clip = video(write_clip("deep.mkv", pix_fmt="yuv444p10le", codec="ffv1"))
    assert clip.get_bit_depth() == 10
    assert greys(clip.get_components().images) == list(range(10))


def test_transparency_comes_apart(write_clip):
    parts = video(write_clip("a.mkv", codec="ffv1", pix_fmt="bgra", alpha=128)).get_components()
    assert parts.images.shape == (10, 48, 64, 3)
    assert parts.alpha.shape == (10, 48, 64, 1)
    assert torch.allclose(parts.alpha, torch.tensor(128 / 255))


def test_frames_are_counted_where_the_container_does_not_tell(write_clip):
    clip = video(write_clip("plain.mkv"))
    assert clip.get_frame_count() == 10


def test_a_window_shows_its_frames_and_its_sound(write_clip):
    clip = video(write_clip(sound=click_at(0.5))).as_trimmed(0.3, 0.4)
    parts = clip.get_components()
    assert clip.get_active_trim_window() == (0.3, 0.4)
    assert greys(parts.images) == [3, 4, 5, 6]
    assert clip.get_frame_count() == 4
    assert clip.get_duration() == pytest.approx(0.4)
    assert first_loud(parts.audio) == pytest.approx(0.2, abs=0.02)
    assert parts.audio["waveform"].shape[-1] == 6400


@pytest.mark.parametrize("name", ["no_index.ts", "decoding_order.avi", "index.mkv"])
def test_a_window_is_exact_in_every_container(write_clip, name):
    clip = video(write_clip(name))
    assert clip.get_frame_count() == 10
    part = clip.as_trimmed(0.3, 0.4)
    assert greys(part.get_components().images) == [3, 4, 5, 6]
    assert part.get_frame_count() == 4


def test_windows_add_up(write_clip):
    clip = video(write_clip()).as_trimmed(0.2, 0.6).as_trimmed(0.1, 0.2)
    assert greys(clip.get_components().images) == [3, 4]
    open_end = video(write_clip()).as_trimmed(0.2, 0.6).as_trimmed(0.1)
    assert greys(open_end.get_components().images) == [3, 4, 5, 6, 7]


def test_a_negative_start_counts_from_the_end(write_clip):
    path = write_clip()
    assert greys(video(path, start_time=-0.3).get_components().images) == [7, 8, 9]
    assert greys(video(path).as_trimmed(-0.3).get_components().images) == [7, 8, 9]


def test_too_short_a_rest_is_none_when_strict(write_clip):
    clip = video(write_clip())
    assert clip.as_trimmed(0.8, 5, strict_duration=True) is None
    assert clip.as_trimmed(2.0) is None
    assert greys(clip.as_trimmed(0.8, 5).get_components().images) == [8, 9]


def test_saving_unchanged_copies_the_streams_and_adds_tags(write_clip, tmp_path):
    source = video(write_clip(sound=click_at(0.5)))
    target = str(tmp_path / "copy.mp4")
    source.save_to(target, metadata={"prompt": {"1": {}}, "note": "text"})
    copy = video(target).get_components()
    assert torch.equal(copy.images, source.get_components().images)
    assert (copy.metadata["prompt"], copy.metadata["note"]) == ('{"1": {}}', "text")
    assert sorted(os.listdir(tmp_path)) == ["clip.mp4", "copy.mp4"]


def test_a_copy_keeps_the_rotation_flag(write_clip, tmp_path):
    source = video(write_clip(rotation=90))
    source.save_to(str(tmp_path / "copy.mp4"))
    assert video(str(tmp_path / "copy.mp4")).get_dimensions() == (48, 64)


def test_a_window_is_encoded_with_its_sound(write_clip, tmp_path):
    clip = video(write_clip(sound=click_at(0.5))).as_trimmed(0.3, 0.4)
    clip.save_to(str(tmp_path / "cut.mp4"), metadata={"workflow": {"nodes": []}})
    cut = video(str(tmp_path / "cut.mp4"))
    parts = cut.get_components()
    assert greys(parts.images) == [3, 4, 5, 6]
    assert first_loud(parts.audio) == pytest.approx(0.2, abs=0.03)
    assert cut.get_duration() == pytest.approx(0.4, abs=0.07)
    assert parts.metadata["workflow"] == '{"nodes": []}'


def test_encoding_a_turned_clip_turns_its_pixels(write_clip, tmp_path):
    source = video(write_clip(rotation=90))
    source.save_to(str(tmp_path / "upright.mp4"), crf=10)
    upright = video(str(tmp_path / "upright.mp4")).get_components().images
    assert (upright - source.get_components().images).abs().mean() < 0.02


def test_a_variable_rate_survives_encoding(write_clip, tmp_path):
    times = [Fraction(t, 100) for t in (0, 10, 15, 40, 90)]
    source = video(write_clip(times=times))
    source.save_to(str(tmp_path / "again.mp4"), crf=10)
    seconds = [time for time, _ in video(str(tmp_path / "again.mp4")).frames()]
    assert seconds == pytest.approx([float(time) for time in times], abs=0.002)


def test_another_container_is_encoded_anew(write_clip, tmp_path):
    source = video(write_clip("a.mkv", codec="ffv1", pix_fmt="yuv420p"))
    source.save_to(str(tmp_path / "a.mp4"), format=Types.VideoContainer.MP4, codec=Types.VideoCodec.H264)
    assert greys(video(str(tmp_path / "a.mp4")).get_components().images) == list(range(10))


@pytest.mark.parametrize("content", [b"", b"this is no video at all" * 40])
def test_a_file_that_is_no_video_is_named(tmp_path, content):
    (tmp_path / "fake.mp4").write_bytes(content)
    with pytest.raises(ValueError, match=r"fake\.mp4 is not a readable video"):
        video(str(tmp_path / "fake.mp4")).get_duration()


def test_a_playlist_that_leads_to_other_files_is_refused(write_clip, tmp_path):
    import av

    segment = write_clip("elsewhere.ts")
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:1,\n{segment}\n#EXT-X-ENDLIST\n"
    (tmp_path / "list.m3u8").write_text(playlist)
    with av.open(str(tmp_path / "list.m3u8")) as container:
        assert container.format.name == "hls"
    with pytest.raises(ValueError, match=r"list\.m3u8 .*playlist"):
        video(str(tmp_path / "list.m3u8")).get_components()


def test_a_file_with_sound_only_is_named(tmp_path):
    import av

    path = str(tmp_path / "song.m4a")
    with av.open(path, "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.rate = 16000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with pytest.raises(ValueError, match=r"No video stream found in .*song\.m4a"):
        video(path).get_dimensions()


def test_tensors_become_an_mp4(tmp_path):
    source = InputImpl.VideoFromComponents(components(seconds=1.0))
    source.save_to(str(tmp_path / "out.mp4"), metadata={"prompt": {"a": 1}})
    saved = video(str(tmp_path / "out.mp4"))
    parts = saved.get_components()
    assert (parts.images - components().images).abs().mean() < 0.02
    assert saved.get_frame_rate() == 10
    assert parts.audio["waveform"].shape[1] == 2
    assert parts.metadata["prompt"] == '{"a": 1}'


def test_odd_sizes_keep_every_pixel_column():
    buffer = io.BytesIO()
    InputImpl.VideoFromComponents(components(3, size=(45, 31))).save_to(buffer)
    assert video(buffer).get_dimensions() == (45, 31)


def test_sound_longer_than_the_picture_is_cut():
    buffer = io.BytesIO()
    InputImpl.VideoFromComponents(components(5, seconds=3.0)).save_to(buffer)
    saved = video(buffer)
    assert saved.get_duration() == pytest.approx(0.5, abs=0.08)


def test_tensors_are_trimmed_with_their_sound():
    whole = InputImpl.VideoFromComponents(components(seconds=1.0))
    part = whole.as_trimmed(0.2, 0.5)
    assert torch.equal(part.get_components().images, components().images[2:7])
    assert part.get_components().audio["waveform"].shape[-1] == 8000
    assert whole.as_trimmed(0.8, 0.5, strict_duration=True) is None


def test_ten_bits_are_written_where_asked_for():
    buffer = io.BytesIO()
    InputImpl.VideoFromComponents(components(3), bit_depth=10).save_to(buffer)
    assert video(buffer).get_bit_depth() == 10


def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path):
    clip = InputImpl.VideoFromComponents(components(0))
    with pytest.raises(ValueError, match="the video has no frames"):
        clip.save_to(str(tmp_path / "none.mp4"))
    seven = components(3)
    seven.audio = {"waveform": torch.zeros(1, 7, 4800), "sample_rate": 16000}
    with pytest.raises(ValueError, match="7 channels"):
        InputImpl.VideoFromComponents(seven).save_to(str(tmp_path / "seven.mp4"))
    assert os.listdir(tmp_path) == []


def test_a_video_of_another_pack_gets_its_facts_from_its_frames():
    class Plain(Input.Video):
        def get_components(self):
            return components(4, rate=8)

        def save_to(self, path, **options):
            InputImpl.VideoFromComponents(self.get_components()).save_to(path)

    plain = Plain()
    assert (plain.get_dimensions(), plain.get_frame_count(), plain.get_duration()) == ((64, 48), 4, 0.5)
    assert plain.get_container_format() == video(plain.get_stream_source()).get_container_format()
