"""The user's settings and workflows."""

from __future__ import annotations

import threading

import pytest


def test_settings_are_kept_one_by_one_and_together(server):
    assert server.post("/settings/Comfy.One", 1).status == 200
    assert server.post("/settings", {"Comfy.Two": [2], "Comfy.Three": None}).status == 200
    settings = server.get("/settings").json
    assert settings["Comfy.One"] == 1 and settings["Comfy.Two"] == [2]
    assert server.get("/settings/Comfy.Two").json == [2]
    assert server.get("/settings/Comfy.Never").json is None
    assert server.post("/settings", [1]).status == 400


def test_tabs_that_set_at_once_lose_nothing(server):
    def set_ten(tab: int) -> None:
        for number in range(10):
            server.post(f"/settings/Tab{tab}.{number}", number)

    tabs = [threading.Thread(target=set_ten, args=(tab,)) for tab in range(4)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    settings = server.get("/settings").json
    assert all(settings[f"Tab{tab}.{number}"] == number for tab in range(4) for number in range(10))


def test_damaged_settings_are_set_aside_and_told(start):
    server = start()
    path = server.folder / "user" / "default" / "comfy.settings.json"
    path.write_text('{"half')
    assert server.get("/settings").json == {}
    assert server.post("/settings/a", 1).status == 200 and server.get("/settings").json == {"a": 1}
    assert "cannot be read" in (server.folder / "log.txt").read_text()
    assert [one.read_text() for one in path.parent.glob("*.broken-*")] == ['{"half']


def test_a_workflow_is_saved_listed_moved_and_deleted(server):
    saved = server.post("/userdata/workflows%2Fmy%20film%201.json?full_info=true", b'{"nodes": []}')
    assert saved.json["path"] == "workflows/my film 1.json" and saved.json["size"] == 13
    assert server.get("/userdata/workflows%2Fmy%20film%201.json").body == b'{"nodes": []}'
    listed = server.get("/userdata?dir=workflows&recurse=true&split=false&full_info=true").json
    assert [entry["path"] for entry in listed] == ["my film 1.json"]
    assert listed[0]["modified"] > 1.6e12  # milliseconds
    again = "/userdata/workflows%2Fmy%20film%201.json?overwrite=false"
    assert server.post(again, b"{}").status == 409
    moved = server.post("/userdata/workflows%2Fmy%20film%201.json/move/workflows%2Fday%2F50%2520%25.json")
    assert moved.json == "workflows/day/50%20%.json"
    assert server.get("/userdata?dir=workflows&recurse=true&split=true").json == [
        ["day/50%20%.json", "day", "50%20%.json"]
    ]
    tree = server.get("/v2/userdata?path=workflows").json
    assert [(entry["type"], entry["path"]) for entry in tree] == [
        ("directory", "workflows/day"),
        ("file", "workflows/day/50%20%.json"),
    ]
    path = "/userdata/workflows%2Fday%2F50%2520%25.json"
    assert server.request("DELETE", path).status == 204 and server.get(path).status == 404


def test_user_files_are_downloaded_never_shown(server):
    server.post("/userdata/page.html", b"<script>alert(1)</script>")
    headers = server.get("/userdata/page.html").headers
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment")


def test_the_user_s_style_sheet_is_there_even_when_empty(server):
    for path in ("/user.css", "/api/userdata/user.css"):
        answer = server.get(path)
        assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/css")


@pytest.mark.parametrize("path", ["/userdata/workflows", "/userdata/nothing.json", "/userdata?dir=nothing"])
def test_what_is_not_there_is_not_found(server, path):
    assert server.get(path).status == 404


def test_a_folder_is_not_overwritten_by_a_file(server):
    assert server.post("/userdata/workflows", b"{}").status == 409
    server.post("/userdata/plain.json", b"{}")
    assert server.post("/userdata/plain.json%2Finside.json", b"{}").status == 409
