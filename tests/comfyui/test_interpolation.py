"""Frames in between in a real ComfyUI, by core's own networks too."""

from __future__ import annotations

import numpy as np
import pytest
from comfyui.client import ComfyUI, NodeFailed, node
from comfyui.interpolation_examples import EXAMPLES, FIVE_BLOCKS, RIFE
from PIL import Image


def pictures(comfyui: ComfyUI, output: dict) -> list[np.ndarray]:
    return [np.asarray(Image.open(path)).astype(int) for path in comfyui.saved(output)]


@pytest.mark.parametrize("kind", ["rife", "film"])
def test_cores_networks_give_what_cores_node_makes_of_them(comfyui, kind):
    if "FrameInterpolate" not in comfyui.listed:
        pytest.skip("this ComfyUI interpolates no frames itself")
    both = {"interp_model": ["model", 0], "images": ["parts", 0]}
    outputs = comfyui.run(
        {
            "model": node("UntrainedInterpolation", kind=kind),
            "clip": node("KinoSyntheticClip", seed=3, width=128, height=64, seconds=0.125),
            "parts": node("GetVideoComponents", video=["clip", 0]),
            "ours": node("KinoInterpolateFrames", **both, factor=3, cut_threshold=0.0, longest_hold=0),
            "cores": node("FrameInterpolate", **both, multiplier=3),
            "show_ours": node("PreviewImage", images=["ours", 0]),
            "show_cores": node("PreviewImage", images=["cores", 0]),
        }
    )
    ours, cores = (pictures(comfyui, outputs[key]) for key in ("show_ours", "show_cores"))
    assert len(ours) == len(cores) == 7
    assert max(np.abs(one - other).max() for one, other in zip(ours, cores, strict=True)) <= 1


CLIP = {
    "clip": node("KinoSyntheticClip", seed=3, width=120, height=72, seconds=0.125),
    "parts": node("GetVideoComponents", video=["clip", 0]),
}
"""Three frames whose sides fill no whole cells."""


def by_cores_node(comfyui: ComfyUI, loader: dict) -> list[np.ndarray]:
    """Seven pictures that core's own node makes with a model."""
    if "FrameInterpolate" not in comfyui.listed:
        pytest.skip("this ComfyUI interpolates no frames itself")
    graph = {
        **CLIP,
        "model": loader,
        "more": node("FrameInterpolate", interp_model=["model", 0], images=["parts", 0], multiplier=3),
        "show": node("PreviewImage", images=["more", 0]),
    }
    return pictures(comfyui, comfyui.run(graph)["show"])


def test_cores_node_makes_the_same_of_our_network_as_of_its_own(comfyui):
    ours = by_cores_node(comfyui, node("KinoLoadInterpolationModel", file=FIVE_BLOCKS, dtype="float32"))
    cores = by_cores_node(comfyui, node("FrameInterpolationModelLoader", model_name=FIVE_BLOCKS))
    assert len(ours) == len(cores) == 7
    assert max(np.abs(one - other).max() for one, other in zip(ours, cores, strict=True)) <= 1
    assert np.abs(ours[1] - (2 * ours[0] + ours[3]) // 3).max() > 8, "the weights move nothing"


@pytest.mark.parametrize("dtype", ["float32", "auto"])
def test_cores_node_runs_a_version_that_its_own_loader_does_not_know(comfyui, dtype):
    made = by_cores_node(comfyui, node("KinoLoadInterpolationModel", file=RIFE, dtype=dtype))
    assert [frame.shape for frame in made] == [(72, 120, 3)] * 7
    graph = {
        **CLIP,
        "model": node("KinoLoadInterpolationModel", file=RIFE, dtype=dtype),
        "more": node("KinoInterpolateFrames", interp_model=["model", 0], images=["parts", 0], factor=3),
        "show": node("PreviewImage", images=["more", 0]),
    }
    graph["more"]["inputs"] |= {"cut_threshold": 0.0, "longest_hold": 0}
    ours = pictures(comfyui, comfyui.run(graph)["show"])
    inner = (slice(8, -16), slice(8, -16))  # they pad otherwise
    assert max(np.abs(one[inner] - other[inner]).mean() for one, other in zip(ours, made, strict=True)) <= 4


def test_a_model_runs_again_after_it_was_freed(comfyui):
    loader = node("KinoLoadInterpolationModel", file=RIFE, dtype="float32")
    before = by_cores_node(comfyui, loader)
    comfyui.ask("/free", {"unload_models": True, "free_memory": True})
    assert np.array_equal(before, by_cores_node(comfyui, loader))


def test_a_model_that_is_not_fetched_yet_tells_the_command(comfyui):
    graph = {**CLIP, "model": node("KinoLoadInterpolationModel", file="rife_4.14.safetensors")}
    graph["show"] = node("PreviewAny", source=["model", 1])
    with pytest.raises(NodeFailed, match=r"kinograph models get rife-4\.14"):
        comfyui.run(graph)


def test_a_written_film_and_its_report_tell_of_the_cut(comfyui, clip):
    outputs = comfyui.run(
        {**EXAMPLES["KinoInterpolationReport"], "tell": node("PreviewAny", source=["report", 1])}
    )
    [report] = outputs["tell"]["text"]
    assert "24 frames: " in report and "Scenes begin at 0:00.200" in report
    [film] = comfyui.saved(outputs["save"])
    assert film.stat().st_size
