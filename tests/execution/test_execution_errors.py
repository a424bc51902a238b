from __future__ import annotations

import json
import sys
import threading
import time

import pytest
from comfy.model_management import (
    interrupt_current_processing,
    processing_interrupted,
    throw_exception_if_processing_interrupted,
)
from kinograph.host.execution.calls import ExecutionBlocker
from kinograph.host.execution.definition import NodeDefinition
from kinograph.host.execution.errors import ReturnError
from kinograph.host.execution.results import merged, read_return
from kinograph.host.failures import run_failure


def test_a_failing_node_ends_the_run_and_says_everything(host, node):
    prompt = {
        "1": node("Number", value=5),
        "2": node("Fail", value=["1", 0]),
        "show": node("Show", value=["2", 0]),
    }
    run = host.run(prompt, prompt_id="p")
    assert run.status == "error"
    assert run.executed == ["1"]
    (data,) = host.heard("execution_error")
    assert data == run.error
    assert data["prompt_id"] == "p"
    assert (data["node_id"], data["node_type"], data["executed"]) == ("2", "Fail", ["1"])
    assert (data["exception_type"], data["exception_message"]) == ("RuntimeError", "cannot work with 5")
    assert data["current_inputs"] == {"value": [5]}
    assert any("work" in line for line in data["traceback"])
    assert set(data) == {
        "prompt_id",
        "node_id",
        "node_type",
        "executed",
        "exception_message",
        "exception_type",
        "traceback",
        "current_inputs",
        "current_outputs",
        "timestamp",
    }
    assert json.dumps(data)
    assert not host.heard("execution_success")
    assert host.heard("progress_state")[-1]["nodes"]["2"]["state"] == "error"


def test_an_error_inside_an_expansion_is_told_of_the_node_in_the_prompt(host, node):
    inner = {"in": node("Fail", value=1)}
    prompt = {
        "1": node("ExpandTo", graph={"nodes": inner}, result={"to": ["in", 0]}),
        "show": node("Show", value=["1", 0]),
    }
    run = host.run(prompt)
    assert (run.error["node_id"], run.error["node_type"]) == ("1", "ExpandTo")


def test_what_ran_before_a_failure_is_reused_and_what_failed_is_not(host, node):
    prompt = {
        "1": node("Number", value=5),
        "2": node("Fail", value=["1", 0]),
        "show": node("Show", value=["2", 0]),
    }
    host.run(prompt)
    again = host.run(prompt)
    assert again.cached == ["1"]
    assert (again.status, again.error["node_id"], again.executed) == ("error", "2", [])


def test_an_input_that_is_not_linked_cannot_be_asked_for(host, node):
    run = host.run({"1": node("AsksForNothing", value=1), "show": node("Show", value=["1", 0])})
    assert run.error["node_id"] == "1"
    assert "'nothing'" in run.error["exception_message"]


@pytest.mark.parametrize(("message", "reported"), [("", []), ("odd", ["Execution Blocked: odd"])])
def test_a_blocker_leaves_out_what_depends_on_it_and_tells_its_message_once(host, node, message, reported):
    prompt = {
        "items": node("Count", count=4),
        "block": node("BlockOdd", value=["items", 0], message=message),
        "add": node("Add", a=["block", 0], b=10),
        "show": node("Show", value=["add", 0]),
    }
    run = host.run(prompt)
    assert run.status == "success"
    assert run.outputs["show"]["values"] == [10, 12]
    told = [data["exception_message"] for data in host.heard("execution_error")]
    assert told == [data["exception_message"] for data in run.blocked] == reported * 2
    assert all(data["node_id"] == "add" for data in run.blocked)


def test_a_new_node_blocks_what_depends_on_it(host, node):
    run = host.run(
        {
            "1": node("NewBlock", value=0),
            "2": node("Triple", value=["1", 0]),
            "show": node("Show", value=["2", 0]),
        }
    )
    assert run.status == "success"
    assert run.outputs == {}
    assert [(data["node_id"], data["exception_message"]) for data in run.blocked] == [
        ("2", "Execution Blocked: nothing to do")
    ]


def test_a_blocked_item_blocks_a_node_that_takes_the_whole_list(host, node):
    prompt = {
        "items": node("Count", count=3),
        "block": node("BlockOdd", value=["items", 0]),
        "sum": node("Total", values=["block", 0]),
        "show": node("Show", value=["sum", 0]),
    }
    run = host.run(prompt)
    assert run.status == "success"
    assert "show" not in run.outputs


def test_a_cancel_ends_the_run_at_the_next_node_and_the_next_run_is_free_of_it(host, node):
    prompt = {
        "1": node("Number", value=1),
        "2": node("Add", a=["1", 0], b=1),
        "show": node("Show", value=["2", 0]),
    }

    def cancel_after_the_first(event, data):
        host.hear(event, data)
        if event == "executing" and data["node"] == "2":
            interrupt_current_processing()

    host.executor.emit = cancel_after_the_first
    run = host.run(prompt)
    assert (run.status, run.error["node_id"], run.error["executed"]) == ("interrupted", "2", ["1"])
    assert host.heard("execution_interrupted") == [run.error]
    assert not processing_interrupted()
    host.executor.emit = host.hear
    again = host.run(prompt)
    assert (again.status, again.cached) == ("success", ["1"])


def test_a_cancel_is_noticed_while_all_wait_and_stops_within_a_second(host, node):
    prompt = {"wait": node("AsyncNumber", value=1, seconds=40.0), "show": node("Show", value=["wait", 0])}
    timer = threading.Timer(0.2, interrupt_current_processing)
    timer.start()
    began = time.perf_counter()
    run = host.run(prompt)
    assert (run.status, run.error["node_id"]) == ("interrupted", "wait")
    assert time.perf_counter() - began < 1.2


def test_a_cancel_during_the_check_for_changes_is_no_failed_check(host, node, monkeypatch):
    def cancel(cls, value):
        interrupt_current_processing()
        throw_exception_if_processing_interrupted()

    monkeypatch.setattr(host.definitions["Fingerprinted"].cls, "IS_CHANGED", classmethod(cancel))
    run = host.run({"1": node("Fingerprinted", value=1), "show": node("Show", value=["1", 0])})
    assert (run.status, run.executed) == ("interrupted", [])


def test_device_memory_running_out_frees_the_models_and_is_told_with_a_remedy(host, node, monkeypatch):
    class OutOfMemoryError(RuntimeError):
        """Named as torch names its own."""

    def work(self, value):
        raise OutOfMemoryError("none left")

    freed = []
    monkeypatch.setattr(host.definitions["Fail"].cls, "work", work)
    monkeypatch.setattr("comfy.model_management.unload_all_models", lambda: freed.append(True))
    run = host.run({"1": node("Fail", value=1), "show": node("Show", value=["1", 0])})
    assert "none left" in run.error["exception_message"]
    assert "smaller" in run.error["exception_message"]
    assert freed == [True]


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("alloc_cpu.cpp:1 DefaultCPUAllocator: can't allocate memory: 9 bytes")],
)
def test_the_machines_memory_running_out_is_told_with_a_remedy(host, node, monkeypatch, error):
    def work(self, value):
        raise error

    monkeypatch.setattr(host.definitions["Fail"].cls, "work", work)
    run = host.run({"1": node("Fail", value=1), "show": node("Show", value=["1", 0])})
    assert "The machine ran out of memory: use a smaller size" in run.error["exception_message"]
    assert "mistake" not in (run_failure(run.error, {}).remedy or "")


def test_a_node_that_exits_has_failed(host, node, monkeypatch):
    monkeypatch.setattr(host.definitions["Fail"].cls, "work", lambda self, value: sys.exit(3))
    run = host.run({"1": node("Fail", value=1), "show": node("Show", value=["1", 0])})
    assert (run.status, run.error["node_id"]) == ("error", "1")
    assert "mistake in the node" in run_failure(run.error, {}).remedy


class OneOutput:
    RETURN_TYPES = ("INT",)
    FUNCTION = "work"

    def work(self):
        """Never called."""


@pytest.mark.parametrize("returned", [None, 5, "text", {"result": 5}])
def test_a_result_that_is_no_tuple_is_refused_by_name(returned):
    definition = NodeDefinition.of("OneOutput", OneOutput)
    with pytest.raises(ReturnError, match=r"OneOutput returned .* tuple of its 1 outputs"):
        read_return(returned, definition)


def test_a_blocker_returned_bare_blocks_every_output():
    definition = NodeDefinition.of("OneOutput", OneOutput)
    outputs = merged([read_return(ExecutionBlocker("no"), definition)], definition)
    assert [item.message for item in outputs[0]] == ["no"]


def test_a_result_with_more_values_than_outputs_is_cut():
    definition = NodeDefinition.of("OneOutput", OneOutput)
    assert merged([read_return((1, 2), definition)], definition) == [[1]]
