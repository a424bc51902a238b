"""Frames of 4K in little memory."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

WIDTH, HEIGHT = 3840, 2160
SCRIPT = f"""
import json
from fractions import Fraction
import torch
from kinograph.host.api.install import install
install()
from kinograph.host.memory import peak_rss_mb
from kinograph.nodes.film_interpolation import Interpolator, interpolated_video
from kinograph.nodes.interpolation.links import Rules
from kinograph.nodes.interpolation.rife import Rife
from kinograph.nodes.interpolation.rife_config import RifeConfig
from kinograph.nodes.runtime import managed
from kinograph.nodes.video.tensor_source import TensorSource

torch.manual_seed(0)
network = Rife(RifeConfig(widths=(8, 8, 8, 8))).eval()
film = TensorSource(torch.rand(2, 1, 1, 3).expand(2, {HEIGHT}, {WIDTH}, 3), Fraction(25))
how = Interpolator(managed(network), budget_mb=2000)
made = interpolated_video(film, Fraction(50), Rules(cut_threshold=0.0), how)
sizes = [(image.width, image.height) for image, _ in made.frames()]
print(json.dumps({{"sizes": sizes, "peak": peak_rss_mb(), "notes": made.notes}}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read as Linux tells it")
def test_4k_takes_less_than_four_gigabytes():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["sizes"] == [[WIDTH, HEIGHT]] * 4
    assert any("tiles of" in note for note in told["notes"])
    assert told["peak"] < 4000
