"""`kinograph run` on graphs that are in order."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import av
import pytest


def report(output: str) -> dict:
    return json.loads(output.splitlines()[-1])


def frames(path: str) -> int:
    with av.open(path) as container:
        return sum(1 for _ in container.decode(video=0))


def tags(path: str) -> dict:
    with av.open(path) as container:
        return dict(container.metadata)


def test_the_last_line_tells_what_came_of_it(kinograph, graph, home):
    code, out, _ = kinograph("run", graph, "--json")
    told = report(out)
    assert (code, told["status"]) == (0, "done")
    assert told["outputs"] == [str(home / "output" / "cut" / "clip_00001_.mp4")]
    assert frames(told["outputs"][0]) == 12
    assert set(told["node_seconds"]) == {"1", "2", "3"}
    assert told["seconds"] > 0 and told["peak_rss_mb"] > 10
    assert told["errors"] == []


def test_without_json_the_last_line_is_the_film(kinograph, graph):
    code, out, _ = kinograph("run", graph)
    assert code == 0
    assert out.splitlines()[-1].endswith("clip_00001_.mp4")


def test_settings_reach_their_node_by_id_and_by_title(kinograph, graph):
    _, out, _ = kinograph(
        "run", graph, "--json", "--set", "Keep a second.end=1.0", "--set", "3.filename_prefix=short"
    )
    path = report(out)["outputs"][0]
    assert Path(path).name == "short_00001_.mp4"
    assert frames(path) == 6


def test_a_second_run_never_overwrites_the_first(kinograph, graph):
    _, first, _ = kinograph("run", graph, "--json")
    _, second, _ = kinograph("run", graph, "--json")
    assert report(first)["outputs"] != report(second)["outputs"]


def test_input_and_output_folders_can_be_elsewhere(kinograph, graph, home, clip, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    graph["1"]["inputs"]["file"] = clip.name
    (home / "input" / "clip.mp4").unlink()
    code, out, _ = kinograph("run", graph, "--json", "--input", clip.parent, "--output", elsewhere)
    assert code == 0
    assert Path(report(out)["outputs"][0]).is_relative_to(elsewhere)


def test_the_graph_is_in_the_file_unless_metadata_is_disabled(kinograph, graph):
    _, out, _ = kinograph("run", graph, "--json")
    assert json.loads(tags(report(out)["outputs"][0])["prompt"])["2"]["class_type"] == "KinoTrimVideo"
    _, out, _ = kinograph("run", graph, "--json", "--disable-metadata")
    assert "prompt" not in tags(report(out)["outputs"][0])


def test_an_editor_graph_is_saved_with_its_film(kinograph):
    source = {"id": 1, "type": "PrimitiveInt", "outputs": [{"name": "INT", "type": "INT", "links": [1]}]}
    sink = {"id": 2, "type": "EmptyImage", "widgets_values": [16, 8, 1, 255]}
    saver = {"id": 3, "type": "SaveImage", "widgets_values": ["blue"]}
    sink["outputs"] = [{"name": "IMAGE", "type": "IMAGE", "links": [2]}]
    saver["inputs"] = [{"name": "images", "type": "IMAGE", "link": 2}]
    source["widgets_values"] = [24, "fixed"]
    sink["inputs"] = [{"name": "width", "type": "INT", "link": 1, "widget": {"name": "width"}}]
    links = [[1, 1, 0, 2, 0, "INT"], [2, 2, 0, 3, 0, "IMAGE"]]
    document = {"nodes": [source, sink, saver], "links": links, "groups": [], "extra": {}, "version": 0.4}
    code, out, _ = kinograph("run", document, "--json")
    from PIL import Image

    assert code == 0
    with Image.open(report(out)["outputs"][0]) as picture:
        assert picture.size == (24, 8)
        assert picture.getpixel((0, 0)) == (0, 0, 255)
        assert json.loads(picture.info["workflow"]) == document
        assert json.loads(picture.info["prompt"])["2"]["inputs"]["width"] == ["1", 0]


def test_texts_that_nodes_show_are_printed(kinograph):
    graph = {
        "1": {"class_type": "PrimitiveString", "inputs": {"value": "a line\nand another"}},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
    }
    _, out, _ = kinograph("run", graph, "--json")
    assert out.splitlines()[:2] == ["a line", "and another"]
    assert report(out)["texts"] == {"2": ["a line\nand another"]}


def test_quiet_shows_no_progress(kinograph, graph):
    _, _, err = kinograph("run", graph, "--quiet", "--json")
    assert "SaveVideo" not in err


def test_previews_do_not_outlive_the_run(kinograph, home):
    graph = {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    code, out, _ = kinograph("run", graph, "--json")
    assert code == 0
    assert report(out)["outputs"] == []
    assert not (home / "temp").exists()


def test_a_run_that_ends_does_not_disturb_one_that_begins(kinograph, home, monkeypatch):
    make, calls = tempfile.mkdtemp, []

    def after_the_other_has_ended(**where):
        if not calls:
            os.rmdir(home / "temp")
        calls.append(where)
        return make(**where)

    monkeypatch.setattr(tempfile, "mkdtemp", after_the_other_has_ended)
    assert kinograph("run", {"1": {"class_type": "PreviewAny", "inputs": {"source": 1}}})[0] == 0
    assert len(calls) == 2


@pytest.fixture
def pack(tmp_path_factory) -> Path:
    """Another pack in the older style: a node that works, one that breaks."""
    folder = tmp_path_factory.mktemp("packs") / "others"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "class Double:\n"
        "    RETURN_TYPES, FUNCTION, CATEGORY = ('INT',), 'work', 'others'\n"
        "    @classmethod\n"
        "    def INPUT_TYPES(cls):\n"
        "        return {'required': {'value': ('INT', {'default': 1})}}\n"
        "    def work(self, value):\n"
        "        return (value * 2,)\n"
        "class Broken(Double):\n"
        "    def work(self, value):\n"
        "        return {}['absent']\n"
        "NODE_CLASS_MAPPINGS = {'Double': Double, 'Broken': Broken}\n"
    )
    return folder


def numbers(kind: str) -> dict:
    return {
        "1": {"class_type": kind, "inputs": {"value": 21}, "_meta": {"title": "Sums"}},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
    }


def test_another_packs_nodes_run_beside_ours(kinograph, pack):
    code, out, _ = kinograph("run", numbers("Double"), "--pack", pack, "--json")
    assert (code, report(out)["texts"]) == (0, {"2": ["42"]})


def test_what_a_pack_prints_is_kept_apart_from_the_results(kinograph, pack):
    source = (pack / "__init__.py").read_text()
    chatty = source.replace("return (value", "print('working', end=''); return (value")
    (pack / "__init__.py").write_text(f"{chatty}print('loaded')\n")
    code, out, err = kinograph("run", numbers("Double"), "--pack", pack, "--json")
    assert (code, out.splitlines()[0], len(out.splitlines())) == (0, "42", 2)
    assert "loaded" in err and "working" in err


def test_odd_things_that_a_pack_shows_are_no_obstacle(kinograph, pack):
    source = (pack / "__init__.py").read_text()
    shown = "{'text': [value], 'images': [{'type': 'output', 'filename': 5}, 'a.png']}"
    shows = source.replace("return (value * 2,)", f"return {{'ui': {shown}, 'result': (value,)}}")
    (pack / "__init__.py").write_text(shows)
    code, out, _ = kinograph("run", numbers("Double"), "--pack", pack, "--json")
    told = report(out)
    assert (code, told["texts"], told["outputs"]) == (0, {"1": ["21"], "2": ["21"]}, [])


def test_a_result_is_freed_after_its_last_use(kinograph, tmp_path):
    (tmp_path / "pack.py").write_text(
        "import weakref\n"
        "made = []\n"
        "class Value: pass\n"
        "class Make:\n"
        "    RETURN_TYPES, FUNCTION, CATEGORY = ('*',), 'work', 'others'\n"
        "    @classmethod\n"
        "    def INPUT_TYPES(cls):\n"
        "        return {'optional': {'value': ('*',)}}\n"
        "    def work(self, value=None):\n"
        "        result = Value()\n"
        "        made.append(weakref.ref(result))\n"
        "        return (result,)\n"
        "class Count(Make):\n"
        "    def work(self, value=None):\n"
        "        return (sum(one() is not None for one in made),)\n"
        "NODE_CLASS_MAPPINGS = {'Make': Make, 'Count': Count}\n"
    )
    chain = {
        str(step): {"class_type": "Make", "inputs": {"value": [str(step - 1), 0]}} for step in range(1, 5)
    }
    graph = {
        "0": {"class_type": "Make", "inputs": {}},
        **chain,
        "5": {"class_type": "Count", "inputs": {"value": ["4", 0]}},
        "6": {"class_type": "PreviewAny", "inputs": {"source": ["5", 0]}},
    }
    _, out, _ = kinograph("run", graph, "--pack", tmp_path / "pack.py", "--json")
    assert report(out)["texts"] == {"6": ["1"]}


def test_a_node_that_breaks_is_named_with_a_remedy(kinograph, pack):
    code, out, err = kinograph("run", numbers("Broken"), "--pack", pack, "--json")
    told = report(out)
    assert (code, told["status"]) == (1, "failed")
    assert told["errors"][0]["node"] == "1"
    assert "Sums (node 1, Broken): KeyError" in err
    assert "--traceback" in err
    assert "Traceback" not in err
