"""A method with a trained network runs under a real ComfyUI, which loads and frees the network."""

from __future__ import annotations

import pytest
import torch
from comfyui.client import node
from kinograph.nodes.video.transnetv2 import TransNetV2
from safetensors.torch import save_file


@pytest.fixture
def weights(comfyui):
    """Random weights where `kinograph models get transnetv2` would put the trained ones."""
    torch.manual_seed(0)
    path = comfyui.base / "models" / "kinograph" / "scene_cuts" / "transnetv2.safetensors"
    path.parent.mkdir(parents=True)
    save_file(TransNetV2().state_dict(), path)
    yield path
    path.unlink()


def cuts(threshold: float) -> dict:
    graph = {"load": node("KinoLoadVideo", file="clip.mp4")}
    graph["cuts"] = node(
        "KinoSceneCuts", video=["load", 0], method="transnetv2", **{"method.threshold": threshold}
    )
    graph["show"] = node("PreviewAny", source=["cuts", 1])
    return graph


def test_scene_cuts_runs_its_network_again_after_it_was_freed(comfyui, clip, weights):
    [report] = comfyui.run(cuts(threshold=0.98))["show"]["text"]
    assert report.startswith("1 scene in 0:02.000")
    comfyui.ask("/free", {"unload_models": True, "free_memory": True})
    assert comfyui.run(cuts(threshold=0.99))["show"]["text"] == [report]
