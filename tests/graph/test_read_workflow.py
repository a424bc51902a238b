"""Reading files: both versions of the format, API prompts, media, and everything that is not a workflow."""

from __future__ import annotations

import json

import pytest
from kinograph.host.graph import WorkflowError, is_prompt, read_workflow, reading, to_prompt

GRAPH = {
    "nodes": [
        {"id": 1, "type": "Load", "widgets_values": ["a.png", "image"]},
        {
            "id": 2,
            "type": "Blur",
            "inputs": [{"name": "image", "type": "IMAGE", "link": 7}],
            "widgets_values": [5],
        },
    ],
    "links": [[7, 1, 0, 2, 0, "IMAGE"]],
    "version": 0.4,
}
PROMPT = {"1": {"class_type": "Load", "inputs": {"image": "a.png"}}}


def test_version_1_link_objects_mean_the_same_as_version_0_4_arrays(definitions):
    link = {"id": 7, "origin_id": 1, "origin_slot": 0, "target_id": 2, "target_slot": 0, "type": "IMAGE"}
    newer = GRAPH | {
        "version": 1,
        "links": [link | {"parentId": 3}],
        "state": {"lastNodeId": 2},
        "reroutes": [{"id": 3, "pos": [0, 0], "linkIds": [7]}],
    }
    assert to_prompt(read_workflow(newer), definitions) == to_prompt(read_workflow(GRAPH), definitions)
    assert to_prompt(read_workflow(newer), definitions)["2"]["inputs"] == {"image": ["1", 0], "radius": 5}


def test_a_file_on_disk_reads_like_the_parsed_object(tmp_path, definitions):
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(GRAPH), encoding="utf-8")
    assert to_prompt(read_workflow(path), definitions) == to_prompt(read_workflow(GRAPH), definitions)


def test_an_api_prompt_passes_unchanged_and_as_a_copy(definitions):
    converted = to_prompt(read_workflow(PROMPT), definitions)
    assert converted == PROMPT
    converted["1"]["inputs"]["image"] = "b.png"
    assert PROMPT["1"]["inputs"]["image"] == "a.png"
    assert to_prompt(read_workflow({"prompt": PROMPT, "client_id": "x"}), definitions) == PROMPT


@pytest.mark.parametrize("data", [GRAPH, {}, [], None, {"1": {"inputs": {}}}, {"1": {"class_type": 5}}])
def test_only_nodes_with_a_class_type_are_a_prompt(data):
    assert not is_prompt(data)
    assert is_prompt(PROMPT)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"{\n 'a'", "line 2"),
        (b"\x00\xff\x00", "not JSON"),
        (b"[1, 2]", "no workflow"),
        (b'{"a": 1}', "no workflow"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"nodes": [' + b'{"a":' * 300 + b"1" + b"}" * 300 + b"]}", "nested deeper"),
        (b'{"nodes": [5]}', "expected an object, got int"),
        (b'{"nodes": [{"id": 1}]}', "no type"),
        (b'{"nodes": [{"type": "A"}]}', "no usable id"),
        (b'{"nodes": [{"id": 1, "type": "A"}, {"id": "1", "type": "A"}]}', "two nodes with the id 1"),
        (b'{"nodes": [{"id": 1, "type": "A", "widgets_values": 3}]}', "widgets_values is int"),
        (b'{"nodes": [{"id": 1, "type": "A", "inputs": {"a": 1}}]}', "expected a list, got dict"),
        (b'{"nodes": [{"id": 1, "type": "A", "mode": "x"}]}', "expected a whole number"),
        (b'{"nodes": [{"id": 1, "type": "A", "order": NaN}]}', "expected a whole number"),
        (b'{"nodes": [], "links": [[1, 2]]}', "at least five values"),
        (b'{"nodes": [], "links": [[1, null, 0, 2, 0]]}', "no usable id"),
        (b'{"nodes": [], "definitions": {"subgraphs": [{"nodes": []}]}}', "no usable id"),
        (
            b'{"nodes": [], "definitions": {"subgraphs": [{"id": "a"}, {"id": "a"}]}}',
            "two subgraph definitions",
        ),
    ],
)
def test_anything_else_is_refused_with_the_file_and_the_reason(tmp_path, content, said):
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(WorkflowError, match=r"bad\.json") as caught:
        read_workflow(path)
    assert said in str(caught.value)
    assert all("bad.json" in problem for problem in caught.value.problems)


def test_a_file_over_the_size_limit_is_not_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MAX_BYTES", 10)
    path = tmp_path / "huge.json"
    path.write_text(json.dumps(GRAPH))
    with pytest.raises(WorkflowError, match="is larger than"):
        read_workflow(path)


def test_a_png_carries_its_workflow_in_a_text_chunk(tmp_path, definitions):
    from PIL import Image, PngImagePlugin

    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("prompt", json.dumps(PROMPT))
    chunks.add_text("workflow", json.dumps(GRAPH))
    Image.new("RGB", (4, 4)).save(tmp_path / "out.png", pnginfo=chunks)
    assert set(to_prompt(read_workflow(tmp_path / "out.png"), definitions)) == {"1", "2"}


def test_a_video_carries_its_workflow_in_container_tags(tmp_path, definitions):
    import av

    path = tmp_path / "out.mkv"
    with av.open(str(path), "w") as container:
        container.metadata["workflow"] = json.dumps(GRAPH)
        stream = container.add_stream("ffv1", rate=1)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        container.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        container.mux(stream.encode())
    assert set(to_prompt(read_workflow(path), definitions)) == {"1", "2"}


def test_media_without_a_workflow_or_that_is_no_media_is_refused(tmp_path):
    from PIL import Image

    Image.new("RGB", (4, 4)).save(tmp_path / "plain.png")
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    (tmp_path / "broken.mp4").write_bytes(b"not a film")
    for name, said in (
        ("plain.png", "no workflow"),
        ("broken.png", "as an image"),
        ("broken.mp4", "as video"),
    ):
        with pytest.raises(WorkflowError, match=said):
            read_workflow(tmp_path / name)
