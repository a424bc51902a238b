"""`kinograph convert`: saved graphs into the API format."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

DOCUMENT = {
    "nodes": [
        {"id": 1, "type": "EmptyImage", "widgets_values": [16, 8, 1, 255], "outputs": [{"links": [1]}]},
        {"id": 2, "type": "SaveImage", "inputs": [{"name": "images", "type": "IMAGE", "link": 1}]},
    ],
    "links": [[1, 1, 0, 2, 0, "IMAGE"]],
    "version": 0.4,
}


@pytest.fixture
def saved(home):
    def save(name: str, document: dict = DOCUMENT):
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
        return path

    return save


def test_one_graph_goes_to_standard_output(kinograph, saved):
    code, out, _ = kinograph("convert", saved("a.json"))
    prompt = json.loads(out)
    assert code == 0
    assert prompt["1"]["inputs"] == {"width": 16, "height": 8, "batch_size": 1, "color": 255}
    assert prompt["2"]["inputs"]["images"] == ["1", 0]


def test_one_graph_goes_to_the_file_named(kinograph, saved, home):
    assert kinograph("convert", saved("a.json"), "-o", home / "prompts" / "a.api.json")[0] == 0
    assert json.loads((home / "prompts" / "a.api.json").read_text())["2"]["class_type"] == "SaveImage"


def test_several_graphs_go_to_a_folder_and_one_failure_stops_no_other(kinograph, saved, home):
    lost = {**DOCUMENT, "nodes": [{"id": 3, "type": "Lost"}], "links": []}
    given = [saved("a.json"), saved("lost.json", lost), home / "absent.json", saved("b.json")]
    code, _, err = kinograph("convert", *given, "-o", home / "prompts")
    assert code == 2
    assert sorted(path.name for path in (home / "prompts").iterdir()) == ["a.json", "b.json"]
    assert "Lost" in err and "lost.json" in err and "absent.json" in err and "2 of 4 converted" in err


def test_the_graph_of_a_picture_becomes_a_json_file(kinograph, saved, home):
    graph = {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}}
    }
    graph["2"] = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "a"}}
    assert kinograph("run", saved("graph.json", graph))[0] == 0
    assert kinograph("convert", home / "output" / "a_00001_.png", "-o", f"{home}/prompts/")[0] == 0
    assert json.loads((home / "prompts" / "a_00001_.json").read_text()) == graph


def test_a_foreign_object_info_stands_for_a_real_comfyui(kinograph, saved, home):
    info = {
        "Alien": {
            "input": {"required": {"count": ["INT", {"default": 1}]}},
            "input_order": {"required": ["count"]},
            "output": [],
            "output_node": True,
            "display_name": "Alien",
        }
    }
    (home / "info.json").write_text(json.dumps(info))
    alien = {"nodes": [{"id": 9, "type": "Alien", "widgets_values": [5]}], "links": [], "version": 0.4}
    code, out, _ = kinograph("convert", saved("alien.json", alien), "--object-info", home / "info.json")
    assert (code, json.loads(out)["9"]["inputs"]) == (0, {"count": 5})


def test_what_cannot_be_told_apart_or_would_be_overwritten_is_refused(kinograph, saved, home):
    original = saved("a.json")
    assert kinograph("convert", original, "-o", original)[0] == 2
    assert json.loads(original.read_text()) == DOCUMENT
    code, _, err = kinograph("convert", original, saved("other/a.json"), "-o", home / "prompts")
    assert code == 2 and "several graphs are named a.json" in err
    assert kinograph("convert", original, "--object-info", home / "absent.json")[0] == 2


def test_an_object_info_that_describes_no_nodes_is_refused(kinograph, saved, home):
    for text in ("[]", '{"EmptyImage": 3}', "[" * 5000):
        (home / "info.json").write_text(text)
        code, _, err = kinograph("convert", saved("a.json"), "--object-info", home / "info.json")
        assert code == 2 and "save http" in err


def test_a_graph_is_named_once_in_its_error(kinograph, saved, home):
    (home / "broken.json").write_text("{")
    _, _, err = kinograph("convert", home / "broken.json")
    assert err.count("broken.json") == 1


def test_a_pack_that_does_not_load_is_told(kinograph, saved, home):
    (home / "pack").mkdir()
    (home / "pack" / "__init__.py").write_text("import absent_package\n")
    assert "absent_package" in kinograph("convert", saved("a.json"), "--pack", home / "pack")[2]


def test_a_folder_that_cannot_be_made_is_one_line_of_error(kinograph, saved):
    graph = saved("a.json")
    code, _, err = kinograph("convert", graph, "-o", graph / "inside" / "b.json")
    assert (code, len(err.splitlines())) == (1, 1)
    assert "Traceback" not in err


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")
def test_a_pipe_is_written_to_and_not_replaced(kinograph, saved, home):
    pipe = home / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        assert kinograph("convert", saved("a.json"), "-o", pipe)[0] == 0
        assert set(json.loads(reader.communicate(timeout=20)[0])) == {"1", "2"}
    assert pipe.is_fifo()


def test_packs_beside_an_object_info_would_go_unused(kinograph, saved, home):
    with pytest.raises(SystemExit) as left:
        kinograph("convert", saved("a.json"), "--object-info", home / "info.json", "--pack", home)
    assert left.value.code == 2
