"""Names from a workflow reach the host's folders and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kinograph.nodes.folders import (
    PathRefused,
    check_portable,
    input_file,
    input_folder,
    input_subfolders,
    input_videos,
    videos_in,
)

HOSTILE = [
    "../secret.mp4",
    "takes/../../secret.mp4",
    "..",
    "/etc/passwd",
    "C:/windows/win.ini",
    "C:secret.mp4",
    "..\\secret.mp4",
    "takes\\clip.mp4",
    "\\\\server\\share\\clip.mp4",
    "clip.mp4\0.png",
    "clip\n.mp4",
    "NUL",
    "takes/con.mp4",
    "clip\ud800.mp4",
    "x" * 300,
    "a/" * 600 + "clip.mp4",
    "com1.mp4",
    "",
    "   ",
    "../secret.mp4 [output]",
    "/etc/passwd [input]",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_leave_the_folder_are_refused(folders, name):
    (folders / "secret.mp4").write_bytes(b"secret")
    with pytest.raises(PathRefused):
        input_file(name)
    with pytest.raises(PathRefused):
        check_portable(name.removesuffix(" [output]").removesuffix(" [input]"))


@given(st.text(st.sampled_from("./\\:ac~%\0 \ud800CON"), max_size=12))
def test_any_accepted_name_lies_below_its_folder(name):
    base = Path("/somewhere/output")
    try:
        check_portable(name)
    except PathRefused:
        return
    assert Path(os.path.normpath(base / name)).is_relative_to(base)
    assert Path(os.path.normpath(base / name)) != base


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_a_link_that_leads_to_itself_is_a_missing_file(folders):
    (folders / "input/loop.mp4").symlink_to("loop.mp4")
    with pytest.raises(FileNotFoundError, match="no file"):
        input_file("loop.mp4")


def test_a_refusal_says_what_to_write_instead(folders):
    with pytest.raises(PathRefused, match=r"takes/clip\.mp4"):
        input_file("takes\\clip.mp4")


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_links_that_leave_are_refused_and_links_that_stay_are_followed(folders):
    (folders / "secret.mp4").write_bytes(b"secret")
    (folders / "input/real.mp4").write_bytes(b"real")
    (folders / "input/out.mp4").symlink_to(folders / "secret.mp4")
    (folders / "input/elsewhere").symlink_to(folders)
    (folders / "input/alias.mp4").symlink_to("real.mp4")
    for name in ("out.mp4", "elsewhere/secret.mp4"):
        with pytest.raises(PathRefused, match="leaves the input folder"):
            input_file(name)
    with pytest.raises(PathRefused, match="leaves the input folder"):
        input_folder("elsewhere")
    assert input_file("alias.mp4").read_bytes() == b"real"
    assert input_videos() == ["alias.mp4", "real.mp4"]
    assert input_subfolders() == ["."]


def test_an_annotation_names_the_folder(folders):
    for folder in ("input", "output", "temp"):
        (folders / folder / "clip.mp4").write_text(folder)
    assert input_file("clip.mp4").read_text() == "input"
    assert input_file("clip.mp4 [output]").read_text() == "output"
    assert input_file("clip.mp4 [temp]").read_text() == "temp"


def test_a_missing_file_and_a_folder_are_told_apart(folders):
    (folders / "input/takes").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no file 'gone\.mp4' in the input folder"):
        input_file("gone.mp4")
    with pytest.raises(FileNotFoundError, match="is a folder"):
        input_file("takes")
    with pytest.raises(FileNotFoundError, match="no folder 'gone'"):
        input_folder("gone")


def test_choices_hold_videos_of_all_subfolders_only(folders):
    (folders / "input/a/b").mkdir(parents=True)
    for name in ("z.mp4", "a/clip.MKV", "a/b/loop.gif", "a/notes.txt", "picture.png", ".hidden.mp4"):
        (folders / "input" / name).touch()
    assert input_videos() == ["a/b/loop.gif", "a/clip.MKV", "z.mp4"]
    assert input_subfolders() == [".", "a", "a/b"]
    assert [path.name for path in videos_in(input_folder("a"), recursive=False)] == ["clip.MKV"]


@pytest.mark.parametrize(
    "name", ["what?.mp4", "a:b", "video/clip.", "video/ /clip", "video//clip", "x" * 201]
)
def test_names_that_windows_cannot_store_are_refused_for_new_files(name):
    with pytest.raises(PathRefused):
        check_portable(name)
