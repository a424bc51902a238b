"""How the pack behaves while a real ComfyUI runs it: caching, changed files, cancel."""

from __future__ import annotations

import time

import pytest
from comfyui.client import Interrupted, node, write_clip

LOAD = node("KinoLoadVideo", file="clip.mp4")


def test_a_changed_file_is_read_again(comfyui):
    path = comfyui.base / "input" / "changing.mp4"
    graph = {"load": node("KinoLoadVideo", file=path.name), "info": node("KinoVideoInfo", video=["load", 0])}
    write_clip(path, seconds=1)
    [before] = comfyui.run(graph)["info"]["text"]
    write_clip(path, seconds=3)
    [after] = comfyui.run(graph)["info"]["text"]
    assert before != after and "75" in after


def endless(comfyui, saver: dict) -> dict:
    """A film of 28 hours, saved."""
    return {"load": LOAD, "long": node("KinoRetimeVideo", video=["load", 0], loop=10_000), "save": saver}


SAVERS = {
    "core": node("SaveVideo", video=["long", 0], filename_prefix="cancelled"),
    "ours": node("KinoEncodeVideo", video=["long", 0], filename_prefix="cancelled"),
}


@pytest.mark.parametrize("saver", SAVERS)
def test_cancel_ends_a_long_save_soon_and_leaves_no_file(comfyui, clip, saver):
    prompt_id = comfyui.queue(endless(comfyui, SAVERS[saver]))
    time.sleep(1.5)  # until it is encoding
    cancelled = time.monotonic()
    comfyui.ask("/interrupt", {})
    with pytest.raises(Interrupted):
        comfyui.result(prompt_id)
    assert time.monotonic() - cancelled < 4
    assert list((comfyui.base / "output").rglob("*cancelled*")) == []
    assert list((comfyui.base / "output").rglob(".*")) == []
