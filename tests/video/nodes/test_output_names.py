"""Saved files get names of their own, at once and whole, or none."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from kinograph.nodes.folders import PathRefused
from kinograph.nodes.output_names import expand_tokens, new_output

NOW = datetime(2031, 4, 5, 6, 7, 8)


@pytest.mark.parametrize(
    ("prefix", "name"),
    [
        ("%date:yyyy-MM-dd%/clip", "2031-04-05/clip"),
        ("%date:yy.M.d hh-mm-ss%", "31.4.5 06-07-08"),
        ("%year%%month%%day%_%hour%%minute%%second%", "20310405_060708"),
        ("%width%x%height%", "640x360"),
        ("100% of %nothing%", "100% of %nothing%"),
    ],
)
def test_tokens(prefix, name):
    assert expand_tokens(prefix, {"width": 640, "height": 360}, NOW) == name


def _save(prefix: str, text: str, suffix: str = ".mp4") -> str:
    with new_output(prefix, suffix, {}) as output:
        output.part.write_text(text)
    return output.path.name


def test_numbers_go_on_after_the_highest_of_any_suffix_and_case(folders):
    for name in ("clip_00007_.png", "CLIP_00009_.webm", "clip_again_00040_.mp4", "clip.mp4"):
        (folders / "output" / name).touch()
    assert _save("clip", "x") == "clip_00010_.mp4"


def test_eight_threads_never_share_a_name(folders):
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda number: _save("video/clip", str(number)), range(64)))
    folder = folders / "output/video"
    assert sorted(names) == [f"clip_{number:05}_.mp4" for number in range(1, 65)]
    assert [(folder / name).read_text() for name in names] == [str(number) for number in range(64)]
    assert len(os.listdir(folder)) == 64


def test_a_file_that_appears_meanwhile_is_kept(folders):
    with new_output("clip", ".mp4", {}) as output:
        output.part.write_text("ours")
        output.path.write_text("theirs")
    assert (folders / "output/clip_00001_.mp4").read_text() == "theirs"
    assert (folders / "output/clip_00002_.mp4").read_text() == "ours"


def test_nothing_is_published_before_the_end_and_nothing_is_left_after_a_failure(folders):
    with pytest.raises(KeyboardInterrupt), new_output("clip", ".mp4", {}) as output:
        output.part.write_text("half")
        assert not output.path.exists()
        raise KeyboardInterrupt
    assert os.listdir(folders / "output") == []


def test_a_killed_writer_does_not_block_the_next(folders):
    (folders / "output/.clip_00001_.part.mp4").touch()
    assert _save("clip", "x") == "clip_00002_.mp4"


def test_file_systems_without_hard_links_work(folders, monkeypatch):
    def no_links(source, target):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    assert [_save("clip", "x"), _save("clip", "y")] == ["clip_00001_.mp4", "clip_00002_.mp4"]
    assert sorted(os.listdir(folders / "output")) == ["clip_00001_.mp4", "clip_00002_.mp4"]


@pytest.mark.parametrize("prefix", ["../clip", "/tmp/clip", "video/", "a/../../clip", "%date:yyyy%/../../x"])
def test_prefixes_that_leave_the_output_folder_are_refused(folders, prefix):
    with pytest.raises(PathRefused), new_output(prefix, ".mp4", {}):
        pass
    assert sorted(os.listdir(folders)) == ["input", "output", "temp"]
    assert os.listdir(folders / "output") == []


def test_a_file_in_place_of_a_subfolder_is_told(folders):
    (folders / "output/video").touch()
    for prefix in ("video/clip", "video/more/clip"):
        with pytest.raises(PathRefused, match="names a file"), new_output(prefix, ".mp4", {}):
            pass


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_a_linked_subfolder_that_leaves_is_refused(folders):
    (folders / "output/out").symlink_to(folders)
    with pytest.raises(PathRefused, match="leaves the output folder"), new_output("out/clip", ".mp4", {}):
        pass
