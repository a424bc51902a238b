"""What nodes save and show: file names, `as_dict()`, and the workflow inside the files."""

import json
import os

import av
import folder_paths
import pytest
import torch
from comfy.cli_args import args
from comfy_api.latest import io, ui
from PIL import Image

WORKFLOW = {"nodes": [], "note": "grüße"}


@pytest.fixture(autouse=True)
def home(tmp_path):
    before = folder_paths.base_path
    folder_paths.set_base_directory(str(tmp_path))
    yield tmp_path
    folder_paths.set_base_directory(before)


@pytest.fixture
def node():
    """A running node class with a prompt and a workflow."""

    class Saves(io.ComfyNode):
        @classmethod
        def define_schema(cls):
            return io.Schema(node_id="Saves")

        @classmethod
        def execute(cls):
            return io.NodeOutput()

    hidden = {io.Hidden.prompt: {"1": {}}, io.Hidden.extra_pnginfo: {"workflow": WORKFLOW}}
    return Saves.PREPARE_CLASS_CLONE({"hidden_inputs": hidden})


def pictures(count=2):
    return torch.rand(count, 12, 16, 3)


def tone(seconds=0.5, rate=22050, channels=2):
    return {
        "waveform": torch.sin(torch.arange(round(seconds * rate)) / 20).expand(1, channels, -1),
        "sample_rate": rate,
    }


def open_output(result):
    return os.path.join(folder_paths.get_output_directory(), result["subfolder"], result["filename"])


def test_pictures_are_saved_and_named(node):
    shown = ui.ImageSaveHelper.get_save_images_ui(pictures(), "shots/a_%batch_num%_%width%", node).as_dict()
    assert shown == {
        "images": [
            {"filename": "a_0_16_00001_.png", "subfolder": "shots", "type": "output"},
            {"filename": "a_1_16_00002_.png", "subfolder": "shots", "type": "output"},
        ]
    }
    with Image.open(open_output(shown["images"][0])) as picture:
        assert picture.size == (16, 12)
        assert json.loads(picture.text["workflow"]) == WORKFLOW
        assert json.loads(picture.text["prompt"]) == {"1": {}}


def test_metadata_can_be_switched_off(node, monkeypatch):
    monkeypatch.setattr(args, "disable_metadata", True)
    shown = ui.ImageSaveHelper.get_save_images_ui(pictures(1), "a", node).as_dict()
    with Image.open(open_output(shown["images"][0])) as picture:
        assert picture.text == {}


def test_a_name_is_never_used_twice(node):
    first = ui.ImageSaveHelper.get_save_images_ui(pictures(1), "a", None).as_dict()
    second = ui.ImageSaveHelper.get_save_images_ui(pictures(1), "a", None).as_dict()
    assert [shown["images"][0]["filename"] for shown in (first, second)] == ["a_00001_.png", "a_00002_.png"]


def test_an_animation_says_that_it_is_one(node):
    shown = ui.ImageSaveHelper.get_save_animated_webp_ui(pictures(3), "b", node, 10, True, 80, 4).as_dict()
    assert (shown["images"][0]["filename"], shown["animated"]) == ("b_00001_.webp", (True,))
    with Image.open(open_output(shown["images"][0])) as picture:
        assert picture.n_frames == 3
        assert picture.getexif()[0x0110] == 'prompt:{"1": {}}'
        assert picture.getexif()[0x010F] == f"workflow:{json.dumps(WORKFLOW)}"
    still = ui.ImageSaveHelper.get_save_animated_png_ui(pictures(1), "b", node, 10, 4).as_dict()
    assert "animated" not in still


def test_an_animated_png_carries_the_workflow_behind_its_pictures(node):
    shown = ui.ImageSaveHelper.get_save_animated_png_ui(pictures(3), "c", node, 10, 4).as_dict()
    with open(open_output(shown["images"][0]), "rb") as file:
        content = file.read()
    assert b"comfworkflow\0" + json.dumps(WORKFLOW).encode() in content


def test_previews_lie_in_the_temp_folder(home):
    shown = ui.PreviewImage(pictures()).as_dict()
    assert shown["animated"] == (False,)
    assert [image["type"] for image in shown["images"]] == ["temp", "temp"]
    assert len(os.listdir(home / "temp")) == 2
    mask = ui.PreviewMask(torch.rand(12, 16)).as_dict()
    assert len(mask["images"]) == 1
    assert set(ui.PreviewAudio(tone()).as_dict()) == {"audio"}


def test_values_outside_the_range_are_cut():
    shown = ui.ImageSaveHelper.get_save_images_ui(torch.tensor([[[[2.0, -1.0, 0.5]]]]), "d", None).as_dict()
    with Image.open(open_output(shown["images"][0])) as picture:
        assert picture.getpixel((0, 0)) == (255, 0, 127)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (ui.PreviewText("hello"), {"text": ("hello",)}),
        (ui.PreviewVideo([{"filename": "a.mp4"}]), {"images": [{"filename": "a.mp4"}], "animated": (True,)}),
        (ui.PreviewUI3D("m.glb", {"zoom": 1}), {"result": ["m.glb", {"zoom": 1}, None]}),
        (ui.SavedImages([], is_animated=True), {"images": [], "animated": (True,)}),
        (ui.SavedAudios([]), {"audio": []}),
    ],
)
def test_what_the_editor_is_told(output, expected):
    assert output.as_dict() == expected


def test_a_saved_result_is_a_dictionary():
    result = ui.SavedResult("a.png", "sub", io.FolderType.temp)
    assert result == {"filename": "a.png", "subfolder": "sub", "type": "temp"}
    assert (result.filename, result.subfolder, result.type) == ("a.png", "sub", io.FolderType.temp)


@pytest.mark.parametrize(
    ("format", "quality", "stored_rate"),
    [("flac", "128k", 22050), ("mp3", "V0", 22050), ("mp3", "320k", 22050), ("opus", "96k", 48000)],
)
def test_sound_is_saved_with_the_workflow(node, format, quality, stored_rate):
    shown = ui.AudioSaveHelper.get_save_audio_ui(tone(), "s", node, format, quality).as_dict()
    with av.open(open_output(shown["audio"][0])) as container:
        stream = container.streams.audio[0]
        assert (stream.rate, stream.channels) == (stored_rate, 2)
        assert container.duration / 1e6 == pytest.approx(0.5, abs=0.07)
        tags = {**container.metadata, **stream.metadata}
        assert json.loads(tags["workflow"]) == WORKFLOW


@pytest.mark.parametrize(("rate", "stored_rate"), [(9000, 11025), (96000, 48000)])
def test_mp3_takes_the_next_rate_that_it_has(rate, stored_rate):
    shown = ui.AudioSaveHelper.get_save_audio_ui(tone(rate=rate), "s", None, "mp3", "V0").as_dict()
    with av.open(open_output(shown["audio"][0])) as container:
        assert container.streams.audio[0].rate == stored_rate
        assert container.duration / 1e6 == pytest.approx(0.5, abs=0.1)


def test_flac_keeps_the_samples():
    sound = {"waveform": torch.arange(-1, 1, 2**-15).reshape(1, 1, -1), "sample_rate": 8000}
    shown = ui.AudioSaveHelper.get_save_audio_ui(sound, "s", None).as_dict()
    with av.open(open_output(shown["audio"][0])) as container:
        read = torch.cat([torch.from_numpy(frame.to_ndarray()) for frame in container.decode(audio=0)], dim=1)
    scale = 2**15 if read.dtype == torch.int16 else 2**31
    assert (read.double() / scale - sound["waveform"][0].double()).abs().max() <= 2**-15


def test_an_unknown_sound_format_is_named():
    with pytest.raises(ValueError, match="'ogg'; choose flac, mp3, opus"):
        ui.AudioSaveHelper.get_save_audio_ui(tone(), "s", None, "ogg")


@pytest.mark.parametrize(("channels", "format"), [(3, "flac"), (6, "mp3")])
def test_more_channels_than_a_format_holds_are_refused(home, channels, format):
    with pytest.raises(ValueError, match=f"{channels}.*(give|save)"):
        ui.AudioSaveHelper.save_audio(tone(channels=channels), "many", io.FolderType.output, None, format)
    assert os.listdir(home / "output") == []


def test_a_silent_source_is_told(home):
    with pytest.raises(ValueError, match="source is silent"):
        ui.PreviewAudio(None)
    assert not (home / "temp").exists()
