"""LazyVideo under the host's VideoInput interface, and any VIDEO as a recipe."""

from __future__ import annotations

import gc
import io
import os
from fractions import Fraction

import pytest
import torch
from comfy_api.latest import Input, InputImpl, Types
from kinograph.nodes.lazy_video import LazyVideo, as_recipe
from kinograph.nodes.video.recipe import AudioSpec, VideoError
from kinograph.nodes.video.source import BytesSource, FileSource
from kinograph.nodes.video.tensor_source import TensorSource
from kinograph.nodes.video.trim import Trim


def test_facts_are_known_without_decoding(numbered):
    class Sealed(numbered):
        def frames(self, start=Fraction(0)):
            raise AssertionError("decoded")

    video = LazyVideo(Sealed(12, fps=Fraction(24), pixel_format="yuv420p10le"))
    assert isinstance(video, Input.Video)
    assert video.get_dimensions() == (64, 48)
    assert video.get_duration() == 0.5
    assert video.get_frame_count() == 12
    assert video.get_frame_rate() == 24
    assert video.get_bit_depth() == 10
    assert video.get_active_trim_window() == (0.0, 0.0)
    assert video.get_container_format() == "mov,mp4,m4a,3gp,3g2,mj2"


def test_components_are_core_tensors(numbered):
    parts = LazyVideo(numbered(6, sound=AudioSpec(8000, 2))).get_components()
    assert parts.images.shape == (6, 48, 64, 3)
    assert parts.images.dtype == torch.float32
    assert parts.images[:, 0, 0, 0].tolist() == pytest.approx([n * 7 / 219 for n in range(6)], abs=0.01)
    assert parts.audio["waveform"].shape == (1, 2, 4800)
    assert (parts.audio["sample_rate"], parts.frame_rate) == (8000, 10)


def test_a_silent_video_has_no_audio_component(numbered):
    assert LazyVideo(numbered(2)).get_components().audio is None


@pytest.mark.parametrize(
    ("start", "duration", "numbers_left"),
    [
        (0.5, 0, range(5, 10)),
        (0.5, 0.2, (5, 6)),
        (-0.3, 0, (7, 8, 9)),
        (0.8, 9, (8, 9)),
        (None, None, range(10)),
    ],
)
def test_a_trimmed_video_is_lazy_and_exact(numbered, numbers, start, duration, numbers_left):
    trimmed = LazyVideo(numbered(10)).as_trimmed(start, duration)
    assert isinstance(trimmed, LazyVideo)
    assert numbers(trimmed.recipe.frames()) == list(numbers_left)


def test_a_strict_trim_beyond_the_end_is_none(numbered):
    video = LazyVideo(numbered(10))
    assert video.as_trimmed(0.5, 0.6, strict_duration=True) is None
    assert video.as_trimmed(0.5, 0.5, strict_duration=True) is not None
    assert video.as_trimmed(1.0, 0) is None


def test_saving_as_core_does(tmp_path, numbered, numbers):
    path = tmp_path / "saved_00001_.mp4"
    video = LazyVideo(numbered(8, sound=AudioSpec(8000, 1)))
    metadata = {"prompt": {"1": {}}, "workflow": "text"}
    video.save_to(str(path), format=Types.VideoContainer.MP4, codec=Types.VideoCodec.AUTO, metadata=metadata)
    source = FileSource.of(path)
    assert numbers(source.frames()) == list(range(8))
    assert (source.facts.tags["prompt"], source.facts.tags["workflow"]) == ('{"1": {}}', "text")
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize(
    ("name", "container"), [("a.webm", "matroska,webm"), ("a.mkv", "matroska,webm"), ("a.bin", "mp4")]
)
def test_auto_follows_the_files_name(tmp_path, numbered, name, container):
    LazyVideo(numbered(2)).save_to(str(tmp_path / name))
    assert container in FileSource.of(tmp_path / name).facts.container


def test_saving_replaces_a_file_that_the_caller_made(tmp_path, numbered):
    path = tmp_path / "placeholder.mp4"
    path.touch()
    LazyVideo(numbered(2)).save_to(path)
    assert FileSource.of(path).spec.frame_count == 2


def test_saving_to_a_buffer(numbered, numbers):
    buffer = io.BytesIO()
    LazyVideo(numbered(4)).save_to(buffer)
    assert numbers(BytesSource(buffer.getvalue()).frames()) == [0, 1, 2, 3]


def test_what_newer_hosts_pass_is_taken_and_reported(tmp_path, numbered, caplog):
    LazyVideo(numbered(3)).save_to(tmp_path / "a.mp4", bit_depth=10, crf=30, color_space="bt709", other=None)
    assert FileSource.of(tmp_path / "a.mp4").facts.bit_depth == 10
    assert caplog.messages == ["Kinograph: color_space has no effect here"]


def test_adaptations_are_logged(tmp_path, numbered, caplog):
    LazyVideo(numbered(2, width=65)).save_to(tmp_path / "a.mp4")
    assert caplog.messages == ["Kinograph: padded to 66x48: h264 needs even sides"]


def test_a_format_that_cannot_be_written_is_named(tmp_path, numbered):
    with pytest.raises(VideoError, match="no container 'ogv'; choose one of"):
        LazyVideo(numbered(2)).save_to(tmp_path / "a.ogv", format="ogv")


def test_the_stream_of_a_file_is_the_file(clip):
    assert LazyVideo(FileSource.of(clip)).get_stream_source() == str(clip)
    stream = LazyVideo(BytesSource(clip.read_bytes())).get_stream_source()
    assert stream.read() == clip.read_bytes()


def test_the_stream_of_a_recipe_is_rendered_once_and_goes_with_it(clip, numbers):
    video = LazyVideo(Trim(FileSource.of(clip), Fraction(1, 5), Fraction(2, 5)))
    path = video.get_stream_source()
    assert video.get_stream_source() == path
    assert numbers(FileSource.of(path).frames()) == [5, 6, 7, 8, 9]
    del video
    gc.collect()
    assert not os.path.exists(path)


def test_ours_as_a_recipe_is_its_own(numbered):
    recipe = numbered(2)
    assert as_recipe(LazyVideo(recipe)) is recipe


def test_cores_file_video_is_a_lazy_file(clip):
    assert as_recipe(InputImpl.VideoFromFile(str(clip))) == FileSource.of(clip)
    assert as_recipe(InputImpl.VideoFromFile(io.BytesIO(clip.read_bytes()))) == BytesSource(clip.read_bytes())


def test_a_trim_window_of_core_is_applied(clip, numbers):
    class Sliced(InputImpl.VideoFromFile):
        def get_active_trim_window(self):
            return 0.4, 0.2

    assert numbers(as_recipe(Sliced(str(clip))).frames()) == [10, 11, 12, 13, 14]


def test_cores_components_are_a_tensor_recipe():
    audio = {"waveform": torch.zeros(1, 2, 800), "sample_rate": 8000}
    parts = Types.VideoComponents(images=torch.rand(5, 8, 8, 3), audio=audio, frame_rate=Fraction(10))
    recipe = as_recipe(InputImpl.VideoFromComponents(parts))
    assert isinstance(recipe, TensorSource)
    assert (recipe.spec.frame_count, recipe.spec.audio) == (5, AudioSpec(8000, 2))


def test_a_foreign_video_without_a_stream_gives_its_tensors(numbered):
    class Foreign(Input.Video):
        def get_components(self):
            return Types.VideoComponents(images=torch.rand(3, 8, 8, 3), frame_rate=Fraction(7))

        def save_to(self, *args, **others):
            raise AssertionError("the whole film in memory")

        def as_trimmed(self, *args, **others):
            return None

    assert as_recipe(Foreign()).spec.fps == 7


def test_tensors_round_to_the_nearest_level_and_clamp():
    levels = torch.tensor([-0.5, 0.0, 0.499 / 255, 0.501 / 255, 1.0, 7.0])
    image = levels[None, None, :, None].expand(1, 1, 6, 3)
    pixels = next(TensorSource(image, Fraction(1)).frames()).image.to_ndarray()
    assert pixels[0, :, 0].tolist() == [0, 0, 0, 1, 255, 255]


def test_the_tensor_fingerprint_follows_the_content():
    images = torch.rand(2, 4, 4, 3)
    one = TensorSource(images, Fraction(10)).fingerprint()
    assert TensorSource(images.clone(), Fraction(10)).fingerprint() == one
    assert TensorSource(1 - images, Fraction(10)).fingerprint() != one
    assert TensorSource(images, Fraction(11)).fingerprint() != one


@pytest.mark.parametrize("shape", [(0, 8, 8, 3), (8, 8, 3), (1, 8, 8, 2)])
def test_images_that_are_no_batch_are_refused(shape):
    with pytest.raises(VideoError, match="a video needs images of shape"):
        TensorSource(torch.zeros(shape), Fraction(10))
