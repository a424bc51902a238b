"""The queue: order, front, cancelling, deleting; and the jobs API over it."""

from __future__ import annotations

import asyncio
import time
import uuid

import pytest
from serving.live_server import PATIENCE, count, listening


@pytest.fixture
def busy(server):
    """A server whose running prompt takes minutes, unless it is stopped; its prompt's id."""
    prompt_id = server.queue(count(steps=3000, seconds=0.05, seed=time.monotonic_ns() % 2**31))
    server.wait_until_running(prompt_id)
    yield prompt_id
    server.post("/queue", {"clear": True})
    server.post("/interrupt")
    server.wait_for(prompt_id)


def pending(server):
    return [item[1] for item in server.get("/queue").json["queue_pending"]]


def test_prompts_wait_in_order_and_front_ones_before_them(server, busy):
    first, second = server.queue(count(seed=1)), server.queue(count(seed=2))
    urgent = server.queue(count(seed=3), front=True)
    between = server.queue(count(seed=4), number=-0.5)
    assert pending(server) == [urgent, between, first, second]
    assert server.get("/prompt").json == {"exec_info": {"queue_remaining": 5}}


def test_a_running_prompt_is_interrupted_within_a_second(server, busy):
    began = time.monotonic()
    server.post("/interrupt", {"prompt_id": busy})
    entry = server.wait_for(busy)
    assert time.monotonic() - began < 10  # seconds: far below what it would have taken
    assert entry["status"]["messages"][-1][0] == "execution_interrupted"
    assert server.get(f"/api/jobs/{busy}").json["status"] == "cancelled"


def test_interrupting_another_prompt_leaves_the_running_one(server, busy):
    server.post("/interrupt", {"prompt_id": str(uuid.uuid4())})
    time.sleep(0.2)
    assert [item[1] for item in server.get("/queue").json["queue_running"]] == [busy]


def test_waiting_prompts_are_deleted_and_cleared(server, busy):
    ids = [server.queue(count(seed=seed)) for seed in range(3)]
    server.post("/queue", {"delete": [ids[1], "no such id"]})
    assert pending(server) == [ids[0], ids[2]]
    server.post("/queue", {"clear": True})
    assert pending(server) == []


def test_jobs_are_cancelled_wherever_they_stand(server, busy):
    waiting, finished = server.queue(count(seed=30)), str(uuid.uuid4())
    assert server.post(f"/api/jobs/{waiting}/cancel").json == {"cancelled": True}
    assert server.post(f"/api/jobs/{finished}/cancel").json == {"cancelled": False}
    assert server.post("/api/jobs/cancel", {"job_ids": [finished, busy]}).json == {"cancelled": True}
    server.wait_for(busy)
    answer = server.post("/api/jobs/cancel", {"job_ids": ["x"]})
    assert (answer.status, answer.json["invalid_ids"]) == (400, ["x"])


def test_a_prompt_cancelled_before_it_begins_never_runs(server):
    """The moment between leaving the queue and the first node must not swallow the wish."""
    for seed in range(20):
        prompt_id = server.queue(count(steps=400, seconds=0.02, seed=1000 + seed))
        assert server.post(f"/api/jobs/{prompt_id}/cancel").json == {"cancelled": True}
    until = time.monotonic() + PATIENCE
    while server.get("/prompt").json["exec_info"]["queue_remaining"]:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_jobs_list_the_queue_and_the_history(server, busy):
    done = [job["id"] for job in server.get("/api/jobs?status=completed&limit=1").json["jobs"]]
    waiting = server.queue(count(seed=40), extra_data={"extra_pnginfo": {"workflow": {"id": "w-40"}}})
    listed = server.get("/api/jobs?status=pending,in_progress").json
    assert [(job["id"], job["status"]) for job in listed["jobs"]] == [
        (waiting, "pending"),
        (busy, "in_progress"),
    ]
    assert [job["id"] for job in server.get("/api/jobs?workflow_id=w-40").json["jobs"]] == [waiting]
    page = server.get("/api/jobs?limit=1&offset=1").json
    assert page["pagination"]["has_more"] == (page["pagination"]["total"] > 2) and len(page["jobs"]) == 1
    for job_id in done:
        full = server.get(f"/api/jobs/{job_id}").json
        assert full["outputs"] and full["workflow"]["prompt"] and full["execution_end_time"]


@pytest.mark.parametrize("query", ["status=odd", "sort_by=size", "sort_order=up", "limit=0", "limit=x"])
def test_jobs_refuse_what_they_do_not_know(server, query):
    assert server.get(f"/api/jobs?{query}").status == 400


def test_history_is_given_in_parts_and_forgotten(start):
    server = start()
    ids = [server.queue(count(seed=seed)) for seed in range(4)]
    server.wait_for(ids[-1])
    assert list(server.get("/history").json) == ids
    assert list(server.get("/history?max_items=2").json) == ids[2:]
    assert list(server.get("/history?max_items=2&offset=1").json) == ids[1:3]
    server.post("/history", {"delete": [ids[0]]})
    assert list(server.get("/history").json) == ids[1:]
    server.post("/history", {"clear": True})
    assert server.get("/history").json == {}


def test_memory_is_freed_on_request(server):
    assert server.post("/free", {"unload_models": True, "free_memory": True}).status == 200
    server.wait_for(server.queue(count(seed=77)))


def test_two_hundred_prompts_of_twenty_clients_all_finish_in_their_order(start):
    server = start()

    async def client(number: int) -> list[str]:
        """Queue ten prompts and hear of each that it succeeded; the ids in the order of their ends."""
        async with listening(server) as listener:
            ids = []
            for index in range(10):
                prompt = count(seed=number * 100 + index)
                prompt_id = await asyncio.to_thread(server.queue, prompt, client_id=listener.client_id)
                ids.append(prompt_id)
            ended = []
            while len(ended) < len(ids):
                message = await listener.next()
                if message[0] == "execution_success":
                    ended.append(message[1]["prompt_id"])
            assert ended == ids
            return ids

    async def crowd() -> list[list[str]]:
        return await asyncio.gather(*(client(number) for number in range(20)))

    ids = [prompt_id for own in asyncio.run(crowd()) for prompt_id in own]
    history = server.get("/history").json
    assert set(history) == set(ids) and len(history) == 200
    assert [entry["prompt"][0] for entry in history.values()] == list(range(200))


def test_a_reloaded_page_is_told_where_its_prompt_stands(server):
    async def reload_while_running():
        async with listening(server) as first:
            prompt = {
                "1": {"class_type": "TestShow", "inputs": {"number": 5}},
                **{key + "0": node for key, node in count(steps=2000, seconds=0.05, seed=91).items()},
            }
            prompt["20"]["inputs"]["number"] = ["10", 0]
            given = {"prompt": prompt, "client_id": first.client_id}
            prompt_id = (await asyncio.to_thread(server.post, "/prompt", given)).json["prompt_id"]
            while (await first.next())[0] != "progress":
                pass
        async with listening(server, first.client_id) as again:
            messages = [await again.next() for _ in range(6)]
            await asyncio.to_thread(server.post, "/interrupt")
            await again.until_done(prompt_id)
        return messages

    messages = asyncio.run(reload_while_running())
    told = dict(messages)
    assert told["execution_start"] and told["executing"]["node"] == "10"
    assert told["progress_state"]["nodes"]["10"]["state"] == "running"
    assert told["executed"]["node"] == "1"
