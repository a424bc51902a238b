"""Subgraphs unfold to ids like "5:12"; the widgets they show hold the values."""

from __future__ import annotations

import pytest
from kinograph.host.graph import WorkflowError


@pytest.fixture
def blurring(node, subgraph):
    """A subgraph (image, radius) → image around one Blur node whose own radius is 3."""
    blur = node(12, "Blur", [3], image=1, radius=2)
    blur["inputs"][1]["widget"] = {"name": "radius"}
    return subgraph(
        "blurring",
        [blur],
        [[1, -10, 0, 12, 0, "IMAGE"], [2, -10, 1, 12, 1, "INT"], [3, 12, 0, -20, 0, "IMAGE"]],
        [("picture", "IMAGE", [1]), ("strength", "INT", [2])],
        [("result", "IMAGE", [3])],
    )


@pytest.fixture
def around(node):
    """A root graph Load → host 5 → SaveImage, with the host's saved fields given."""

    def build(values=None, **fields):
        host = node(5, "blurring", values, picture=7, **fields)
        return [node(1, "Load", ["a.png"]), host, node(9, "SaveImage", ["x"], images=8)], [
            [7, 1, 0, 5, 0, "IMAGE"],
            [8, 5, 0, 9, 0, "IMAGE"],
        ]

    return build


def test_inner_nodes_are_numbered_by_their_place_and_wired_through_the_walls(convert, around, blurring):
    prompt = convert(*around(), subgraphs=[blurring])
    assert set(prompt) == {"1", "5:12", "9"}
    assert prompt["5:12"]["inputs"] == {"image": ["1", 0], "radius": 3}
    assert prompt["9"]["inputs"]["images"] == ["5:12", 0]


def test_a_promoted_widget_holds_the_value_of_its_instance(convert, around, blurring, node):
    nodes, links = around([8])
    nodes.append(node(6, "blurring", [9]))
    prompt = convert(nodes, links, subgraphs=[blurring])
    assert prompt["5:12"]["inputs"]["radius"] == 8
    assert prompt["6:12"]["inputs"]["radius"] == 9


def test_a_wire_into_a_promoted_widget_wins_over_its_value(convert, around, blurring, node):
    nodes, links = around([8], strength=6)
    nodes.append(node(2, "Noise"))
    prompt = convert(nodes, [*links, [6, 2, 0, 5, 1, "INT"]], subgraphs=[blurring])
    assert prompt["5:12"]["inputs"]["radius"] == ["2", 0]


@pytest.mark.parametrize("entry", [["12", "radius"], ["-1", "strength"], ["12", "12: radius"]])
def test_proxy_widgets_name_their_values_in_their_own_order(convert, around, blurring, entry):
    properties = {"proxyWidgets": [["12", "gone"], entry]}
    prompt = convert(*around([1, 33], _properties=properties), subgraphs=[blurring])
    assert prompt["5:12"]["inputs"]["radius"] == 33


def test_proxy_widgets_promote_what_no_wire_does(convert, node, subgraph):
    inside = subgraph("inside", [node(12, "Blur", [3]), node(13, "Blur", [4])], [], [], [])
    properties = {"proxyWidgets": [["12", "radius"], ["13", "radius"]]}
    prompt = convert([node(5, "inside", [8], _properties=properties)], subgraphs=[inside])
    assert prompt["5:12"]["inputs"]["radius"] == 8
    assert prompt["5:13"]["inputs"]["radius"] == 4, "nothing saved for it: the inner value stays"


def test_values_pass_through_two_walls(convert, around, blurring, node, subgraph):
    inner = node(5, "blurring", [8], picture=1, strength=2)
    inner["inputs"][1]["widget"] = {"name": "strength"}
    outer = subgraph(
        "outer",
        [inner],
        [[1, -10, 0, 5, 0, "IMAGE"], [2, -10, 1, 5, 1, "INT"], [3, 5, 0, -20, 0, "IMAGE"]],
        [("picture", "IMAGE", [1]), ("power", "INT", [2])],
        [("result", "IMAGE", [3])],
    )
    nodes = [
        node(1, "Load", ["a.png"]),
        node(2, "outer", [21], picture=1),
        node(3, "outer"),
        node(4, "Blur", image=2),
    ]
    links = [[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 0, 4, 0, "IMAGE"]]
    prompt = convert(nodes, links, subgraphs=[blurring, outer])
    assert prompt["2:5:12"]["inputs"] == {"image": ["1", 0], "radius": 21}
    assert prompt["3:5:12"]["inputs"] == {"radius": 8}
    assert prompt["4"]["inputs"]["image"] == ["2:5:12", 0]


def test_a_nested_widget_is_promoted_by_proxy_too(convert, blurring, node, subgraph):
    outer = subgraph("outer", [node(5, "blurring", [8])], [], [], [])
    host = node(2, "outer", [21], _properties={"proxyWidgets": [["5", "strength"]]})
    assert convert([host], subgraphs=[blurring, outer])["2:5:12"]["inputs"]["radius"] == 21


def test_a_bypassed_instance_passes_through_and_its_inside_is_gone(convert, around, blurring):
    prompt = convert(*around(_mode=4), subgraphs=[blurring])
    assert set(prompt) == {"1", "9"}
    assert prompt["9"]["inputs"]["images"] == ["1", 0]


def test_a_muted_instance_gives_nothing(convert, around, blurring):
    prompt = convert(*around(_mode=2), subgraphs=[blurring])
    assert set(prompt) == {"1", "9"}
    assert "images" not in prompt["9"]["inputs"]


def test_the_inside_of_a_nested_muted_instance_is_gone(convert, blurring, node, subgraph):
    outer = subgraph("outer", [node(5, "blurring", _mode=2), node(6, "Blur")], [], [], [])
    assert set(convert([node(2, "outer")], subgraphs=[blurring, outer])) == {"2:6"}


def test_a_wire_may_run_straight_through_a_subgraph(convert, node, subgraph):
    tunnel = subgraph(
        "tunnel", [], [[1, -10, 0, -20, 0, "IMAGE"]], [("in", "IMAGE", [1])], [("out", "IMAGE", [1])]
    )
    host = node(2, "tunnel")
    host["inputs"] = [{"name": "in", "type": "IMAGE", "link": 1}]
    nodes = [node(1, "Load", ["a.png"]), host, node(3, "Blur", image=2)]
    prompt = convert(nodes, [[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 0, 3, 0, "IMAGE"]], subgraphs=[tunnel])
    assert prompt["3"]["inputs"]["image"] == ["1", 0]


def test_a_primitive_inside_takes_the_value_promoted_for_it(convert, node, subgraph):
    inside = subgraph(
        "inside", [node(1, "PrimitiveNode", [5, "fixed"]), node(2, "Blur", [3], radius=1)],
        [[1, 1, 0, 2, 1, "INT"]], [], [],
    )  # fmt: skip
    shown = node(6, "inside", [7], _properties={"proxyWidgets": [["1", "value"]]})
    prompt = convert([node(5, "inside"), shown], subgraphs=[inside])
    assert prompt["5:2"]["inputs"]["radius"] == 5
    assert prompt["6:2"]["inputs"]["radius"] == 7


def test_a_subgraph_within_itself_is_refused(convert, node, subgraph):
    one = subgraph("one", [node(1, "two")], [], [], [])
    two = subgraph("two", [node(1, "one")], [], [], [])
    with pytest.raises(WorkflowError, match="contains itself"):
        convert([node(1, "one")], subgraphs=[one, two])


def test_an_outer_id_that_an_inner_node_unfolds_to_is_refused(convert, node, subgraph):
    inside = subgraph("inside", [node(12, "Blur")], [], [], [])
    with pytest.raises(WorkflowError, match="two nodes unfold to the id 5:12"):
        convert([node(5, "inside"), node("5:12", "Blur")], subgraphs=[inside])


def test_doubling_subgraphs_are_refused_before_they_fill_the_memory(convert, node, subgraph):
    levels = [subgraph("s0", [node(1, "Blur"), node(2, "Blur")], [], [], [])]
    for depth in range(1, 30):
        inner = f"s{depth - 1}"
        levels.append(subgraph(f"s{depth}", [node(1, inner), node(2, inner)], [], [], []))
    with pytest.raises(WorkflowError, match="more than 50000 nodes"):
        convert([node(1, "s29")], subgraphs=levels)


def test_too_many_walls_are_refused(convert, node, subgraph):
    levels = [subgraph("s0", [node(1, "Blur")], [], [], [])]
    levels += [subgraph(f"s{depth}", [node(1, f"s{depth - 1}")], [], [], []) for depth in range(1, 2000)]
    with pytest.raises(WorkflowError, match="nested deeper than 32 levels"):
        convert([node(1, "s1999")], subgraphs=levels)
