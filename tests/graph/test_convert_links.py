"""What an input is wired to after reroutes, bypassed and muted nodes have been resolved away."""

from __future__ import annotations

import pytest
from kinograph.host.graph import MissingNodes, WorkflowError
from kinograph.host.graph.document import Slot
from kinograph.host.graph.tracing import bypass_slot, types_fit


def slots(*types):
    return tuple(Slot(f"in{place}", kind) for place, kind in enumerate(types))


def test_reroutes_disappear(convert, node):
    nodes = [
        node(1, "Load", ["a.png"]),
        node(2, "Reroute", x=1),
        node(3, "Reroute", x=2),
        node(4, "Blur", image=3),
    ]
    links = [[1, 1, 0, 2, 0, "*"], [2, 2, 0, 3, 0, "*"], [3, 3, 0, 4, 0, "IMAGE"]]
    assert convert(nodes, links)["4"]["inputs"]["image"] == ["1", 0]


def test_a_chain_of_ten_thousand_reroutes_is_followed(convert, node):
    nodes = [node(0, "Load", ["a.png"]), *(node(k, "Reroute", x=k) for k in range(1, 10_000))]
    nodes.append(node(10_000, "Blur", image=10_000))
    links = [[k, k - 1, 0, k, 0, "*"] for k in range(1, 10_001)]
    assert convert(nodes, links)["10000"]["inputs"]["image"] == ["0", 0]


def test_set_and_get_nodes_are_a_wire_by_name(convert, node):
    nodes = [
        node(1, "Load", ["a.png"]),
        node(2, "SetNode", ["picture"], IMAGE=1),
        node(3, "GetNode", ["picture"]),
        node(4, "Blur", image=2),
    ]
    links = [[1, 1, 0, 2, 0, "IMAGE"], [2, 3, 0, 4, 0, "IMAGE"]]
    prompt = convert(nodes, links)
    assert set(prompt) == {"1", "4"}
    assert prompt["4"]["inputs"]["image"] == ["1", 0]


def test_a_bypassed_node_passes_the_input_of_the_wanted_type(convert, node):
    nodes = [
        node(1, "Load", ["a.png"]),
        node(2, "Mix", mask=1, second=2, _mode=4),
        node(3, "Mix", first=3, mask=4),
    ]
    links = [
        [1, 1, 1, 2, 2, "MASK"],
        [2, 1, 0, 2, 1, "IMAGE"],
        [3, 2, 0, 3, 0, "IMAGE"],
        [4, 2, 1, 3, 2, "MASK"],
    ]
    prompt = convert(nodes, links)
    assert "2" not in prompt
    assert prompt["3"]["inputs"]["mask"] == ["1", 1]
    assert "first" not in prompt["3"]["inputs"], "slot 0 passes input 0, which is not wired"


@pytest.mark.parametrize(
    ("inputs", "output", "slot", "wanted", "place"),
    [
        (("MASK", "IMAGE"), "IMAGE", 1, "IMAGE", 1),
        (("MASK", "IMAGE"), "IMAGE", 0, "IMAGE", 1),
        (("IMAGE,MASK", "IMAGE"), "IMAGE", 0, "IMAGE", 0),
        (("MASK", "IMAGE,LATENT"), "IMAGE", 0, "IMAGE", 1),
        (("MASK", "LATENT"), "IMAGE", 0, "IMAGE", None),
        (("MASK", "LATENT"), "IMAGE", 1, "*", 1),
        (("MASK",), "IMAGE", 1, "*", 0),
        ((), "IMAGE", 0, "*", None),
    ],
)
def test_bypass_prefers_the_same_slot_then_the_exact_type_then_what_fits(inputs, output, slot, wanted, place):
    assert bypass_slot(slots(*inputs), output, slot, wanted) == place


def test_types_fit_if_equal_or_any_or_sharing_an_alternative():
    assert types_fit("IMAGE", "image") and types_fit("*", "MODEL") and types_fit("INT,FLOAT", "FLOAT,STRING")
    assert not types_fit("IMAGE", "MASK")


def test_a_wire_from_a_muted_node_is_dropped_and_the_widget_keeps_its_value(convert, node):
    nodes = [
        node(1, "Load", ["a.png"], _mode=2),
        node(2, "Noise", _mode=2),
        node(3, "Blur", [7], image=1, radius=2),
    ]
    prompt = convert(nodes, [[1, 1, 0, 3, 0, "IMAGE"], [2, 2, 0, 3, 1, "INT"]])
    assert prompt == {"3": {"inputs": {"radius": 7}, "class_type": "Blur", "_meta": {"title": "Blur"}}}


def test_wires_from_or_over_what_is_not_there_are_dropped(convert, node):
    nodes = [node(1, "Blur", [1], image=1), node(2, "Blur", [1], image=99), node(3, "Blur", [1], image=2)]
    links = [[1, 77, 0, 1, 0, "IMAGE"], [2, 1, 0, 55, 0, "IMAGE"]]
    assert all(entry["inputs"] == {"radius": 1} for entry in convert(nodes, links).values())


def test_a_circle_of_reroutes_is_an_error_that_names_the_input(convert, node):
    nodes = [node(1, "Reroute", x=1), node(2, "Reroute", x=2), node(3, "Blur", image=3)]
    links = [[1, 2, 0, 1, 0, "*"], [2, 1, 0, 2, 0, "*"], [3, 2, 0, 3, 0, "IMAGE"]]
    with pytest.raises(WorkflowError, match="'image' of node 3 is wired in a circle"):
        convert(nodes, links)


def test_a_circle_of_running_nodes_is_left_to_validation(convert, node):
    nodes = [node(1, "Blur", [1], image=1), node(2, "Blur", [1], image=2)]
    prompt = convert(nodes, [[1, 2, 0, 1, 0, "IMAGE"], [2, 1, 0, 2, 0, "IMAGE"]])
    assert prompt["1"]["inputs"]["image"] == ["2", 0] and prompt["2"]["inputs"]["image"] == ["1", 0]


def test_unknown_nodes_are_listed_with_their_places_and_packs(convert, node, subgraph):
    inner = node(4, "Exotic", _properties={"cnr_id": "exotic-pack", "ver": "1.2"})
    nodes = [
        node(1, "Exotic", _properties={"cnr_id": "exotic-pack", "ver": "1.2"}),
        node(2, "Other", _properties={"aux_id": "someone/repository"}),
        node(3, "Unused", _mode=2),
        node(5, "Skipped", _mode=4),
        node(6, "inside"),
    ]
    with pytest.raises(MissingNodes) as caught:
        convert(nodes, subgraphs=[subgraph("inside", [inner], [], [], [])])
    found = [(missing.type, missing.ids, missing.pack, missing.version) for missing in caught.value.nodes]
    assert found == [
        ("Exotic", ("1", "6:4"), "exotic-pack", "1.2"),
        ("Other", ("2",), "someone/repository", None),
    ]
    assert "Exotic from exotic-pack 1.2 (node 1, 6:4)" in str(caught.value)
    assert len(caught.value.problems) == 2


def test_a_bypassed_unknown_node_still_passes_its_input(convert, node):
    other = node(2, "Exotic", x=1, _mode=4, _outputs=[{"name": "o", "type": "IMAGE"}])
    other["inputs"][0]["type"] = "IMAGE"
    nodes = [node(1, "Load", ["a.png"]), other, node(3, "Blur", image=2)]
    prompt = convert(nodes, [[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 0, 3, 0, "IMAGE"]])
    assert prompt["3"]["inputs"]["image"] == ["1", 0]
