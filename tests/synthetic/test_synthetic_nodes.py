"""The nodes: lazy video, truths within a memory limit, flow as colours."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch
from kinograph.nodes.synthetic.flow_image import flow_colors
from kinograph.nodes.synthetic.nodes import (
    NODES,
    KinoFlowToImage,
    KinoSyntheticClip,
    KinoSyntheticTruth,
)
from kinograph.nodes.synthetic.truth_batch import TruthTooLarge

SETTINGS = {
    "seed": 3,
    "width": 64,
    "height": 48,
    "fps": 24.0,
    "seconds": 1.0,
    "kind": "objects",
    "objects": 2,
    "motion": "random",
    "background": "random",
    "camera": "random",
    "description": "",
    "sample_rate": 16000,
}


def made(**changes):
    return KinoSyntheticClip.execute(**(SETTINGS | changes)).args


def truths(clip, **changes):
    settings = {"start": 2, "count": 5, "masks": "all objects", "hidden_parts": False, "memory_limit": 4096}
    return KinoSyntheticTruth.execute(clip, **(settings | changes)).args


def test_the_clip_node_gives_a_lazy_video_its_caption_and_its_description():
    video, caption, clip = made(width=1920, height=1080, seconds=3000.0, fps=29.97)
    assert video.get_dimensions() == (1920, 1080)
    assert video.get_frame_rate() == Fraction(30000, 1001)
    assert video.get_frame_count() == clip.frame_count == 89910
    assert clip.scenes[0].objects[0].shape in caption


def test_chosen_words_are_shown_and_the_rest_is_drawn():
    clip = made(motion="swing", background="noise", camera="roll", objects=4)[2]
    scene = clip.scenes[0]
    assert {obj.motion.kind for obj in scene.objects} == {"swing"}
    assert len(scene.objects) == 4
    assert (scene.background.kind, scene.camera.move) == ("noise", "roll")


def test_a_description_decides_what_is_shown():
    _, caption, clip = made(description="a red circle moving right", kind="talking_face", camera="roll")
    assert caption == "A medium red circle moving right in front of a plain background."
    assert clip.scenes[0].camera.move == "static"


def test_a_wrong_description_is_refused_before_the_graph_runs():
    assert "unknown words: unicorn" in KinoSyntheticClip.validate_inputs("a red unicorn")
    assert KinoSyntheticClip.validate_inputs("a red circle") is True
    assert KinoSyntheticClip.validate_inputs("") is True
    assert KinoSyntheticClip.validate_inputs(None) is True


def test_the_truth_node_gives_core_sockets_their_shapes():
    clip = made()[2]
    images, mask, flow, depth, audio, facts = truths(clip)
    assert images.shape == (5, 48, 64, 3)
    assert images.dtype == torch.float32
    assert mask.shape == (5, 48, 64)
    assert flow["forward"].shape == flow["backward"].shape == (4, 48, 64, 2)
    assert flow["forward_hidden"].shape == (4, 48, 64)
    assert depth.shape == (5, 48, 64, 3)
    assert 0 < depth.min() <= depth.max() <= 1
    assert audio["waveform"].shape == (1, 1, round(7 / 24 * 16000) - round(2 / 24 * 16000))
    told = json.loads(facts)
    assert len(told["frames"]) == 5
    assert told["frames"][0]["time"] == pytest.approx(2 / 24, abs=1e-6)
    assert told["attributes"]["scenes"][0]["objects"][0]["shape"] in told["captions"][0]


def test_masks_come_together_or_one_by_one():
    clip = made(objects=3)[2]
    together = truths(clip)[1]
    apart = truths(clip, masks="each object")[1]
    whole = truths(clip, masks="each object", hidden_parts=True)[1]
    assert apart.shape == whole.shape == (15, 48, 64)
    assert torch.allclose(apart.view(3, 5, 48, 64).sum(0), together, atol=1e-5)
    assert (whole >= apart - 1e-6).all()
    assert truths(made(kind="talking_face")[2], masks="mouth")[1].max() > 0.9


def test_truths_beyond_the_limit_are_refused_with_their_size():
    clip = made(width=1920, height=1080, seconds=60.0)[2]
    with pytest.raises(TruthTooLarge, match=r"1440 frames of 1920 x 1080 .* need [\d,]+ MB, .* 4,096 MB"):
        truths(clip, start=0, count=0)


def test_flow_colours_show_direction_and_speed():
    vectors = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 0.0], [-2.0, 0.0]], np.float32)
    still, right, slow, left = flow_colors(vectors, full=2.0)
    assert still.tolist() == [1, 1, 1]
    assert right.tolist() == pytest.approx([1, 0, 0])
    assert slow.tolist() == pytest.approx([1, 0.5, 0.5])
    assert left.tolist() == pytest.approx([0, 1, 1])
    flow = truths(made(motion="right")[2])[2]
    assert KinoFlowToImage.execute(flow, "forward", 0.0).args[0].shape == (4, 48, 64, 3)


def test_making_a_video_needs_no_torch():
    program = """
import sys
from kinograph.host.api.install import install
install()
from kinograph.nodes.synthetic.nodes import KinoSyntheticClip
from kinograph.nodes.synthetic.recipe import SyntheticRecipe
video = KinoSyntheticClip.execute(seed=0, width=64, height=64, fps=24.0, seconds=1.0, kind="mixed", objects=0,
    motion="random", background="random", camera="random", description="", sample_rate=16000).args[0]
next(video.recipe.frames())
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_every_input_and_output_is_explained():
    for node in NODES:
        schema = node.GET_SCHEMA()
        assert schema.description
        assert all(entry.tooltip for entry in (*schema.inputs, *schema.outputs))
