from __future__ import annotations

import json
import threading

import pytest
from kinograph.host.execution.progress import report_progress


@pytest.fixture
def small(node):
    return {
        "1": node("Number", value=1),
        "2": node("Add", a=["1", 0], b=1),
        "show": node("Show", value=["2", 0]),
    }


def test_the_events_of_a_run_come_in_comfyuis_order_and_shapes(host, small):
    host.run(small, prompt_id="p")
    told = [(event, data) for event, data in host.events if event != "progress_state"]
    assert [event for event, _ in told] == [
        "execution_start",
        "execution_cached",
        "executing",
        "executing",
        "executing",
        "executed",
        "execution_success",
    ]
    assert all(data["prompt_id"] == "p" for _, data in host.events)
    assert told[1][1]["nodes"] == []
    assert told[2][1] == {"node": "1", "display_node": "1", "prompt_id": "p"}
    assert told[5][1] == {"node": "show", "display_node": "show", "output": {"values": [2]}, "prompt_id": "p"}
    assert json.dumps(host.events)


def test_the_account_keeps_the_messages_of_a_history_entry(host, small):
    run = host.run(small)
    assert [event for event, _ in run.messages] == [
        "execution_start",
        "execution_cached",
        "execution_success",
    ]
    assert all(data["timestamp"] > 1_600_000_000_000 for _, data in run.messages)
    assert run.outputs == {"show": {"values": [2]}}
    assert run.meta == {
        "show": {"node_id": "show", "display_node": "show", "parent_node": None, "real_node_id": "show"}
    }


def test_a_cached_output_is_shown_again(host, small):
    host.run(small)
    host.run(small)
    assert host.heard("execution_cached")[0]["nodes"] == ["1", "2", "show"]
    assert host.heard("executed")[0]["output"] == {"values": [2]}


def test_progress_state_tells_every_started_node(host, small):
    host.run(small)
    states = host.heard("progress_state")
    assert {name: state["state"] for name, state in states[0]["nodes"].items()} == {"1": "running"}
    assert {name: state["state"] for name, state in states[-1]["nodes"].items()} == {
        "1": "finished",
        "2": "finished",
        "show": "finished",
    }
    assert states[0]["nodes"]["1"] == {
        "value": 0,
        "max": 1,
        "state": "running",
        "node_id": "1",
        "prompt_id": states[0]["prompt_id"],
        "display_node_id": "1",
        "parent_node_id": None,
        "real_node_id": "1",
    }


def test_progress_inside_an_expansion_names_its_place(host, node):
    host.run({"1": node("NewExpand", a=1, b=1), "show": node("Show", value=["1", 0])})
    inner = [state for state in host.heard("progress_state")[-1]["nodes"].values() if state["parent_node_id"]]
    assert inner
    assert all((state["parent_node_id"], state["real_node_id"]) == ("1", "1") for state in inner)


def test_a_preview_is_an_event_with_its_place(host, node, monkeypatch):
    def work(self, value):
        from comfy.utils import ProgressBar

        ProgressBar(4).update_absolute(2, 4, ("JPEG", "a picture", 512))
        return (value,)

    monkeypatch.setattr(host.definitions["Number"].cls, "work", work)
    host.run({"7": node("Number", value=1), "show": node("Show", value=["7", 0])})
    (preview,) = host.heard("preview")
    assert preview["image"] == ("JPEG", "a picture", 512)
    assert preview["metadata"]["node_id"] == "7"
    (progress,) = host.heard("progress")
    assert (progress["value"], progress["max"], progress["node"]) == (2, 4, "7")


def test_progress_from_a_thread_of_the_node_goes_to_the_node(host, node, monkeypatch):
    def work(self, value):
        from comfy.utils import ProgressBar

        thread = threading.Thread(target=ProgressBar(4).update, args=(1,))
        thread.start()
        thread.join()
        return (value,)

    monkeypatch.setattr(host.definitions["Number"].cls, "work", work)
    host.run({"7": node("Number", value=1), "show": node("Show", value=["7", 0])})
    assert [data["node"] for data in host.heard("progress")] == ["7"]


def test_progress_outside_of_any_run_goes_nowhere(host, small):
    host.run(small)
    host.events.clear()
    report_progress(1, 2)
    assert host.events == []


def test_a_loop_that_reports_its_progress_can_be_cancelled(host, node, monkeypatch):
    def work(self, value):
        from comfy.model_management import interrupt_current_processing
        from comfy.utils import ProgressBar

        bar = ProgressBar(1000)
        for step in range(1000):
            if step == 3:
                interrupt_current_processing()
            bar.update(1)
        return (value,)

    monkeypatch.setattr(host.definitions["Number"].cls, "work", work)
    run = host.run({"7": node("Number", value=1), "show": node("Show", value=["7", 0])})
    assert (run.status, run.error["node_id"]) == ("interrupted", "7")
    assert host.heard("progress")[-1]["value"] == 3


def test_two_executors_in_two_threads_do_not_mix(make_host, node):
    hosts = [make_host(), make_host()]
    prompts = [
        {f"w{i}": node("AsyncNumber", value=10 * (i + 1), seconds=0.2), "s": node("Show", value=[f"w{i}", 0])}
        for i in range(2)
    ]
    threads = [
        threading.Thread(target=host.run, args=(prompt,)) for host, prompt in zip(hosts, prompts, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [{data["node"] for data in host.heard("progress")} for host in hosts] == [{"w0"}, {"w1"}]
