"""A real clip through the embedded VAE and back: the same film, seen beside the original."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / "workflows" / "vae_roundtrip.json"
SHORTER = ("Trim Video.end=0.4", "Resize Video.width=160")
"""Ten frames, which fill no whole latent frames, of 160 × 90, whose height fills no whole cells."""


def test_the_saved_graph_gives_the_film_back(kinograph, real_clip):
    settings = [part for setting in SHORTER for part in ("--set", setting)]
    code, out, err = kinograph("run", WORKFLOW, "--json", *settings)
    assert code == 0, err
    outputs = json.loads(out.splitlines()[-1])["outputs"]
    [film] = [path for path in outputs if path.endswith(".mp4")]
    with av.open(film) as container:
        picture = container.streams.video[0]
        assert (picture.width, picture.height, picture.frames) == (160, 90, 10)
        assert picture.average_rate == Fraction(25)
        after = [frame.to_ndarray(format="gray").astype(float) for frame in container.decode(picture)]
    with av.open(str(real_clip)) as container:
        frames = [frame for _, frame in zip(range(10), container.decode(video=0), strict=False)]
        before = [frame.reformat(160, 90, "gray").to_ndarray().astype(float) for frame in frames]
    likeness = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(before, after, strict=True)]
    assert min(likeness) > 0.9


def test_the_saved_graph_names_weights_that_come_with_the_pack():
    nodes = {node["type"]: node for node in json.loads(WORKFLOW.read_text())["nodes"]}
    name = nodes["KinoLoadVideoVAE"]["widgets_values"][0]
    assert (ROOT / "weights" / "vae" / name).is_file()
