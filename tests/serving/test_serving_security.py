"""Who is let in, and the headers that everyone gets."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from kinograph.host.server.security import is_loopback, own_names
from serving.live_server import count


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1:{port}",
        "localhost:{port}",
        "[::1]:{port}",
        "LOCALHOST",
        "a.localhost",
        "10.0.0.2:8188",
    ],
)
def test_own_names_and_numbers_are_answered(server, host):
    assert server.get("/queue", Host=host.format(port=server.port)).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:{port}", "", "x@localhost", "[::1"],
)
def test_a_rebound_name_is_refused(server, host):
    host = host.format(port=server.port)
    assert server.get("/queue", Host=host).status in (400, 403)
    assert server.post("/prompt", {"prompt": count()}, Host=host, Origin=f"http://{host}").status in (
        400,
        403,
    )


@pytest.mark.parametrize(
    ("headers", "is_let_in"),
    [
        ({}, True),
        ({"Origin": "http://127.0.0.1:{port}"}, True),
        ({"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "http://127.0.0.1:1"}, False),
        ({"Origin": "http://localhost:{port}"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "http://["}, False),
    ],
)
def test_pages_of_other_origins_are_refused(server, headers, is_let_in):
    given = {name: value.format(port=server.port) for name, value in headers.items()}
    assert server.post("/interrupt", **given).status == (200 if is_let_in else 403)
    assert server.get("/history", **given).status == (200 if is_let_in else 403)


def test_a_foreign_page_opens_no_websocket(server):
    async def connect():
        async with aiohttp.ClientSession() as session:
            await session.ws_connect(f"{server.url}/ws", origin="http://evil.example")

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        asyncio.run(connect())
    assert refused.value.status == 403


def test_a_preflight_is_given_no_permission(server):
    answer = server.request("OPTIONS", "/prompt", headers={"Origin": f"http://127.0.0.1:{server.port}"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    "path", ["/", "/queue", "/nothing-here", "/view?filename=nothing.png", "/../etc/passwd"]
)
def test_every_answer_keeps_the_browser_careful(server, path):
    headers = server.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]


def test_a_token_is_asked_of_everyone_and_becomes_a_cookie(start):
    server = start("--token", "open sesame")
    assert server.address.endswith("/?token=open%20sesame")
    assert server.get("/").status == server.get("/queue").status == 401
    assert server.get("/queue", Authorization="Bearer wrong").status == 401
    assert server.get("/queue?token=wr%C3%B6ng").status == 401
    assert server.get("/queue", Authorization="Bearer open sesame").status == 200
    opened = server.get("/?token=open%20sesame")
    assert opened.status == 303 and opened.headers["Location"] == "/"
    cookie = opened.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert b"the editor" in server.get("/", Cookie=cookie.partition(";")[0]).body
    assert "sesame" not in server.get("/system_stats", Authorization="Bearer open sesame").body.decode()


def test_listening_beyond_this_machine_warns_without_a_token(start, tmp_path):
    server = start("--listen", "0.0.0.0")
    assert server.url.startswith("http://127.0.0.1:")
    assert "--token" in (tmp_path / "log.txt").read_text()
    assert server.get("/queue", Host="evil.example").status == 403


def test_names_given_with_allow_host_are_answered(start):
    server = start("--allow-host", "studio.example")
    assert server.get("/queue", Host="Studio.Example:80").status == 200
    assert server.get("/queue", Host="other.example").status == 403


def test_loopback_addresses_are_told_from_others():
    assert all(map(is_loopback, ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "10.0.0.1", "example.org"]))
    assert own_names(["127.0.0.1"], ["A.Example."]) == {"localhost", "127.0.0.1", "a.example"}
