"""Group nodes of older files become their inner nodes, numbered "group:index"."""

from __future__ import annotations

import pytest
from kinograph.host.graph import WorkflowError, read_workflow, to_prompt

GROUP = {
    "nodes": [
        {"type": "Load", "widgets_values": ["a.png", "image"]},
        {"type": "Mix", "inputs": [{"name": "first", "type": "IMAGE"}, {"name": "second", "type": "IMAGE"}]},
        {"type": "Noise"},
    ],
    "links": [[0, 0, 1, 0, 1, "IMAGE"]],
    "external": [],
}


@pytest.mark.parametrize("kind", ["workflow>blend", "workflow/blend"])
def test_widgets_inputs_and_outputs_reach_the_inner_nodes(convert, node, kind):
    values = ["sub/b.png", "image", 0.25, 77, "randomize", 11, 2.5, "heun"]
    nodes = [
        node(1, "Load", ["a.png"]),
        node(2, kind, values, second=1),
        node(3, "SaveImage", ["x"], images=2),
    ]
    links = [[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 1, 3, 0, "IMAGE"]]
    prompt = convert(nodes, links, extra={"groupNodes": {"blend": GROUP}})
    assert set(prompt) == {"1", "2:0", "2:1", "2:2", "3"}
    assert prompt["2:0"]["inputs"] == {"image": "sub/b.png"}
    assert prompt["2:1"]["inputs"] == {"first": ["2:0", 0], "second": ["1", 0], "amount": 0.25}
    assert prompt["2:2"]["inputs"] == {"seed": 77, "steps": 11, "cfg": 2.5, "sampler": "heun"}
    assert prompt["3"]["inputs"]["images"] == ["2:1", 0], "output 0 is Load's mask, its image is used inside"


def test_conversion_leaves_the_workflow_as_it_was(node, definitions):
    saved = {
        "nodes": [node(2, "workflow>blend", ["a.png", "image", 0.25])],
        "extra": {"groupNodes": {"blend": GROUP}},
    }
    workflow = read_workflow(saved)
    assert to_prompt(workflow, definitions) == to_prompt(workflow, definitions)


def test_an_inner_output_in_use_is_shown_where_it_is_external_too(convert, node):
    group = GROUP | {"external": [[0, 0, "IMAGE"]]}
    nodes = [node(2, "workflow>blend"), node(3, "SaveImage", ["x"], images=2)]
    prompt = convert(nodes, [[2, 2, 0, 3, 0, "IMAGE"]], extra={"groupNodes": {"blend": group}})
    assert prompt["3"]["inputs"]["images"] == ["2:0", 0]


def test_inputs_of_one_name_are_told_apart_by_the_node(convert, node):
    group = {"nodes": [{"type": "Blur"}, {"type": "Blur"}], "links": []}
    nodes = [node(1, "Load", ["a.png"]), node(2, "workflow>two", [1, 2], image=1, Blur_image=2)]
    nodes[1]["inputs"][1]["name"] = "Blur image"
    links = [[1, 1, 0, 2, 0, "IMAGE"], [2, 1, 0, 2, 1, "IMAGE"]]
    prompt = convert(nodes, links, extra={"groupNodes": {"two": group}})
    assert prompt["2:0"]["inputs"] == {"image": ["1", 0], "radius": 1}
    assert prompt["2:1"]["inputs"] == {"image": ["1", 0], "radius": 2}


@pytest.mark.parametrize("definition", [5, {}, {"nodes": [{"type": "Blur"}], "links": [[0, 0, 9, 0]]}])
def test_a_malformed_definition_is_refused(convert, node, definition):
    with pytest.raises(WorkflowError, match="group node 'odd'"):
        convert([node(1, "workflow>odd")], extra={"groupNodes": {"odd": definition}})
