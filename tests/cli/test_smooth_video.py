"""A real clip at 60 frames per second and a stretch of it in slow motion, by RIFE's network."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import pytest
from interpolation.rife_weights import published, small

WORKFLOW = Path(__file__).resolve().parents[2] / "workflows" / "smooth_video.json"
SHORTER = ("Trim Video.end=0.9", "Resize Video.width=96", "Slow Motion.start=0.2", "Slow Motion.end=0.4")


@pytest.fixture
def network(home) -> Path:
    """RIFE 4.14's structure in few channels, random weights, where the fetched file would be."""
    from safetensors.torch import save_file

    path = home / "models" / "kinograph" / "interpolation" / "rife_4.14.safetensors"
    path.parent.mkdir(parents=True)
    save_file(published(small("4.10–4.19, 4.24")), path)
    return path


def test_the_saved_graph_makes_a_smooth_film_and_a_slow_one(kinograph, real_clip, network):
    settings = [part for setting in SHORTER for part in ("--set", setting)]
    code, out, err = kinograph("run", WORKFLOW, "--json", *settings)
    assert code == 0, err
    outputs = json.loads(out.splitlines()[-1])["outputs"]
    [smooth] = [path for path in outputs if "/film_" in path]
    [slow] = [path for path in outputs if "/slow_motion_" in path]
    for path, rate, seconds in ((smooth, Fraction(60), Fraction(2, 5)), (slow, Fraction(25), Fraction(1))):
        with av.open(path) as container:
            picture = container.streams.video[0]
            assert (picture.width, picture.height) == (96, 54)
            assert picture.average_rate == rate
            assert picture.frames == round(rate * seconds)


def test_without_the_weights_it_names_the_command(kinograph, real_clip):
    code, _, err = kinograph("run", WORKFLOW)
    assert code == 1
    assert "kinograph models get rife-4.14" in err
