"""Graphs that cannot run: each refused with node, input and remedy, and nothing written."""

from __future__ import annotations

import json
import os

import pytest


def refused(result, *, code: int = 2) -> list[dict]:
    """The errors of a run that must have ended with this exit code."""
    found, out, _ = result
    assert found == code
    told = json.loads(out.splitlines()[-1])
    assert told["status"] == {1: "failed", 2: "invalid"}[code]
    assert told["outputs"] == []
    return told["errors"]


def written(home) -> list[str]:
    return [name for _, _, names in os.walk(home / "output") for name in names]


def test_a_missing_node_type_names_the_node_and_the_remedy(kinograph, graph):
    graph["2"]["class_type"] = "TrimFromAnotherPack"
    (error,) = refused(kinograph("run", graph, "--json"))
    assert "TrimFromAnotherPack" in error["message"]
    assert error["node"] == "2"
    assert "--pack" in error["remedy"]


def test_an_editor_graph_with_missing_nodes_lists_them_with_their_pack(kinograph):
    node = {"id": 4, "type": "Sharpen", "properties": {"cnr_id": "sharp-pack"}}
    document = {"nodes": [node], "links": [], "version": 0.4}
    (error,) = refused(kinograph("run", document, "--json"))
    assert "Sharpen" in error["message"] and "sharp-pack" in error["message"]


def test_a_link_of_the_wrong_type_names_both_types(kinograph, graph):
    graph["4"] = {"class_type": "PrimitiveInt", "inputs": {"value": 1}}
    graph["2"]["inputs"]["video"] = ["4", 0]
    (error,) = refused(kinograph("run", graph, "--json"))
    assert (error["node"], error["input"]) == ("2", "video")
    assert "INT" in error["message"] and "VIDEO" in error["message"]
    assert error["remedy"]


def test_a_cycle_names_its_nodes(kinograph, graph):
    graph["1"] = {**graph["2"], "inputs": {**graph["2"]["inputs"], "video": ["2", 0]}}
    errors = refused(kinograph("run", graph, "--json"))
    assert {error["node"] for error in errors} == {"1", "2"}
    assert "cycle" in errors[0]["message"]
    assert "remove one of these links" in errors[0]["remedy"]


def test_one_invalid_output_refuses_the_whole_graph(kinograph, graph, home):
    graph["4"] = {"class_type": "SaveVideo", "inputs": {**graph["3"]["inputs"], "format": "floppy"}}
    (error,) = refused(kinograph("run", graph, "--json"))
    assert (error["node"], error["input"]) == ("4", "format")
    assert written(home) == []


def test_partial_runs_the_valid_outputs_and_tells_what_is_left_out(kinograph, graph, home):
    graph["4"] = {"class_type": "SaveVideo", "inputs": {**graph["3"]["inputs"], "format": "floppy"}}
    code, out, err = kinograph("run", graph, "--partial", "--json")
    told = json.loads(out.splitlines()[-1])
    assert (code, told["status"]) == (0, "done")
    assert written(home) == ["clip_00001_.mp4"]
    assert "input format" in err and told["errors"][0]["node"] == "4"


def test_a_setting_without_a_place_is_refused(kinograph, graph):
    (error,) = refused(kinograph("run", graph, "--set", "Keep a second.ende=2", "--json"))
    assert "ende" in error["message"]


LOADERS = {"KinoLoadVideo": "file", "LoadVideo": "file", "LoadImage": "image", "LoadAudio": "audio"}


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    "name", ["../secret.mp4", "{outside}/secret.mp4", "link.mp4", "a\0b.mp4", "none.mp4"]
)
def test_a_name_that_leaves_the_input_folder_is_refused(kinograph, home, loader, name):
    (home / "secret.mp4").write_bytes((home / "input" / "clip.mp4").read_bytes())
    (home / "input" / "link.mp4").symlink_to(home / "secret.mp4")
    given = name.replace("{outside}", str(home))
    graph = {
        "1": {"class_type": loader, "inputs": {LOADERS[loader]: given}},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
    }
    (error,) = refused(kinograph("run", graph, "--json"))
    assert (error["node"], error["input"]) == ("1", LOADERS[loader])


@pytest.mark.parametrize("loader", ["KinoLoadVideo", "LoadAudio"])  # core's LoadVideo opens later
def test_a_playlist_that_leaves_the_input_folder_is_refused(kinograph, home, loader):
    """FFmpeg would read what it names, and put it into the result."""
    secret = home / "secret.mp4"
    secret.write_bytes((home / "input" / "clip.mp4").read_bytes())
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\n{secret}\n#EXT-X-ENDLIST\n"
    (home / "input" / "list.m3u8").write_text(playlist)
    graph = {
        "1": {"class_type": loader, "inputs": {LOADERS[loader]: "list.m3u8"}},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
    }
    (error,) = refused(kinograph("run", graph, "--json"), code=1)
    assert "list.m3u8" in error["message"] and "playlist" in error["message"]


@pytest.mark.parametrize("prefix", ["../escaped", "{outside}/escaped", "link/escaped"])
@pytest.mark.parametrize("saver", ["SaveVideo", "SaveImage", "SaveAudio", "KinoEncodeVideo"])
def test_a_prefix_that_leaves_the_output_folder_writes_nothing(kinograph, graph, home, saver, prefix):
    (home / "elsewhere").mkdir()
    (home / "output").mkdir()
    (home / "output" / "link").symlink_to(home / "elsewhere")
    given = prefix.replace("{outside}", str(home / "elsewhere"))
    sources = {
        "SaveImage": {"images": ["5", 0]},
        "SaveAudio": {"audio": ["5", 1]},
        "SaveVideo": {"video": ["2", 0], "format": "auto", "codec": "auto"},
        "KinoEncodeVideo": {"video": ["2", 0], **encode_defaults()},
    }
    graph["5"] = {"class_type": "GetVideoComponents", "inputs": {"video": ["2", 0]}}
    graph["3"] = {"class_type": saver, "inputs": {**sources[saver], "filename_prefix": given}}
    code, out, _ = kinograph("run", graph, "--json")
    assert code in (1, 2)
    assert json.loads(out.splitlines()[-1])["errors"][0]["node"] == "3"
    assert not [name for _, _, names in os.walk(home) for name in names if "escaped" in name]


def encode_defaults() -> dict:
    return {
        "container": "mp4",
        "codec": "auto",
        "crf": -1.0,
        "preset": "auto",
        "bit_depth": "auto",
        "pixel_format": "auto",
        "audio_codec": "auto",
        "audio_bitrate": 0,
        "constant_rate": False,
        "embed_workflow": True,
    }


@pytest.mark.parametrize("damage", ["cut short", "empty", "text"])
@pytest.mark.parametrize("loader", ["KinoLoadVideo", "LoadVideo"])
def test_a_broken_file_is_named_and_leaves_nothing(kinograph, graph, home, loader, damage):
    path = home / "input" / "clip.mp4"
    whole = path.read_bytes()
    path.write_bytes({"cut short": whole[: len(whole) // 2], "empty": b"", "text": b"not a film"}[damage])
    graph["1"]["class_type"] = loader
    (error,) = refused(kinograph("run", graph, "--json"), code=1)
    assert "clip.mp4" in error["message"]
    assert written(home) == []


@pytest.mark.parametrize(
    "text", ["", "not json", "[1, 2]", "{}", '{"nodes": 3}', "[" * 5000 + "]" * 5000, '{"1": {"inputs": {}}}']
)
def test_a_file_that_is_no_graph_is_refused(kinograph, home, text):
    path = home / "broken.json"
    path.write_text(text)
    (error,) = refused(kinograph("run", path, "--json"))
    assert "broken.json" in error["message"]


def test_a_graph_that_saves_nothing_says_so(kinograph, graph):
    del graph["3"]
    (error,) = refused(kinograph("run", graph, "--json"))
    assert "Encode Video" in error["remedy"]


@pytest.mark.parametrize("meta", [3, [], {"title": ["a"]}])
def test_a_title_that_is_no_text_is_refused(kinograph, graph, meta):
    graph["2"]["_meta"] = meta
    (error,) = refused(kinograph("run", graph, "--set", "3.codec=x", "--json"))
    assert "node 2" in error["message"]


def test_a_node_without_inputs_lacks_those_it_requires(kinograph, graph):
    del graph["2"]["inputs"]
    errors = refused(kinograph("run", graph, "--set", "2.start=1", "--json"))
    assert ("2", "video") in [(error["node"], error["input"]) for error in errors]


@pytest.mark.parametrize("file", [3, 1.5, True, ["a"], {"a": 1}])
@pytest.mark.parametrize("loader", LOADERS)
def test_a_file_name_that_is_no_text_is_refused(kinograph, loader, file):
    graph = {
        "1": {"class_type": loader, "inputs": {LOADERS[loader]: file}},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
    }
    (error,) = refused(kinograph("run", graph, "--json"))
    assert (error["node"], error["input"]) == ("1", LOADERS[loader])


def test_arguments_that_name_nothing_end_with_two(kinograph, graph, home):
    (error,) = refused(kinograph("run", home / "absent.json", "--json"))
    assert "absent.json" in error["message"]
    assert kinograph("run", graph, "--input", home / "absent")[0] == 2
    assert kinograph("run", graph, "--pack", home / "absent")[0] == 2
    in_a_file = home / "input" / "clip.mp4" / "output"
    (error,) = refused(kinograph("run", graph, "--output", in_a_file, "--json"))
    assert "clip.mp4 is a file" in error["message"]


def test_a_temp_folder_that_cannot_be_made_is_refused_with_a_remedy(kinograph, graph, home):
    (home / "temp").write_text("in the way")
    (error,) = refused(kinograph("run", graph, "--json"))
    assert "KINOGRAPH_HOME" in error["message"]
