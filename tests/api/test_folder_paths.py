"""Folders and files: listing, finding, naming, and never leaving the folder."""

import os
import re
import time

import folder_paths
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kinograph.host.api.path_names import path_inside


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A base directory of the test's own; the folders of before come back afterwards."""
    before = folder_paths.base_path
    known = dict(folder_paths.folder_names_and_paths)
    folder_paths.set_base_directory(str(tmp_path))
    for name in ("input", "output", "models/vae"):
        (tmp_path / name).mkdir(parents=True)
    yield tmp_path
    folder_paths.folder_names_and_paths.clear()
    folder_paths.folder_names_and_paths.update(known)
    folder_paths.set_base_directory(before)


HOSTILE_NAMES = ["../secret.txt", "sub/../../secret.txt", "/etc/passwd", "..", "a\0.png", "link.txt"]


@pytest.fixture
def secret(home):
    """A file beside the input folder, and a link to it inside."""
    (home / "secret.txt").write_text("secret")
    (home / "input" / "sub").mkdir()
    (home / "input" / "link.txt").symlink_to(home / "secret.txt")


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_names_that_leave_the_input_folder_are_refused(secret, name):
    assert not folder_paths.exists_annotated_filepath(name)
    with pytest.raises(folder_paths.OutsideFolderError, match="inside"):
        folder_paths.get_annotated_filepath(name)


@given(st.lists(st.sampled_from(["..", ".", "a", "", "b c", "\0", "~", "a\\..", "%2e%2e"]), max_size=6))
def test_a_joined_name_is_inside_or_refused(parts):
    try:
        path = path_inside("/srv/media/input", "/".join(parts))
    except folder_paths.OutsideFolderError:
        return
    assert os.path.commonpath([os.path.realpath(path), "/srv/media/input"]) == "/srv/media/input"


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/tmp/x", "..", "a\0b"])
def test_outputs_stay_in_the_output_folder(home, name):
    with pytest.raises(folder_paths.OutsideFolderError):
        folder_paths.get_save_image_path(name, folder_paths.get_output_directory())
    assert not (home / "x").exists()


@pytest.mark.parametrize("name", ["../../secret.txt", "/etc/passwd", "a\0"])
def test_model_names_stay_in_their_folders(secret, name):
    assert folder_paths.get_full_path("vae", name) is None


def test_the_message_names_the_file_and_the_folder(home):
    with pytest.raises(folder_paths.OutsideFolderError, match=re.escape(f"'../x' leads out of {home}")):
        folder_paths.get_annotated_filepath("../x")


@pytest.mark.parametrize(
    ("name", "folder"), [("clip.mp4", "input"), ("clip.mp4 [output]", "output"), ("clip.mp4 [temp]", "temp")]
)
def test_a_mark_names_the_folder(home, name, folder):
    assert folder_paths.get_annotated_filepath(name) == str(home / folder / "clip.mp4")


def test_an_existing_file_exists(home):
    (home / "output" / "a").mkdir()
    (home / "output" / "a" / "clip.mp4").touch()
    assert folder_paths.exists_annotated_filepath("a/clip.mp4 [output]")
    assert not folder_paths.exists_annotated_filepath("a/clip.mp4")


def test_models_are_listed_recursively_and_by_extension(home):
    for name in ("b.safetensors", "deep/er/a.CKPT", "readme.txt", ".git/c.pt"):
        file = home / "models" / "vae" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert folder_paths.get_filename_list("vae") == ["b.safetensors", os.path.join("deep", "er", "a.CKPT")]
    assert folder_paths.get_full_path("vae", "deep/er/a.CKPT") == str(home / "models/vae/deep/er/a.CKPT")


def test_a_listing_follows_its_folders(home):
    vae = home / "models" / "vae"
    assert folder_paths.get_filename_list("vae") == []
    (vae / "one.pt").touch()
    os.utime(vae, (time.time() + 5,) * 2)  # clocks of file systems may be coarse
    assert folder_paths.get_filename_list("vae") == ["one.pt"]
    extra = home / "elsewhere"
    folder_paths.add_model_folder_path("vae", str(extra))
    assert folder_paths.get_filename_list("vae") == ["one.pt"]
    extra.mkdir()
    (extra / "two.pt").touch()
    assert folder_paths.get_filename_list("vae") == ["one.pt", "two.pt"]


def test_a_link_to_a_folder_above_does_not_loop(home):
    vae = home / "models" / "vae"
    (vae / "one.pt").touch()
    (vae / "up").symlink_to(vae)
    assert folder_paths.get_filename_list("vae") == ["one.pt"]


def test_a_users_link_to_a_model_elsewhere_is_followed(home):
    (home / "big.safetensors").touch()
    (home / "models/vae/big.safetensors").symlink_to(home / "big.safetensors")
    assert folder_paths.get_full_path("vae", "big.safetensors") == str(home / "models/vae/big.safetensors")


def test_a_default_folder_is_searched_first(home):
    folder_paths.add_model_folder_path("vae", "/second")
    folder_paths.add_model_folder_path("vae", "/first", is_default=True)
    folder_paths.add_model_folder_path("vae", "/second", is_default=True)
    assert folder_paths.get_folder_paths("vae") == ["/second", "/first", str(home / "models" / "vae")]


def test_a_new_kind_has_no_extension_filter(home):
    (home / "notes").mkdir()
    (home / "notes" / "a.txt").touch()
    folder_paths.add_model_folder_path("kino_notes", str(home / "notes"))
    assert folder_paths.get_filename_list("kino_notes") == ["a.txt"]


def test_old_names_of_kinds_still_serve(home):
    assert folder_paths.get_folder_paths("unet") == folder_paths.get_folder_paths("diffusion_models")
    assert folder_paths.get_folder_paths("clip") == folder_paths.get_folder_paths("text_encoders")


def test_a_missing_model_is_named(home):
    with pytest.raises(FileNotFoundError, match=r"'vae'.*'gone\.pt'"):
        folder_paths.get_full_path_or_raise("vae", "gone.pt")
    with pytest.raises(KeyError):
        folder_paths.get_filename_list("no_such_kind")


def test_outputs_are_numbered_above_those_in_use(home):
    out = home / "output" / "shots"
    out.mkdir()
    for name in ("take_00003_.png", "take_00007_.mp4", "take_x_.png", "taken_00099_.png", "take_12.png"):
        (out / name).touch()
    folder, name, counter, subfolder, prefix = folder_paths.get_save_image_path(
        "shots/take", str(home / "output")
    )
    assert (folder, name, counter) == (str(out), "take", 8)
    assert (subfolder, prefix) == ("shots", "shots/take")


def test_tokens_in_a_prefix_are_filled_in(home):
    prefix = folder_paths.get_save_image_path("%year%/%width%x%height%_%nope%", str(home / "output"), 64, 32)[
        4
    ]
    assert prefix == f"{time.localtime().tm_year}/64x32_%nope%"
    assert (home / "output" / str(time.localtime().tm_year)).is_dir()


def test_files_are_sorted_out_by_content():
    files = ["a.mp4", "b.mkv", "c.webp", "d.flac", "e.glb", "f.txt", "noextension", "G.PNG"]
    assert folder_paths.filter_files_content_types(files, ["video"]) == ["a.mp4", "b.mkv"]
    assert folder_paths.filter_files_content_types(files, ["image", "audio"]) == ["c.webp", "d.flac", "G.PNG"]
    assert folder_paths.filter_files_content_types(files, ["model"]) == ["e.glb"]


def test_input_subfolders_are_listed_with_forward_slashes(home):
    (home / "input" / "b" / "c").mkdir(parents=True)
    (home / "input" / "a").mkdir()
    assert folder_paths.get_input_subfolders() == ["a", "b", "b/c"]


def test_the_hosts_own_user_folders_are_out_of_reach(home):
    assert folder_paths.get_public_user_directory("anna") == str(home / "user" / "anna")
    assert folder_paths.get_public_user_directory("__cache") is None
    assert folder_paths.get_public_user_directory("../input") is None
    assert folder_paths.get_system_user_directory("cache") == str(home / "user" / "__cache")
    with pytest.raises(ValueError, match="no name for a system user"):
        folder_paths.get_system_user_directory("../x")
