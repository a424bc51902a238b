"""The loading nodes, through the classes that ComfyUI calls."""

from __future__ import annotations

import math
import os

import pytest
from kinograph.nodes.video.nodes_load import KinoLoadVideo, KinoLoadVideoFolder
from kinograph.nodes.video.recipe import VideoError

TAKE_ALL = {"pattern": "*", "subfolders": False, "order": "name", "skip": 0, "limit": 0}


def test_a_file_in_a_subfolder_is_offered_and_loaded(clip):
    assert KinoLoadVideo.GET_SCHEMA().inputs[0].as_dict()["options"] == ["takes/clip.mp4"]
    (video,) = KinoLoadVideo.execute("takes/clip.mp4").args
    assert video.get_dimensions() == (64, 48)
    assert video.get_frame_count() == 30
    assert video.get_duration() == 3


def test_an_output_can_be_loaded_again(folders, clip):
    clip.rename(folders / "output/clip_00001_.mp4")
    (video,) = KinoLoadVideo.execute("clip_00001_.mp4 [output]").args
    assert video.get_frame_count() == 30


@pytest.mark.parametrize("name", ["../clip.mp4", "/etc/passwd", "gone.mp4", "takes", "takes\\clip.mp4"])
def test_a_bad_name_is_an_invalid_graph_and_an_error(clip, name):
    complaint = KinoLoadVideo.validate_inputs(name)
    assert isinstance(complaint, str)
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        KinoLoadVideo.execute(name)
    assert str(error.value) == complaint


@pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 5000])
def test_a_file_that_is_no_video_fails_where_it_is_loaded(clip, content):
    clip.write_bytes(content)
    with pytest.raises(VideoError, match=r"clip\.mp4"):
        KinoLoadVideo.execute("takes/clip.mp4")


def test_a_changed_file_runs_again_and_an_unchanged_one_does_not(clip):
    before = KinoLoadVideo.fingerprint_inputs("takes/clip.mp4")
    assert KinoLoadVideo.fingerprint_inputs("takes/clip.mp4") == before
    os.utime(clip, ns=(0, 0))
    assert KinoLoadVideo.fingerprint_inputs("takes/clip.mp4") != before


def test_a_name_from_another_node_is_checked_when_it_arrives():
    assert KinoLoadVideo.validate_inputs(None) is True
    assert math.isnan(KinoLoadVideo.fingerprint_inputs(None))
    assert KinoLoadVideoFolder.validate_inputs(None) is True
    assert math.isnan(KinoLoadVideoFolder.fingerprint_inputs(folder=".", **TAKE_ALL | {"skip": None}))


@pytest.fixture
def takes(clip):
    for age, name in enumerate(("take10.mp4", "take9.mp4", "Take_b.mov", "more/take1.mp4")):
        copy = clip.parent / name
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(clip.read_bytes())
        os.utime(copy, (1000 - age, 1000 - age))
    clip.unlink()
    return clip.parent


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ({}, ["take9.mp4", "take10.mp4", "Take_b.mov"]),
        ({"subfolders": True}, ["more/take1.mp4", "take9.mp4", "take10.mp4", "Take_b.mov"]),
        ({"pattern": "take?.mp4"}, ["take9.mp4"]),
        ({"pattern": "take_*"}, ["Take_b.mov"]),
        ({"order": "newest first"}, ["take10.mp4", "take9.mp4", "Take_b.mov"]),
        ({"order": "oldest first"}, ["Take_b.mov", "take9.mp4", "take10.mp4"]),
        ({"skip": 1, "limit": 1}, ["take10.mp4"]),
    ],
)
def test_a_folder_gives_the_chosen_clips_in_order(takes, choice, names):
    videos, found, stems = KinoLoadVideoFolder.execute("takes", **TAKE_ALL | choice).args
    assert found == names
    assert stems == [name[:-4] for name in names]
    assert [video.get_frame_count() for video in videos] == [30] * len(names)


def test_a_new_clip_in_the_folder_is_a_change(takes):
    before = KinoLoadVideoFolder.fingerprint_inputs(folder="takes", **TAKE_ALL)
    (takes / "take11.mp4").touch()
    assert KinoLoadVideoFolder.fingerprint_inputs(folder="takes", **TAKE_ALL) != before


def test_no_clip_left_says_how_many_there_were(takes):
    with pytest.raises(FileNotFoundError, match="3 videos match"):
        KinoLoadVideoFolder.execute("takes", **TAKE_ALL | {"skip": 3})
    assert "no folder 'gone'" in KinoLoadVideoFolder.validate_inputs("gone")
