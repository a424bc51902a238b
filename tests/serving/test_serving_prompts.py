"""A graph from POST /prompt to its history, as a client's script sees it."""

from __future__ import annotations

import asyncio
import io
import struct
import uuid

import pytest
from serving.live_server import count, listening


def watched(server, prompt, flags=None, **fields):
    """Queue a prompt as a client that listens; its id and all messages up to its end."""

    async def watch():
        async with listening(server, flags=flags) as listener:
            given = {"prompt": prompt, "client_id": listener.client_id, **fields}
            prompt_id = (await asyncio.to_thread(server.post, "/prompt", given)).json["prompt_id"]
            return prompt_id, await listener.until_done(prompt_id)

    return asyncio.run(watch())


def names(messages):
    return [message[0] for message in messages if not isinstance(message, bytes)]


def test_a_client_is_told_each_step_in_order(server):
    prompt_id, messages = watched(server, count(steps=2, seed=1))
    told = [name for name in names(messages) if name not in ("status", "progress_state")]
    assert told == [
        "execution_start",
        "execution_cached",
        "executing",
        "progress",
        "progress",
        "executing",
        "executed",
        "execution_success",
        "executing",
    ]
    executed = next(data for name, data in messages if name == "executed")
    assert executed["node"] == "2" and executed["output"] == {"text": ["2"]}
    assert all(data["prompt_id"] == prompt_id for name, data in messages if name != "status")


def test_the_first_message_is_the_queue_and_features_are_exchanged(server):
    async def greet():
        async with listening(server, "greeting", flags={"supports_preview_metadata": True}) as listener:
            return await listener.next(), await listener.next()

    (first, status), (second, features) = asyncio.run(greet())
    assert first == "status" and status["sid"] == "greeting"
    assert status["status"]["exec_info"]["queue_remaining"] == 0
    assert second == "feature_flags" and features["supports_preview_metadata"] is True
    assert features == server.get("/features").json


@pytest.mark.parametrize("knows_metadata", [True, False])
def test_previews_come_in_the_form_that_the_client_knows(server, knows_metadata):
    from PIL import Image

    prompt = {"7": {"class_type": "TestDraw", "inputs": {"seed": int(knows_metadata)}}}
    flags = {"supports_preview_metadata": True} if knows_metadata else None
    prompt_id, messages = watched(server, prompt, flags)
    text, preview = [message for message in messages if isinstance(message, bytes)]
    assert text == struct.pack(">II", 3, 1) + b"7half way"
    kind, length = struct.unpack(">II", preview[:8])
    if knows_metadata:
        metadata = preview[8 : 8 + length].decode()
        assert kind == 4 and prompt_id in metadata and '"image/jpeg"' in metadata
        picture = preview[8 + length :]
    else:
        assert (kind, length) == (1, 1)  # a JPEG
        picture = preview[8:]
    assert Image.open(io.BytesIO(picture)).size == (16, 8)


def test_a_failing_node_is_named_and_kept_in_the_history(server):
    prompt = {"3": {"class_type": "TestFail", "inputs": {"reason": "no such luck"}}}
    prompt_id, messages = watched(server, prompt)
    error = next(data for name, data in messages if name == "execution_error")
    assert (error["node_id"], error["node_type"]) == ("3", "TestFail")
    assert error["exception_message"] == "no such luck" and error["exception_type"] == "ValueError"
    status = server.wait_for(prompt_id)["status"]
    assert status["status_str"] == "error" and not status["completed"]
    assert status["messages"][-1][0] == "execution_error"


def test_equal_nodes_are_cached_for_the_next_prompt(server):
    watched(server, count(seed=55))
    _, messages = watched(server, count(seed=55))
    cached = next(data for name, data in messages if name == "execution_cached")
    assert set(cached["nodes"]) == {"1", "2"}
    assert next(data for name, data in messages if name == "executed")["output"] == {"text": ["1"]}


def test_an_invalid_output_is_reported_and_the_valid_one_runs(server):
    prompt = count(seed=8) | {"9": {"class_type": "TestShow", "inputs": {"number": "no number"}}}
    answer = server.post("/prompt", {"prompt": prompt})
    assert answer.status == 200
    assert answer.json["node_errors"]["9"]["errors"][0]["type"] == "invalid_input_type"
    assert list(server.wait_for(answer.json["prompt_id"])["outputs"]) == ["2"]


@pytest.mark.parametrize(
    ("request_body", "kind"),
    [
        ({}, "no_prompt"),
        ([], "invalid_prompt"),
        ({"prompt": {"1": {"class_type": "NoSuchNode", "inputs": {}}}}, "missing_node_type"),
        ({"prompt": {"1": {"class_type": "TestSlowCount", "inputs": {"steps": 1}}}}, "prompt_no_outputs"),
        ({"prompt": {"1": {"class_type": "TestShow", "inputs": {"number": -1}}}},
         "prompt_outputs_failed_validation"),
        ({"prompt": count(), "prompt_id": "not-a-uuid"}, "invalid_prompt_id"),
        ({"prompt": count(), "prompt_id": 5}, "invalid_prompt_id"),
        ({"prompt": count(), "number": "NaN"}, "invalid_prompt"),
        ({"prompt": count(), "extra_data": "text"}, "invalid_prompt"),
        ({"prompt": count(), "partial_execution_targets": "2"}, "invalid_prompt"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused_in_comfyui_s_words(server, request_body, kind):
    answer = server.post("/prompt", request_body)
    assert answer.status == 400
    assert answer.json["error"]["type"] == kind and answer.json["error"]["message"]
    assert "node_errors" in answer.json


def test_partial_targets_run_only_what_they_need(server):
    prompt = count(seed=4) | {"3": {"class_type": "TestFail", "inputs": {"reason": "not asked for"}}}
    prompt_id = server.queue(prompt, partial_execution_targets=["2"])
    entry = server.wait_for(prompt_id)
    assert entry["status"]["completed"] and entry["prompt"][4] == ["2"]


def test_a_client_s_own_id_and_extra_data_are_kept_but_no_secrets(server):
    own_id = str(uuid.uuid4())
    extra = {"extra_pnginfo": {"workflow": {"id": "flow-1"}}, "auth_token_comfy_org": "hidden-token"}
    assert server.queue(count(seed=6), prompt_id=own_id, extra_data=extra) == own_id
    entry = server.wait_for(own_id)
    assert entry["prompt"][3]["extra_pnginfo"] == {"workflow": {"id": "flow-1"}}
    assert "hidden-token" not in str(entry)
    assert b"hidden-token" not in (server.folder / "user" / "__kinograph" / "server.db-wal").read_bytes()


def test_a_prompt_without_listeners_runs_as_well(server):
    entry = server.wait_for(server.queue(count(seed=12)))
    assert entry["outputs"] == {"2": {"text": ["1"]}}


def test_what_json_cannot_hold_is_softened_or_told(server):
    prompt = {"1": {"class_type": "TestOdd", "inputs": {"hopeless": False}}}
    shown = server.wait_for(server.queue(prompt))["outputs"]["1"]["odd"][0]
    assert shown == {"nan": None, "object": "<class 'object'>", "set": [1]}
    prompt["1"]["inputs"]["hopeless"] = True
    status = server.wait_for(server.queue(prompt))["status"]
    assert not status["completed"] and "JSON" in status["messages"][-1][1]["exception_message"]


def test_routes_answer_under_api_too(server):
    for path in (
        "/queue",
        "/prompt",
        "/history",
        "/system_stats",
        "/features",
        "/jobs",
        "/settings",
        "/users",
    ):
        assert server.get(path).status == server.get(f"/api{path}").status == 200
