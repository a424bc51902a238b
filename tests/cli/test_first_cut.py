"""The main job: a real clip becomes a film of 60 frames per second and a contact sheet."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / "workflows" / "first_cut.json"


def test_the_saved_graph_makes_a_film_with_sound_and_a_sheet(kinograph, real_clip):
    shorter = ("Trim Video.start=0.4", "Trim Video.end=0.8", "Resize Video.width=160")
    settings = [part for setting in shorter for part in ("--set", setting)]
    code, out, _ = kinograph("run", WORKFLOW, "--json", *settings)
    film, sheet = json.loads(out.splitlines()[-1])["outputs"]
    assert code == 0
    with av.open(film) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        assert (picture.width, picture.height) == (160, 90)
        assert picture.average_rate == Fraction(60)
        assert picture.frames == 24
        assert abs(sound.duration * sound.time_base - Fraction(2, 5)) < Fraction(1, 10)
        assert json.loads(container.metadata["workflow"]) == json.loads(WORKFLOW.read_text())
    from PIL import Image

    with Image.open(sheet) as page:
        assert page.width > 4 * 240
