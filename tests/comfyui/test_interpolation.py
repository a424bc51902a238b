"""Frames in between in a real ComfyUI, by core's own networks too."""

from __future__ import annotations

import numpy as np
import pytest
from comfyui.client import ComfyUI, node
from comfyui.interpolation_examples import EXAMPLES
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


def test_a_written_film_and_its_report_tell_of_the_cut(comfyui, clip):
    outputs = comfyui.run(EXAMPLES["KinoInterpolationReport"])
    [report] = outputs["show"]["text"]
    assert "24 frames: " in report and "Scenes begin at 0:00.200" in report
    [film] = comfyui.saved(outputs["save"])
    assert film.stat().st_size
