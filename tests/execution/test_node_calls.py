from __future__ import annotations

import sys

import pytest


def shown(run, node_id="show"):
    return run.outputs[node_id]["values"]


def test_old_and_new_nodes_run_in_one_graph(host, node):
    run = host.run(
        {
            "1": node("Number", value=5),
            "2": node("Triple", value=["1", 0]),
            "show": node("NewShow", value=["2", 0]),
        }
    )
    assert run.status == "success"
    assert shown(run) == [15]
    assert run.executed == ["1", "2", "show"]
    assert set(run.node_seconds) == {"1", "2", "show"}
    assert run.seconds >= max(run.node_seconds.values())


def test_nodes_that_no_output_needs_do_not_run(host, node):
    run = host.run(
        {"1": node("Number", value=1), "2": node("Number", value=2), "show": node("Show", value=["1", 0])}
    )
    assert run.executed == ["1", "show"]


def test_undeclared_links_reach_a_node_that_takes_any_and_undeclared_constants_do_not(host, node):
    run = host.run(
        {
            "1": node("Number", value=2),
            "2": node("Sum", a=1, b=["1", 0], c=["1", 0], note=100),
            "show": node("Show", value=["2", 0]),
        }
    )
    assert shown(run) == [5]


def test_a_node_runs_once_per_item_and_shorter_lists_repeat_their_last_item(host, node):
    run = host.run(
        {
            "long": node("Count", count=4),
            "short": node("Count", count=2),
            "add": node("Add", a=["long", 0], b=["short", 0]),
            "show": node("Show", value=["add", 0]),
        }
    )
    assert shown(run) == [0, 2, 3, 4]


def test_a_node_that_takes_lists_is_called_once(host, node):
    run = host.run(
        {
            "1": node("Count", count=4),
            "2": node("Total", values=["1", 0]),
            "show": node("Show", value=["2", 0]),
        }
    )
    assert shown(run) == [6]


def test_lists_of_new_nodes(host, node):
    run = host.run(
        {
            "items": node("NewCount", count=4),
            "each": node("NewAdd", a=["items", 0], b=10),
            "sum": node("NewTotal", values=["each", 0], start=100),
            "show": node("Show", value=["sum", 0]),
        }
    )
    assert shown(run) == [100 + 10 + 11 + 12 + 13]


def test_an_empty_list_is_an_error_that_names_the_input(host, node):
    run = host.run(
        {"1": node("Count", count=0), "2": node("Add", a=["1", 0], b=1), "show": node("Show", value=["2", 0])}
    )
    assert run.status == "error"
    assert run.error["node_id"] == "2"
    assert "'a'" in run.error["exception_message"]


def test_hidden_inputs_of_an_old_node(host, node):
    prompt = {"7": node("Ids", tag="x"), "show": node("Show", value=["7", 0])}
    run = host.run(prompt, extra_data={"extra_pnginfo": {"workflow": 1}})
    assert shown(run) == [{"me": "7", "nodes": ["7", "show"], "known": True, "info": {"workflow": 1}}]


def test_hidden_values_of_a_new_node_are_on_its_class(host, node):
    run = host.run({"show": node("NewShow", value=1)}, extra_data={"extra_pnginfo": {"workflow": 2}})
    assert run.outputs["show"]["info"] == [{"workflow": 2}]


def test_a_new_node_cannot_keep_state_on_its_class(host, node):
    run = host.run({"1": node("Stateful"), "show": node("Show", value=["1", 0])})
    assert run.error["exception_type"] == "AttributeError"
    assert "kept" in run.error["exception_message"]


def test_an_old_node_keeps_its_object_between_prompts_while_it_is_in_the_graph(host, node):
    prompt = {"1": node("Remembering", value=1), "show": node("Show", value=["1", 0])}
    assert shown(host.run(prompt)) == [1]
    prompt["1"]["inputs"]["value"] = 2
    assert shown(host.run(prompt)) == [2]
    host.run({"show": node("Show", value=0)})
    assert shown(host.run(prompt)) == [1]


@pytest.mark.parametrize("switch", ["LazySwitch", "AsyncLazySwitch"])
@pytest.mark.parametrize(("first", "value", "ran"), [(True, 1, "a"), (False, 2, "b")])
def test_only_the_lazy_input_that_is_asked_for_runs(host, node, switch, first, value, ran):
    run = host.run(
        {
            "a": node("Number", value=1),
            "b": node("Number", value=2),
            "switch": node(switch, first=first, a=["a", 0], b=["b", 0]),
            "show": node("Show", value=["switch", 0]),
        }
    )
    assert shown(run) == [value]
    assert run.executed == [ran, "switch", "show"]


@pytest.mark.parametrize(
    ("a", "value", "executed"), [(4, 4, ["1", "3", "show"]), (-4, 2, ["1", "2", "3", "show"])]
)
def test_lazy_inputs_of_a_new_node(host, node, a, value, executed):
    run = host.run(
        {
            "1": node("Number", value=a),
            "2": node("Number", value=2),
            "3": node("NewLazy", a=["1", 0], b=["2", 0]),
            "show": node("Show", value=["3", 0]),
        }
    )
    assert shown(run) == [value]
    assert run.executed == executed


def test_a_lazy_input_is_run_when_any_item_of_a_list_needs_it(host, node):
    run = host.run(
        {
            "signs": node("Count", count=3),
            "shifted": node("Add", a=["signs", 0], b=-1),
            "b": node("Number", value=20),
            "pick": node("NewLazy", a=["shifted", 0], b=["b", 0]),
            "show": node("Show", value=["pick", 0]),
        }
    )
    assert shown(run) == [20, 0, 1]


def test_a_dynamic_combo_arrives_as_one_dictionary(host, node):
    prompt = {
        "1": node("Sized", **{"size": "box", "size.width": 3}),
        "2": node("Sized", size="none"),
        "show": node("Show", value=["1", 0]),
        "bare": node("Show", value=["2", 0]),
    }
    run = host.run(prompt)
    assert shown(run) == [{"size": "box", "width": 3, "depth": None}]
    assert shown(run, "bare") == [{"size": "none"}]


def test_growing_inputs_arrive_as_one_dictionary(host, node):
    prompt = {
        "1": node("Number", value=5),
        "2": node("Gather", **{"items.item0": ["1", 0], "items.item2": 7}),
        "show": node("Show", value=["2", 0]),
    }
    assert shown(host.run(prompt)) == [{"item0": 5, "item2": 7}]


def test_partial_targets_run_only_what_they_need(host, node):
    prompt = {
        "1": node("Number", value=1),
        "2": node("ShowAndPass", value=["1", 0]),
        "3": node("Add", a=["2", 0], b=1),
        "left": node("Show", value=["3", 0]),
        "right": node("Show", value=["1", 0]),
    }
    run = host.run(prompt, targets=["left"])
    assert run.executed == ["1", "2", "3", "left"]
    assert set(run.outputs) == {"2", "left"}


def test_nodes_run_in_inference_mode_and_nothing_else_does(host, node, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(
        host.definitions["Number"].cls, "work", lambda self, value: (torch.is_inference_mode_enabled(),)
    )
    run = host.run({"1": node("Number", value=1), "show": node("Show", value=["1", 0])})
    assert shown(run) == [True]
    assert not torch.is_inference_mode_enabled()


def test_a_graph_without_tensors_never_loads_torch(tmp_path):
    import subprocess

    script = (
        "from kinograph.host.api.install import install; install()\n"
        "import sys\n"
        "from kinograph.host.execution import executor, validation\n"
        "print(sorted({'torch', 'numpy', 'PIL', 'av'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
