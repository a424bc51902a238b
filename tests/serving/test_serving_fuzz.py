"""Requests that nobody means: no answer is a failure of ours, none hangs, none leaves its folder."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import string
import time
from functools import reduce

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kinograph.host.server import routes_pages
from kinograph.host.server.app import ROUTE_TABLES
from kinograph.host.server.requests import BODY_SECONDS
from serving.live_server import PATIENCE, Server, count

FUZZ = settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    database=None,
)

ROUTES = [
    (route.method, re.sub(r"{[^}]+}", "{}", route.path))
    for table in [*ROUTE_TABLES, routes_pages.routes]
    for route in table
]
GETS = [path for method, path in ROUTES if method == "GET"]
WRITES = [route for route in ROUTES if route[0] != "GET"]
NAMES = (
    *("filename", "subfolder", "type", "preview", "channel", "res", "dir", "recurse", "split", "full_info"),
    *("path", "status", "sort_by", "sort_order", "limit", "offset", "max_items", "workflow_id", "clientId"),
)

awkward = st.sampled_from(
    [
        *(
            "",
            ".",
            "..",
            "%2e%2e",
            "..%2f..%2fetc%2fpasswd",
            "%00",
            "%ff",
            "C:%5c",
            "con",
            "-1",
            "9" * 40,
            "*",
        ),
        *("x" * 3000, "input", "output", "vae", "kinograph", "default", "%F0%9F%8E%AC", "a%0d%0ab", "%7b%7d"),
    ]
)
text = st.text(string.printable, max_size=20).map(
    lambda given: "".join(f"%{ord(sign):02x}" if not sign.isalnum() else sign for sign in given)
)
part = awkward | text
queries = st.lists(st.tuples(st.sampled_from(NAMES), part), max_size=4).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
huge = st.sampled_from([2**31, -(2**31), 2**53 + 1, 2**63, -(2**63) - 1, 2**64, 10**400, 10**4299])
deep = st.integers(20, 400).map(lambda depth: reduce(lambda inner, _: [inner], range(depth), 0))
plain = st.none() | st.booleans() | st.integers() | huge | st.floats() | st.text(max_size=8)
values = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["prompt", "class_type", "inputs", "delete", "clear", "job_ids", "1", "number"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
bodies = (
    (values | deep).map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=60)
    | st.sampled_from(
        [
            *(b"", b"{", b"[" * 100_000, b'{"a":' * 50_000, b"9" * 10_000, b"\xff\xfe", b'"\\ud800"', b"NaN"),
            b'{"prompt": {"1": ' + b"[" * 990 + b"]" * 990 + b"}}",
            b'{"number": ' + b"9" * 5000 + b', "prompt": {}}',
            b'{"delete": [1e999, -0.0, ' + b"9" * 5000 + b"]}",
            b'{"prompt": {}, "prompt": [], "client_id": {"a": 1}}',
        ]
    )
)


def filled(draw, template: str) -> str:
    while "{}" in template:
        template = template.replace("{}", draw(part), 1)
    return template


def sound(server: Server, method: str, path: str, body: bytes | None, headers: dict | None = None) -> None:
    before = time.monotonic()
    answer = server.request(method, path, body, headers)
    assert answer.status < 500, (method, path, body, answer.body)
    if not path.startswith(("/internal/logs", "/api/internal/logs")):  # there they belong
        assert b"Traceback" not in answer.body and b"root:" not in answer.body
    assert time.monotonic() - before < PATIENCE


@given(st.data())
@FUZZ
def test_reading_anything_is_answered(server, data):
    path = filled(data.draw, data.draw(st.sampled_from(GETS)))
    sound(server, "GET", f"{data.draw(st.sampled_from(['', '/api']))}{path}?{data.draw(queries)}", None)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    """A server of its own, since these requests change things; what they wrote stayed inside."""
    folder = tmp_path_factory.mktemp("fuzzed")
    server = Server(folder).start()
    around = set(os.listdir(folder.parent)) | set(os.listdir(folder))
    yield server
    assert server.get("/queue").status == 200, "the server is still there"
    server.wait_for(server.queue(count(seed=3)))
    server.stop()
    assert (set(os.listdir(folder.parent)) | set(os.listdir(folder))) - {"temp"} == around - {"temp"}
    assert "Traceback" not in (folder / "log.txt").read_text()


@given(st.data())
@FUZZ
def test_writing_anything_is_answered(fuzzed, data):
    method, template = data.draw(st.sampled_from(WRITES))
    kind = data.draw(
        st.sampled_from(["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
    )
    path = f"{filled(data.draw, template)}?{data.draw(queries)}"
    sound(fuzzed, method, path, data.draw(bodies), {"Content-Type": kind})


@given(
    st.dictionaries(
        st.sampled_from(["1", "2", "3", "\x00", "9" * 500]),
        st.fixed_dictionaries(
            {},
            optional={
                "class_type": st.sampled_from(["TestShow", "TestSlowCount", "TestWrite", "KSampler"]) | plain,
                "inputs": st.dictionaries(
                    st.sampled_from(["steps", "number", "seconds", "seed", "name"]),
                    plain | st.tuples(st.sampled_from(["1", "2", "9"]), st.integers(-1, 2)).map(list),
                    max_size=3,
                )
                | plain,
                "_meta": values | deep,
            },
        )
        | plain,
        max_size=3,
    ),
    st.dictionaries(
        st.sampled_from(
            ["client_id", "extra_data", "front", "number", "prompt_id", "partial_execution_targets"]
        ),
        values | deep,
        max_size=2,
    ),
)
@FUZZ
def test_any_prompt_is_queued_or_refused(fuzzed, prompt, fields):
    body = json.dumps({"prompt": prompt, **fields}).encode()
    sound(fuzzed, "POST", "/prompt", body, {"Content-Type": "application/json"})


@given(st.lists(st.text(max_size=50) | st.binary(max_size=50), max_size=5))
@settings(FUZZ, max_examples=15)
def test_a_websocket_survives_any_message(server, sent):
    import asyncio

    from serving.live_server import listening

    async def talk():
        async with listening(server) as listener:
            await listener.next()
            for message in sent:
                send = listener.socket.send_str if isinstance(message, str) else listener.socket.send_bytes
                await send(message)
            await listener.socket.send_json({"type": "feature_flags", "data": {}})
            while (await listener.next())[0] != "feature_flags":
                pass

    asyncio.run(talk())


@pytest.mark.parametrize(
    "bytes_",
    [
        b"\x00\x01\x02",
        b"GET",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\r\n" * 50,
        b"POST /prompt HTTP/1.1\r\nContent-Length: -5\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000,
    ],
)
def test_malformed_http_is_turned_away(server, bytes_):
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(bytes_)
        connection.shutdown(socket.SHUT_WR)
        answered = connection.recv(100)
        assert answered == b"" or answered.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
    assert server.get("/prompt").status == 200


def test_slow_clients_hold_nobody_up(server):
    slow = []
    for _ in range(40):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        connection.putrequest("POST", "/prompt")
        connection.putheader("Content-Length", "1000")
        connection.endheaders(b'{"prompt"')
        slow.append(connection)
    began = time.monotonic()
    server.wait_for(server.queue(count(seed=21)))
    assert time.monotonic() - began < BODY_SECONDS, "else it waited for the slow ones to be turned away"
    for connection in slow:
        connection.close()


def test_an_upload_that_stops_half_way_holds_nobody_up_and_leaves_nothing(server):
    before = set(os.listdir(server.folder / "input"))
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="half.mp4"\r\n\r\n'
    slow = []
    for _ in range(40):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        connection.putrequest("POST", "/upload/image")
        connection.putheader("Content-Type", "multipart/form-data; boundary=x")
        connection.putheader("Content-Length", "1000000")
        connection.endheaders(head + b"\0" * 1000)
        slow.append(connection)
    began = time.monotonic()
    server.wait_for(server.queue(count(seed=22)))
    assert time.monotonic() - began < BODY_SECONDS
    for connection in slow:
        connection.close()
    while set(os.listdir(server.folder / "input")) != before:
        assert time.monotonic() - began < BODY_SECONDS, os.listdir(server.folder / "input")
        time.sleep(0.05)


def test_a_body_longer_than_any_graph_is_refused(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.putrequest("POST", "/prompt")
    connection.putheader("Content-Length", str(1 << 40))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
