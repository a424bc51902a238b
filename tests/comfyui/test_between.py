"""Denoising from both ends with a model of a real ComfyUI's own."""

from __future__ import annotations

import numpy as np
import pytest
from comfyui.client import ComfyUI, node
from comfyui.examples import EXAMPLES
from PIL import Image

FUSED = EXAMPLES["KinoBidirectionalFuse"]


def film(comfyui: ComfyUI, weights: tuple[float, float] | None) -> np.ndarray:
    """The frames [T,H,W,3] that core's KSampler makes, with such weights or without the node."""
    graph = {key: value for key, value in FUSED.items() if not key.startswith(("save", "show"))}
    inputs = dict(graph["film"]["inputs"])
    if weights is None:
        graph["film"] = {**graph["film"], "inputs": {**inputs, "model": ["model", 0]}}
        del graph["fused"]
    else:
        first, last = weights
        more = {**graph["fused"]["inputs"], "first_weight": first, "last_weight": last}
        graph["fused"] = {**graph["fused"], "inputs": more}
    graph |= {
        "images": node("VAEDecode", samples=["film", 0], vae=["vae", 0]),
        "show": node("PreviewImage", images=["images", 0]),
    }
    shown = comfyui.saved(comfyui.run(graph)["show"])
    return np.stack([np.asarray(Image.open(path)) for path in shown])


@pytest.fixture(scope="module")
def plain(comfyui, clip) -> np.ndarray:
    return film(comfyui, None)


def test_weights_of_one_change_no_pixel(comfyui, plain):
    np.testing.assert_array_equal(film(comfyui, (1.0, 1.0)), plain)


def test_the_end_takes_part_with_other_weights(comfyui, plain):
    assert (film(comfyui, (1.0, 0.0)) != plain).any()
