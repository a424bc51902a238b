"""Bad input under a real ComfyUI is refused with the node and what is wrong; nothing outside is read."""

from __future__ import annotations

import json

import pytest
from comfyui.client import NodeFailed, Refused, node


def looked_at(name: str) -> dict:
    return {"load": node("KinoLoadVideo", file=name), "info": node("KinoVideoInfo", video=["load", 0])}


def refusal(comfyui, graph: dict) -> str:
    """Why a graph was not run, as the editor would show it."""
    with pytest.raises((Refused, NodeFailed)) as caught:
        comfyui.run(graph)
    if isinstance(caught.value, NodeFailed):
        return str(caught.value)
    [(key, errors)] = caught.value.answer["node_errors"].items()
    return f"{errors['class_type']} {key}: {json.dumps(errors['errors'])}"


@pytest.fixture
def secret(comfyui, clip):
    """A video beside the input folder."""
    path = comfyui.base / "secret.mp4"
    path.write_bytes((comfyui.base / "input" / clip).read_bytes())
    return path


@pytest.mark.parametrize("name", ["../secret.mp4", "sub/../../secret.mp4", "..\\secret.mp4", "{absolute}"])
def test_a_path_that_leaves_the_input_folder_is_refused(comfyui, secret, name):
    said = refusal(comfyui, looked_at(name.format(absolute=secret)))
    assert said.startswith("KinoLoadVideo load:") and "file" in said


def test_a_link_that_leaves_the_input_folder_is_refused(comfyui, secret):
    link = comfyui.base / "input" / "link.mp4"
    link.symlink_to(secret)
    try:
        assert "link" in refusal(comfyui, looked_at("link.mp4"))
    finally:
        link.unlink()


@pytest.mark.parametrize("content", ["empty", "text", "truncated"])
def test_a_file_that_is_no_video_is_refused_by_name(comfyui, clip, content):
    whole = (comfyui.base / "input" / clip).read_bytes()
    bad = {"empty": b"", "text": b"this is no video", "truncated": whole[: len(whole) // 2]}[content]
    (comfyui.base / "input" / "bad.mp4").write_bytes(bad)
    said = refusal(comfyui, looked_at("bad.mp4"))
    assert "bad.mp4" in said


@pytest.mark.parametrize("prefix", ["../evil", "/tmp/evil", "a/../../evil", "C:/evil", "nul\0l"])
def test_a_name_that_leaves_the_output_folder_is_refused(comfyui, clip, prefix):
    graph = {"load": node("KinoLoadVideo", file=clip)}
    graph["save"] = node("KinoEncodeVideo", video=["load", 0], filename_prefix=prefix)
    assert refusal(comfyui, graph).startswith("KinoEncodeVideo save:")
    assert not list(comfyui.base.glob("*evil*"))


def test_an_animated_webp_is_not_called_damaged(comfyui, clip):
    graph = {"load": node("KinoLoadVideo", file=clip)}
    graph["save"] = node("KinoEncodeVideo", video=["load", 0], container="webp")
    graph["info"] = node("KinoVideoInfo", video=["save", 0])
    assert "animated WebP" in refusal(comfyui, graph)


def test_a_container_and_codec_that_do_not_fit_are_refused_before_the_run(comfyui, clip):
    graph = {"load": node("KinoLoadVideo", file=clip)}
    graph["save"] = node("KinoEncodeVideo", video=["load", 0], container="webm", codec="h264")
    with pytest.raises(Refused, match="webm"):
        comfyui.run(graph)


def test_a_missing_file_is_refused_by_name(comfyui):
    assert "nowhere.mp4" in refusal(comfyui, looked_at("nowhere.mp4"))


def test_a_link_of_the_wrong_type_is_refused_at_its_input(comfyui, clip):
    graph = looked_at(clip) | {"bad": node("KinoVideoInfo", video=["info", 0])}
    with pytest.raises(Refused) as caught:
        comfyui.run(graph)
    [error] = caught.value.answer["node_errors"]["bad"]["errors"]
    assert error["type"] == "return_type_mismatch" and error["extra_info"]["input_name"] == "video"


def test_a_parameter_out_of_range_names_its_bounds(comfyui, clip):
    graph = {"load": node("KinoLoadVideo", file=clip)}
    graph["cuts"] = node("KinoSceneCuts", video=["load", 0], method="content", **{"method.threshold": 900.0})
    graph["show"] = node("PreviewAny", source=["cuts", 1])
    said = refusal(comfyui, graph)  # checked by ComfyUI where it looks into dynamic combos, else by the node
    assert all(part in said for part in ("KinoSceneCuts", "threshold", "900.0", "255.0"))


def test_missing_weights_are_named_with_the_command_that_fetches_them(comfyui, clip):
    graph = {"load": node("KinoLoadVideo", file=clip)}
    graph["cuts"] = node("KinoSceneCuts", video=["load", 0], method="transnetv2")
    graph["show"] = node("PreviewAny", source=["cuts", 1])
    said = refusal(comfyui, graph)
    assert "kinograph models get transnetv2" in said and str(comfyui.base / "models") in said
