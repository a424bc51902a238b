"""kill -9 in the middle of everything: nothing that was there is lost, nothing is half there."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
import time

import pytest
from kinograph.host.commands import UsageError
from kinograph.host.server.store import Store
from serving.live_server import count

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")


def write(name: str, steps: int, seconds: float) -> dict:
    return {"1": {"class_type": "TestWrite", "inputs": {"name": name, "steps": steps, "seconds": seconds}}}


def test_a_killed_server_keeps_history_workflows_and_queue(start):
    server = start()
    done = server.queue(count(seed=1))
    entry = server.wait_for(done)
    server.post("/userdata/workflows%2Ffilm.json", b'{"nodes": [1]}')
    server.post("/settings/Comfy.Kept", True)
    running = server.queue(write("half", steps=1000, seconds=0.05))
    waiting = [server.queue(write(f"whole{number}", steps=1, seconds=0.0)) for number in range(3)]
    partly = count(seed=9) | {"3": {"class_type": "TestFail", "inputs": {"reason": "not asked for"}}}
    waiting.append(server.queue(partly, partial_execution_targets=["2"]))
    server.wait_until_running(running)
    server.kill()
    assert not [name for name in os.listdir(server.folder / "output") if name.startswith("half")]

    again = start()
    assert again.get(f"/history/{done}").json[done] == entry
    assert again.get("/userdata/workflows%2Ffilm.json").json == {"nodes": [1]}
    assert again.get("/settings/Comfy.Kept").json is True
    lost = again.get(f"/history/{running}").json[running]
    assert lost["status"]["status_str"] == "error" and lost["prompt"][2] == write("half", 1000, 0.05)
    assert "lost" in lost["status"]["messages"][-1][1]["exception_message"]
    assert again.get(f"/api/jobs/{running}").json["status"] == "failed"
    for prompt_id in waiting:
        assert again.wait_for(prompt_id)["status"]["completed"]
    order = [prompt_id for prompt_id in again.get("/history").json if prompt_id in waiting]
    assert order == waiting
    assert {f"whole{number}.txt" for number in range(3)} <= set(os.listdir(again.folder / "output"))


def test_an_orderly_stop_keeps_what_waits(start):
    server = start()
    running = server.queue(count(steps=3000, seconds=0.05, seed=1))
    waiting = server.queue(count(seed=2))
    server.wait_until_running(running)
    assert server.stop() == 0
    again = start()
    assert again.wait_for(waiting)["status"]["completed"]
    stopped = again.get(f"/history/{running}").json[running]
    assert stopped["status"]["messages"][-1][0] == "execution_interrupted"


def test_a_waiting_prompt_whose_nodes_are_gone_is_told_not_dropped(start):
    server = start()
    server.stop()
    store = Store(server.folder / "user" / "__kinograph" / "server.db")
    gone = {"1": {"class_type": "NodeOfARemovedPack", "inputs": {}}}
    store.queued(0, [0, "00000000-0000-0000-0000-000000000001", gone, {"create_time": 1}, ["1"]])
    store.close()
    again = start()
    entry = again.wait_for("00000000-0000-0000-0000-000000000001")
    assert "NodeOfARemovedPack" in entry["status"]["messages"][-1][1]["exception_message"]


def test_settings_are_whole_whenever_the_server_is_killed(start):
    server = start()
    content = json.dumps({"text": "x" * 200_000}).encode()

    def keep_writing() -> None:
        try:
            while True:
                server.post("/userdata/big.json", content)
                server.post("/settings/Comfy.Big", "y" * 50_000)
        except OSError:
            return

    writer = threading.Thread(target=keep_writing)
    writer.start()
    time.sleep(1.0)
    server.kill()
    writer.join()
    again = start()
    assert again.get("/userdata/big.json").body == content
    assert again.get("/settings").json["Comfy.Big"] == "y" * 50_000
    assert "big.json" in again.get("/userdata?dir=.").json
    assert not [name for name in again.get("/userdata?dir=.").json if name.startswith(".")]


def test_a_second_server_on_the_same_user_folder_is_refused(start, tmp_path):
    start()
    with pytest.raises(UsageError, match="--user-directory"):
        Store(tmp_path / "user" / "__kinograph" / "server.db")


def test_a_damaged_history_is_set_aside_and_told(tmp_path, caplog):
    path = tmp_path / "server.db"
    path.write_bytes(b"not a database at all" * 100)
    store = Store(path)
    assert store.history() == {} and "damaged" in caplog.text
    store.close()
    assert [name for name in os.listdir(tmp_path) if ".broken-" in name]


def test_the_history_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("kinograph.host.server.store.MOST_HISTORY", 3)
    store = Store(tmp_path / "server.db")
    for number in range(6):
        facts = [number, f"id-{number}", {}, {"create_time": number}, []]
        status = {"status_str": "success", "completed": True, "messages": []}
        entry = {"prompt": facts, "outputs": {}, "meta": {}, "status": status}
        store.finished(store.queued(number, facts), f"id-{number}", entry)
    assert list(store.history()) == ["id-3", "id-4", "id-5"] and store.unfinished() == []
    store.close()
    assert sqlite3.connect(tmp_path / "server.db").execute("SELECT count(*) FROM history").fetchone() == (3,)
