from __future__ import annotations

import pytest
from kinograph.host.execution.caching import NoCache


def shown(run, node_id="show"):
    return run.outputs[node_id]["values"]


@pytest.mark.parametrize("depth", [0, 1, 5])
def test_a_node_runs_the_subgraph_that_it_returns(host, node, depth):
    run = host.run({"1": node("Countdown", value=depth), "show": node("Show", value=["1", 0])})
    assert shown(run) == [depth * (depth + 1) // 2]


def test_hundreds_of_nested_expansions(make_host, node):
    prompt = {"1": node("Countdown", value=300), "show": node("Show", value=["1", 0])}
    assert shown(make_host().run(prompt)) == [45150]
    assert shown(make_host(NoCache()).run(prompt)) == [45150]


def test_each_item_of_a_list_expands_for_itself_or_not_at_all(host, node):
    run = host.run(
        {
            "items": node("Count", count=4),
            "1": node("Countdown", value=["items", 0]),
            "show": node("Show", value=["1", 0]),
        }
    )
    assert shown(run) == [0, 1, 3, 6]


def test_an_output_node_inside_an_expansion_runs_and_is_shown_on_its_parent(host, node):
    run = host.run({"1": node("NewExpand", a=1, b=2), "show": node("Show", value=["1", 0])})
    inner = next(node_id for node_id in run.outputs if node_id != "show")
    assert run.outputs[inner] == {"values": [3]}
    assert run.meta[inner] == {"node_id": inner, "display_node": "1", "parent_node": "1", "real_node_id": "1"}


def test_override_display_id_says_where_an_inner_node_is_shown(host, node):
    inner = {"in": {"class_type": "Show", "inputs": {"value": 4}, "override_display_id": "other"}}
    run = host.run(
        {
            "1": node("ExpandTo", graph={"nodes": inner}, result={"to": 9}),
            "other": node("Number", value=1),
            "show": node("Show", value=["1", 0]),
        }
    )
    assert run.meta["in"]["display_node"] == "other"
    assert shown(run) == [9]


def test_an_expansion_may_link_to_nodes_of_the_prompt_that_have_run_and_been_freed(make_host, node):
    host = make_host(NoCache())
    inner = {"in": node("Add", a=["source", 0], b=1)}
    run = host.run(
        {
            "source": node("Number", value=5),
            "early": node("Show", value=["source", 0]),
            "1": node("ExpandTo", graph={"nodes": inner}, result={"to": ["in", 0]}),
            "show": node("Show", value=["1", 0]),
        }
    )
    assert shown(run) == [6]


@pytest.mark.parametrize(
    ("inner", "said"),
    [
        ({"in": {"class_type": "Nonsense", "inputs": {}}}, "Nonsense"),
        ({"in": {"class_type": "Add", "inputs": {"a": ["gone", 0], "b": 1}}}, "gone"),
        ({"show": {"class_type": "Number", "inputs": {"value": 1}}}, "show"),
    ],
)
def test_a_subgraph_that_cannot_run_is_an_error_of_the_node_that_returned_it(host, node, inner, said):
    prompt = {
        "1": node("ExpandTo", graph={"nodes": inner}, result={"to": 1}),
        "show": node("Show", value=["1", 0]),
    }
    run = host.run(prompt)
    assert run.error["node_id"] == "1"
    assert said in run.error["exception_message"]


def test_a_result_that_takes_an_output_which_is_not_there(host, node):
    inner = {"in": node("Number", value=1)}
    prompt = {
        "1": node("ExpandTo", graph={"nodes": inner}, result={"to": ["in", 3]}),
        "show": node("Show", value=["1", 0]),
    }
    assert "output 3" in host.run(prompt).error["exception_message"]


def test_a_cycle_closed_by_an_expansion_is_blamed_on_the_node_that_returned_it(host, node):
    inner = {"x": node("Add", a=["y", 0], b=1), "y": node("Add", a=["x", 0], b=1)}
    prompt = {
        "1": node("ExpandTo", graph={"nodes": inner}, result={"to": ["y", 0]}),
        "show": node("Show", value=["1", 0]),
    }
    run = host.run(prompt)
    assert run.status == "error"
    assert run.error["node_id"] == "1"
    assert run.error["exception_type"].endswith("DependencyCycleError")
    assert "x" in run.error["exception_message"]
    assert "y" in run.error["exception_message"]


def test_a_second_run_reuses_what_is_unchanged_inside_an_expansion(host, node):
    prompt = {
        "base": node("Number", value=2),
        "1": node("NewExpand", a=3, b=4),
        "sum": node("Add", a=["1", 0], b=["base", 0]),
        "show": node("Show", value=["sum", 0]),
    }
    host.run(prompt)
    prompt["base"]["inputs"]["value"] = 5
    assert host.run(prompt).executed == ["base", "sum", "show"]
    assert host.run(prompt).executed == []


def test_nodes_of_an_expansion_are_found_again_when_their_parent_must_run(host, node):
    prompt = {"1": node("Countdown", value=3), "show": node("Show", value=["1", 0])}
    first = host.run(prompt)
    prompt["1"]["inputs"]["note"] = "an input that the node does not know"
    second = host.run(prompt)
    assert shown(second) == shown(first)
    assert len(first.executed) == 4 + 3 + 1
    assert second.executed == ["1", "show"]
