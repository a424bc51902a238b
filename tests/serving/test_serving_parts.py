"""The server's parts by themselves: JSON from outside, jobs, previews' story, a full disk, a slow client."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3

import pytest
from aiohttp.http_exceptions import LineTooLong
from kinograph.host.server import jobs, plain_json
from kinograph.host.server.clients import Clients, Connection
from kinograph.host.server.failing import log_malformed_requests_briefly
from kinograph.host.server.logs import LogBook
from kinograph.host.server.queue import Item, PromptQueue
from kinograph.host.server.running import RunningPrompt
from kinograph.host.server.store import Store


@pytest.mark.parametrize("text", ["", "{", "[" * 300 + "]" * 300, "9" * 5000, b"\xff", '{"a": ]}'])
def test_what_is_no_plain_json_is_refused(text):
    with pytest.raises(plain_json.NotPlainError):
        plain_json.read(text)


def test_brackets_in_strings_do_not_count_as_depth():
    text = json.dumps({"text": '[{"\\' * 1000, "list": [[]] * 500})
    assert plain_json.read(text) == json.loads(text)


def test_written_json_is_ascii_and_free_of_what_browsers_cannot_read():
    assert plain_json.write({"a": float("inf"), "b": [1.5, float("nan")], "c": "é\ud800"}) == (
        '{"a":null,"b":[1.5,null],"c":"\\u00e9\\ud800"}'
    )


def entry(outputs: dict, status: str = "success", messages: tuple = ()) -> dict:
    return {
        "prompt": [1, "id", {}, {"create_time": 5, "extra_pnginfo": {"workflow": {"id": "w"}}}, []],
        "outputs": outputs,
        "status": {"status_str": status, "completed": status == "success", "messages": list(messages)},
    }


def test_a_job_is_shown_by_its_saved_picture_then_any_then_text():
    saved = {"filename": "a.png", "type": "output"}
    temp = {"filename": "b.png", "type": "temp"}
    outputs = {
        "1": {"text": ["x" * 2000]},
        "2": {"images": [temp]},
        "3": {"images": [saved], "animated": [True]},
    }
    job = jobs.finished_job("id", entry(outputs))
    assert job["preview_output"] == {**saved, "mediaType": "images", "nodeId": "3"}
    assert (job["outputs_count"], job["previewable_outputs_count"], job["workflow_id"]) == (2, 2, "w")
    del outputs["3"]
    assert jobs.finished_job("id", entry(outputs))["preview_output"]["filename"] == "b.png"
    del outputs["2"]
    text = jobs.finished_job("id", entry(outputs))["preview_output"]
    assert text["truncated"] and len(text["content"]) == 1024


def test_a_job_s_status_and_times_come_from_its_messages():
    told = (["execution_start", {"timestamp": 10}], ["execution_interrupted", {"timestamp": 30}])
    job = jobs.finished_job("id", entry({}, "error", told))
    assert (job["status"], job["execution_start_time"], job["execution_end_time"]) == ("cancelled", 10, 30)
    told = (told[0], ["execution_error", {"timestamp": 20}])
    job = jobs.finished_job("id", entry({}, "error", told))
    assert job["status"] == "failed" and job["execution_error"]["timestamp"] == 20


@pytest.mark.parametrize("extra", [{}, {"extra_pnginfo": None}, {"extra_pnginfo": {"workflow": [1]}}])
def test_a_workflow_s_id_may_be_missing_anywhere(extra):
    assert jobs.workflow_id(extra) is None


def test_only_the_prompt_s_own_client_is_told_its_story():
    running = RunningPrompt()
    running.begin("me")
    for event, data in (("execution_start", 1), ("executing", 2), ("progress", 3), ("executing", 4)):
        running.note(event, data)
    assert running.story("me") == [("execution_start", 1), ("executing", 4)]
    assert running.story("you") == []
    running.end()
    assert running.story("me") == []


def test_a_prompt_waits_while_its_start_cannot_be_written(tmp_path):
    queue = PromptQueue(Store(tmp_path / "server.db"), lambda: None)
    queue.put(Item(0, "id", {}, {"create_time": 0}, []))
    queue.store.close()
    with pytest.raises(sqlite3.Error):
        queue.get(0)
    assert queue.remaining() == 1 and queue.current()[0] == []


def test_progress_bars_take_one_line_of_the_log():
    book = LogBook()
    for text in ("loading ", "model\n", "\r10%", "\r50%", "\r100%\n", "done\n"):
        book._note(text)
    assert [line["m"] for line in book.entries] == ["loading model\n", "\r100%\n", "done\n"]


class StuckSocket:
    """A client that reads nothing."""

    closed = False

    async def send_str(self, message: str) -> None:
        await asyncio.Event().wait()


class StuckRequest:
    transport = None


def test_a_client_that_reads_nothing_misses_old_progress_but_no_result():
    async def flood() -> Connection:
        clients, connection = Clients(asyncio.get_running_loop()), Connection(StuckSocket(), StuckRequest())
        clients.add("stuck", connection)
        for number in range(1000):
            clients.send("progress", {"value": number}, "stuck")
            if number % 100 == 0:
                clients.send("executed", {"node": str(number)}, "stuck")
        await asyncio.sleep(0)
        return connection

    waiting = [json.loads(one.message) for one in asyncio.run(flood())._waiting]
    assert len(waiting) < 200 and waiting[-1]["data"] == {"value": 999}
    executed = [event["data"]["node"] for event in waiting if event["type"] == "executed"]
    assert executed == [str(number) for number in range(0, 1000, 100)]


def test_a_malformed_request_is_logged_in_one_line(caplog):
    log_malformed_requests_briefly()
    try:
        raise LineTooLong(b"GET /" + b"x" * 9000, 8190)
    except LineTooLong:
        logging.getLogger("aiohttp.server").exception("Error handling request from %s", "127.0.0.1")
    assert "A request was malformed" in caplog.text and "Traceback" not in caplog.text
    assert len(caplog.text) < 500
