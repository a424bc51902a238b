"""The blueprints are what the editor opens: one node around a graph whose wires all fit."""

from __future__ import annotations

import json

import pytest
from blueprints import FOLDER, documents
from kinograph.host.graph import read_workflow, to_prompt
from kinograph.host.session import open_session

NAMES = sorted(path.name for path in FOLDER.glob("*.json"))


@pytest.fixture(scope="module")
def object_info():
    return open_session().object_info()


def test_files_follow_the_schemas():
    written = {FOLDER / name: json.loads((FOLDER / name).read_text(encoding="utf-8")) for name in NAMES}
    assert written == documents(), "run python scripts/blueprints.py"


@pytest.mark.parametrize("name", NAMES)
def test_a_blueprint_is_one_node_that_takes_its_files_name(name):
    document = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    [host], [subgraph] = document["nodes"], document["definitions"]["subgraphs"]
    assert host["type"] == subgraph["id"]
    assert f"{host['title']}.json" == f"{subgraph['name']}.json" == name


@pytest.mark.parametrize("name", NAMES)
def test_every_wire_joins_slots_of_one_type(name):
    [subgraph] = json.loads((FOLDER / name).read_text(encoding="utf-8"))["definitions"]["subgraphs"]
    nodes = {node["id"]: node for node in subgraph["nodes"]}
    nodes[-10] = {"outputs": subgraph["inputs"]}
    nodes[-20] = {"inputs": subgraph["outputs"]}
    for link in subgraph["links"]:
        source = nodes[link["origin_id"]]["outputs"][link["origin_slot"]]
        target = nodes[link["target_id"]]["inputs"][link["target_slot"]]
        assert source["type"] == target["type"] == link["type"]
        assert link["id"] in (source.get("links") or source["linkIds"])
        assert link["id"] == target.get("link", link["id"])


@pytest.mark.parametrize("name", NAMES)
def test_converted_it_lacks_only_what_is_wired_from_outside(name, object_info):
    document = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    prompt = to_prompt(read_workflow(document), object_info)
    [subgraph] = document["definitions"]["subgraphs"]
    assert {key.partition(":")[2] for key in prompt} == {str(node["id"]) for node in subgraph["nodes"]}
    outer = {link["target_id"]: set() for link in subgraph["links"]}
    for link in subgraph["links"]:
        if link["origin_id"] == -10:
            slots = next(node for node in subgraph["nodes"] if node["id"] == link["target_id"])["inputs"]
            outer[link["target_id"]].add(slots[link["target_slot"]]["name"])
    for key, node in prompt.items():
        required = set(object_info[node["class_type"]]["input"]["required"])
        assert required - set(node["inputs"]) <= outer.get(int(key.partition(":")[2]), set())
