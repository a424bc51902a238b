from __future__ import annotations

import asyncio
import time

import pytest


def shown(run, node_id="show"):
    return run.outputs[node_id]["values"]


def test_asynchronous_nodes_wait_side_by_side(host, node):
    prompt = {f"wait{i}": node("AsyncNumber", value=i + 1, seconds=0.4) for i in range(4)}
    prompt |= {f"show{i}": node("Show", value=[f"wait{i}", 0]) for i in range(4)}
    began = time.perf_counter()
    run = host.run(prompt)
    assert run.status == "success"
    assert time.perf_counter() - began < 1.2
    assert [shown(run, f"show{i}") for i in range(4)] == [[1], [2], [3], [4]]


def test_the_items_of_a_list_wait_side_by_side(host, node):
    run = host.run(
        {
            "items": node("Count", count=5),
            "wait": node("AsyncNumber", value=["items", 0], seconds=0.3),
            "show": node("Show", value=["wait", 0]),
        }
    )
    assert shown(run) == [0, 1, 2, 3, 4]
    assert run.seconds < 1.0
    assert 0.2 < run.node_seconds["wait"] < 1.0


def test_progress_goes_to_the_node_that_reports_it(host, node):
    prompt = {f"wait{i}": node("AsyncNumber", value=10 * (i + 1), seconds=0.1) for i in range(3)}
    prompt |= {f"show{i}": node("Show", value=[f"wait{i}", 0]) for i in range(3)}
    host.run(prompt)
    reported = {(data["node"], data["max"]) for data in host.heard("progress")}
    assert reported == {("wait0", 10), ("wait1", 20), ("wait2", 30)}


def test_an_asynchronous_error_is_told_with_its_node(host, node):
    prompt = {
        "slow": node("AsyncNumber", value=1, seconds=5.0),
        "bad": node("AsyncFail", value=3),
        "show1": node("Show", value=["slow", 0]),
        "show2": node("Show", value=["bad", 0]),
    }
    run = host.run(prompt)
    assert (run.status, run.error["node_id"]) == ("error", "bad")
    assert run.error["current_inputs"] == {"value": [3]}
    assert run.seconds < 2.0


def test_a_run_after_a_failed_one_is_not_disturbed_by_it(host, node):
    host.run({"bad": node("AsyncFail", value=3), "show": node("Show", value=["bad", 0])})
    run = host.run({"wait": node("AsyncNumber", value=3), "show": node("Show", value=["wait", 0])})
    assert shown(run) == [3]


def test_a_new_node_may_check_fingerprint_and_execute_asynchronously(host, node):
    prompt = {"1": node("NewFingerprint", value=3), "show": node("Show", value=["1", 0])}
    assert shown(host.run(prompt)) == [3]
    assert host.run(prompt).executed == []
    prompt["1"]["inputs"]["value"] = 13
    refused = host.validate(prompt)
    assert "bad luck" in refused.node_errors["1"]["errors"][0]["details"]


@pytest.mark.parametrize("count", [1, 3])
def test_expansions_of_asynchronous_nodes(host, node, count):
    inner = {f"in{i}": node("AsyncNumber", value=i, seconds=0.1) for i in range(count)}
    inner["sum"] = node("Sum", a=["in0", 0], **{f"x{i}": [f"in{i}", 0] for i in range(1, count)})
    run = host.run(
        {
            "1": node("ExpandTo", graph={"nodes": inner}, result={"to": ["sum", 0]}),
            "show": node("Show", value=["1", 0]),
        }
    )
    assert shown(run) == [sum(range(count))]


def test_asynchronous_nodes_that_expand_side_by_side_build_graphs_of_their_own(host, node):
    prompt = {f"grow{i}": node("AsyncExpand", value=i) for i in range(3)}
    prompt |= {f"show{i}": node("Show", value=[f"grow{i}", 0]) for i in range(3)}
    run = host.run(prompt)
    assert run.error is None
    assert [shown(run, f"show{i}") for i in range(3)] == [[100], [101], [102]]


def test_a_run_inside_a_server_can_be_cancelled_from_outside_and_leaves_nothing_running(host, node):
    prompt = {"wait": node("AsyncNumber", value=1, seconds=30.0), "show": node("Show", value=["wait", 0])}

    async def serve():
        run = asyncio.create_task(host.executor.execute_async(prompt))
        await asyncio.sleep(0.1)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert asyncio.all_tasks() == {asyncio.current_task()}
        prompt["wait"]["inputs"]["seconds"] = 0.0
        return await host.executor.execute_async(prompt)

    assert asyncio.run(serve()).status == "success"
