"""What core's nodes do in the embedded host."""

from __future__ import annotations

import json
from fractions import Fraction

import folder_paths
import numpy as np
import pytest
import torch
from kinograph.host.core import (
    nodes_audio,
    nodes_conditioning,
    nodes_images,
    nodes_latent,
    nodes_primitive,
    nodes_video,
)
from kinograph.host.core.pictures import read_pictures
from PIL import Image


@pytest.fixture
def picture(home):
    """Save an array as a picture of the input folder and load it as LoadImage does."""

    def load(pixels, name="picture.png", **options):
        path = home / "input" / name
        Image.fromarray(pixels).save(path, **options)
        return nodes_images.LoadImage.execute(image=name).args

    return load


def test_a_picture_becomes_floats_and_an_empty_mask(picture):
    image, mask = picture(np.full((3, 4, 3), (255, 51, 0), np.uint8))
    assert image.shape == (1, 3, 4, 3) and image.dtype == torch.float32
    assert torch.allclose(image[0, 0, 0], torch.tensor([1.0, 0.2, 0.0]))
    assert mask.shape == (1, 64, 64) and not mask.any()


def test_transparency_becomes_a_mask_that_is_one_where_nothing_is_seen(picture):
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0, 0, 3] = 255
    _, mask = picture(pixels)
    assert mask.tolist() == [[[0.0, 1.0], [1.0, 1.0]]]


def test_sixteen_bit_grey_keeps_its_range(picture):
    image, _ = picture(np.array([[0, 32768, 65535]], np.uint16))
    assert torch.allclose(image[0, 0, :, 0], torch.tensor([0.0, 0.5, 1.0]), atol=1e-4)


def test_an_animation_becomes_a_batch(home):
    frames = [Image.new("RGB", (4, 2), (shade, 0, 0)) for shade in (0, 100, 200)]
    frames[0].save(home / "input" / "three.gif", save_all=True, append_images=frames[1:], duration=100)
    image, mask = read_pictures(home / "input" / "three.gif")
    assert image.shape == (3, 2, 4, 3) and mask.shape[0] == 3


def test_a_camera_held_upright_gives_an_upright_picture(picture):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    image, _ = picture(np.zeros((2, 6, 3), np.uint8), name="turned.jpg", exif=exif)
    assert image.shape[1:3] == (6, 2)


def test_a_file_that_is_no_picture_is_named(home):
    (home / "input" / "text.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"text\.png cannot be read as a picture"):
        nodes_images.LoadImage.execute(image="text.png")


def test_a_changed_picture_has_another_fingerprint(picture):
    picture(np.zeros((2, 2, 3), np.uint8))
    before = nodes_images.LoadImage.fingerprint_inputs(image="picture.png")
    picture(np.ones((2, 2, 3), np.uint8))
    assert nodes_images.LoadImage.fingerprint_inputs(image="picture.png") != before


def test_names_may_say_which_folder(home):
    (home / "output").mkdir()
    Image.new("RGB", (2, 2)).save(home / "output" / "made.png")
    assert nodes_images.LoadImage.validate_inputs(image="made.png [output]") is True
    assert "made.png" in nodes_images.LoadImage.validate_inputs(image="made.png")


@pytest.mark.parametrize(
    ("asked", "size"), [((8, 8), (8, 8)), ((8, 0), (8, 4)), ((0, 10), (20, 10)), ((0, 0), (40, 20))]
)
def test_scaling_takes_a_zero_from_the_proportions(asked, size):
    image = torch.rand(2, 20, 40, 3)
    (scaled,) = nodes_images.ImageScale.execute(image, "bilinear", *asked, "disabled").args
    assert scaled.shape == (2, size[1], size[0], 3)


def test_an_empty_image_has_the_colour_asked_for():
    (image,) = nodes_images.EmptyImage.execute(4, 2, 3, 0xFF8000).args
    assert image.shape == (3, 2, 4, 3)
    assert torch.allclose(image[1, 1, 3], torch.tensor([1.0, 128 / 255, 0.0]))


def test_a_batch_is_cut_and_repeated_within_its_length():
    batch = torch.arange(5.0).view(5, 1, 1, 1).expand(5, 1, 1, 3)
    assert nodes_images.ImageFromBatch.execute(batch, 3, 9).args[0][:, 0, 0, 0].tolist() == [3, 4]
    assert nodes_images.ImageFromBatch.execute(batch, 99, 1).args[0][:, 0, 0, 0].tolist() == [4]
    assert len(nodes_images.RepeatImageBatch.execute(batch, 2).args[0]) == 10


def test_frames_and_sound_survive_a_video(home):
    images = torch.rand(8, 32, 48, 3)
    audio = {"waveform": torch.rand(1, 2, 8000) - 0.5, "sample_rate": 8000}
    (video,) = nodes_video.CreateVideo.execute(images, 8.0, audio).args
    frames, sound, fps = nodes_video.GetVideoComponents.execute(video).args
    assert frames.shape == images.shape and fps == 8.0
    assert sound["sample_rate"] == 8000
    assert video.get_frame_rate() == Fraction(8)


@pytest.mark.parametrize(
    "saver", [nodes_audio.SaveAudio, nodes_audio.SaveAudioMP3, nodes_audio.SaveAudioOpus]
)
def test_a_saved_sound_loads_again(home, saver):
    tone = torch.sin(torch.arange(24000) * 0.05).expand(1, 2, -1) * 0.5
    clone = saver.PREPARE_CLASS_CLONE(None)
    quality = saver.QUALITY or "128k"
    clone.execute({"waveform": tone, "sample_rate": 24000}, "sound", quality)
    name = f"sound_00001_.{saver.FORMAT}"
    (loaded,) = nodes_audio.LoadAudio.execute(f"{name} [output]").args
    waveform = loaded["waveform"]
    assert waveform.shape[:2] == (1, 2) and waveform.dtype == torch.float32
    assert abs(waveform.shape[2] / loaded["sample_rate"] - 1.0) < 0.1
    assert 0.3 < waveform.abs().max() < 0.7


def test_a_film_without_sound_says_so(home):
    (video,) = nodes_video.CreateVideo.execute(torch.rand(4, 32, 32, 3), 4.0).args
    video.save_to(str(home / "input" / "silent.mp4"))
    with pytest.raises(ValueError, match=r"silent\.mp4 has no sound track"):
        nodes_audio.LoadAudio.execute("silent.mp4")


class StubVae:
    """Doubles sizes when it decodes; a video latent gives [B, T, H, W, C]."""

    def decode(self, latent):
        if latent.ndim == 4:
            return torch.zeros(latent.shape[0], latent.shape[2] * 2, latent.shape[3] * 2, 3)
        batch, _, frames, height, width = latent.shape
        return torch.zeros(batch, frames, height * 2, width * 2, 3)

    def encode(self, pixels):
        return pixels.movedim(-1, 1)[..., ::2, ::2]


def test_the_frames_of_a_video_latent_become_one_batch():
    (images,) = nodes_latent.VAEDecode.execute({"samples": torch.zeros(2, 4, 5, 3, 6)}, StubVae()).args
    assert images.shape == (10, 6, 12, 3)
    (latent,) = nodes_latent.VAEEncode.execute(images, StubVae()).args
    assert latent["samples"].shape == (10, 3, 3, 6)


def test_an_empty_text_encoder_says_what_to_load():
    with pytest.raises(ValueError, match="load one separately"):
        nodes_conditioning.CLIPTextEncode.execute("a cat", None)


@pytest.mark.parametrize(
    ("value", "text"),
    [("plain", "plain"), (2.5, "2.5"), (True, "True"), (None, "None"), ([1, 2], "[\n    1,\n    2\n]")],
)
def test_any_value_can_be_read(value, text):
    assert nodes_primitive.PreviewAny.execute(value).ui.as_dict() == {"text": (text,)}


def test_pictures_carry_the_graph_unless_metadata_is_off(home, monkeypatch):
    from comfy.cli_args import args
    from comfy_api.latest import io

    hidden = {io.Hidden.prompt: {"1": {}}, io.Hidden.extra_pnginfo: {"workflow": {"nodes": []}}}
    saver = nodes_images.SaveImage.PREPARE_CLASS_CLONE({"hidden_inputs": hidden})
    saver.execute(torch.zeros(1, 2, 2, 3), "with")
    monkeypatch.setattr(args, "disable_metadata", True)
    saver.execute(torch.zeros(1, 2, 2, 3), "without")
    output = folder_paths.get_output_directory()
    with (
        Image.open(f"{output}/with_00001_.png") as first,
        Image.open(f"{output}/without_00001_.png") as second,
    ):
        assert json.loads(first.info["workflow"]) == {"nodes": []}
        assert json.loads(first.info["prompt"]) == {"1": {}}
        assert second.info.get("prompt") is None
