"""Building the graphs that expanding nodes return."""

import pytest
from comfy_execution.graph import DynamicPrompt, NodeNotFoundError, get_input_info
from comfy_execution.graph_utils import GraphBuilder, add_graph_prefix, is_link
from comfy_execution.utils import CurrentNodeContext, get_executing_context


@pytest.fixture(autouse=True)
def prefix():
    GraphBuilder.set_default_prefix("12", 0)
    yield
    GraphBuilder.set_default_prefix("", 0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["1", 0], True),
        (["1", 0.0], True),
        ([1, 0], False),
        (["1", "0"], False),
        (["1"], False),
        (("1", 0), False),
    ],
)
def test_a_link_is_a_list_of_node_and_number(value, expected):
    assert is_link(value) is expected


def test_nodes_get_ids_below_the_running_node():
    graph = GraphBuilder()
    load = graph.node("Load", file="a.png")
    graph.node("Blur", "named", image=load.out(0), radius=3)
    assert graph.finalize() == {
        "12.0.0.1": {"class_type": "Load", "inputs": {"file": "a.png"}},
        "12.0.0.named": {"class_type": "Blur", "inputs": {"image": ["12.0.0.1", 0], "radius": 3}},
    }
    assert GraphBuilder().prefix == "12.0.1."


def test_the_same_call_makes_the_same_ids_again():
    first = GraphBuilder().node("Load").id
    GraphBuilder.set_default_prefix("12", 0)
    assert GraphBuilder().node("Load").id == first


def test_an_id_names_one_node():
    graph = GraphBuilder(prefix="p.")
    assert graph.node("Load", "x") is graph.node("Other", "x")
    assert graph.lookup_node("x").class_type == "Load"
    graph.remove_node("x")
    assert graph.lookup_node("x") is None


def test_inputs_can_be_changed_and_taken_away():
    node = GraphBuilder(prefix="").node("Load", a=1)
    node.set_input("b", 2)
    node.set_input("a", None)
    node.set_input("gone", None)
    assert (node.inputs, node.get_input("b"), node.get_input("a")) == ({"b": 2}, 2, None)


def test_another_nodes_display_is_carried():
    node = GraphBuilder(prefix="").node("Load")
    node.set_override_display_id("7")
    assert node.serialize() == {"class_type": "Load", "inputs": {}, "override_display_id": "7"}


def test_an_output_is_replaced_wherever_it_is_used():
    graph = GraphBuilder(prefix="p.")
    load = graph.node("Load", "load")
    kept = graph.node("Blur", "kept", image=load.out(1))
    graph.node("Blur", "first", image=load.out(0))
    graph.replace_node_output("load", 0, ["9", 2])
    assert graph.lookup_node("first").inputs == {"image": ["9", 2]}
    graph.replace_node_output("load", 1, None)
    assert kept.inputs == {}


def test_a_prefix_goes_on_every_id_and_link():
    graph, outputs = add_graph_prefix(
        {"1": {"class_type": "A", "inputs": {"x": ["2", 0], "y": 5}}, "2": {"class_type": "B"}},
        (["1", 0], 3),
        "p.",
    )
    assert graph == {
        "p.1": {"class_type": "A", "inputs": {"x": ["p.2", 0], "y": 5}},
        "p.2": {"class_type": "B", "inputs": {}},
    }
    assert outputs == (["p.1", 0], 3)


def test_added_nodes_know_where_they_came_from():
    prompt = DynamicPrompt({"1": {"class_type": "A", "inputs": {}}})
    prompt.add_ephemeral_node("1.0.0.1", {"class_type": "B", "inputs": {}}, "1", "1")
    prompt.add_ephemeral_node("1.0.0.1.2", {"class_type": "C", "inputs": {}}, "1.0.0.1", "1.0.0.1")
    assert prompt.get_node("1.0.0.1.2")["class_type"] == "C"
    assert prompt.get_real_node_id("1.0.0.1.2") == prompt.get_display_node_id("1.0.0.1.2") == "1"
    assert prompt.get_parent_node_id("1.0.0.1.2") == "1.0.0.1"
    assert prompt.get_parent_node_id("1") is None
    assert prompt.all_node_ids() == {"1", "1.0.0.1", "1.0.0.1.2"}
    assert not prompt.has_node("2")
    with pytest.raises(NodeNotFoundError, match="Node 2 not found"):
        prompt.get_node("2")


def test_input_info_finds_the_category():
    class Node:
        @classmethod
        def INPUT_TYPES(cls):
            return {"required": {"a": ("INT", {"min": 0})}, "optional": {"b": (["x", "y"],)}}

    assert get_input_info(Node, "a") == ("INT", "required", {"min": 0})
    assert get_input_info(Node, "b") == (["x", "y"], "optional", {})
    assert get_input_info(Node, "c") == (None, None, None)


def test_the_running_node_is_known_inside_its_context_only():
    with CurrentNodeContext("prompt", "5"):
        with CurrentNodeContext("prompt", "6", 1):
            assert get_executing_context() == ("prompt", "6", 1)
        assert get_executing_context() == ("prompt", "5", None)
    assert get_executing_context() is None
