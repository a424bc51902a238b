"""Encode Video under a real ComfyUI: files that open, carry the graph, and stay in the output folder."""

from __future__ import annotations

import json

import av
import pytest
from comfyui.client import node
from PIL import Image

LOAD = node("KinoLoadVideo", file="clip.mp4")

KINDS = [
    *(("mp4", codec) for codec in ("h264", "hevc", "av1", "vp9")),
    *(("mov", "prores"), ("mkv", "ffv1"), ("webm", "vp9"), ("gif", "auto"), ("webp", "auto")),
]


def encoded(comfyui, **settings) -> list:
    graph = {"load": LOAD, "save": node("KinoEncodeVideo", video=["load", 0], **settings)}
    return comfyui.saved(comfyui.run(graph)["save"])


@pytest.mark.parametrize(("container", "codec"), KINDS)
def test_every_kind_of_file_opens_again(comfyui, clip, container, codec):
    [path] = encoded(comfyui, container=container, codec=codec, filename_prefix=f"kinds/{container}-{codec}")
    assert path.suffix == f".{container}" and path.parent == comfyui.base / "output" / "kinds"
    if container == "webp":  # FFmpeg writes animated WebP, equal frames as one, but does not read it
        with Image.open(path) as picture:
            milliseconds = 0
            for index in range(picture.n_frames):
                picture.seek(index)
                picture.load()
                milliseconds += picture.info["duration"]
            assert milliseconds == 2000 and picture.size == (96, 64)
        return
    with av.open(str(path)) as file:
        frames = list(file.decode(video=0))
    assert len(frames) == 50 and (frames[0].width, frames[0].height) == (96, 64)


def test_a_second_file_never_replaces_the_first(comfyui, clip):
    [first] = encoded(comfyui, filename_prefix="twice/%width%x%height%", crf=20.0)
    [second] = encoded(comfyui, filename_prefix="twice/%width%x%height%", crf=30.0)
    assert first != second and first.is_file() and first.name.startswith("96x64")


def test_the_graph_is_in_the_files_tags(comfyui, clip):
    [path] = encoded(comfyui, filename_prefix="tagged")
    with av.open(str(path)) as file:
        assert json.loads(file.metadata["prompt"])["save"]["class_type"] == "KinoEncodeVideo"


def test_the_written_file_plays_in_cores_nodes(comfyui, clip):
    graph = {"load": LOAD, "encode": node("KinoEncodeVideo", video=["load", 0], filename_prefix="again")}
    graph["save"] = node("SaveVideo", video=["encode", 0], filename_prefix="by_core")
    [path] = comfyui.saved(comfyui.run(graph)["save"])
    with av.open(str(path)) as file:
        assert sum(1 for _ in file.decode(video=0)) == 50
