"""The saved graphs as people see them in the editor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

WORKFLOWS = sorted((Path(__file__).resolve().parents[2] / "workflows").glob("*.json"))


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request) -> Path:
    return request.param


def test_every_node_lies_in_one_group(workflow):
    document = json.loads(workflow.read_text())
    boxes = [group["bounding"] for group in document["groups"]]
    for node in document["nodes"]:
        (x, y), (width, height) = node["pos"], node["size"]
        inside = [
            left <= x and top <= y and x + width <= left + across and y + height <= top + down
            for left, top, across, down in boxes
        ]
        assert node["type"] == "MarkdownNote" or sum(inside) == 1, node["type"]


def test_no_node_lies_on_another(workflow):
    nodes = json.loads(workflow.read_text())["nodes"]
    for index, one in enumerate(nodes):
        for other in nodes[:index]:
            apart = [
                one["pos"][axis] + one["size"][axis] <= other["pos"][axis]
                or other["pos"][axis] + other["size"][axis] <= one["pos"][axis]
                for axis in (0, 1)
            ]
            assert any(apart), (one["type"], other["type"])


def test_the_template_list_has_its_picture(workflow):
    assert workflow.with_suffix(".jpg").is_file()
