"""Titles in letters that the built-in font lacks."""

from __future__ import annotations

import pytest
from kinograph.nodes.video.lettering import legible


@pytest.mark.parametrize("text", ["640 x 272 · 25 fps · 250 frames", "“A”, B & C's [2]: 50%!", ""])
def test_letters_of_the_font_stay(text):
    assert legible(text) == (text, {})


@pytest.mark.parametrize(
    ("text", "drawn"),
    [("Café", "Cafe"), ("4×4 – Åre…", "4x4 - Are…"), ("Øl ßtraße", "Ol sstrasse"), ("日本 5", "?? 5")],
)
def test_others_become_their_likes_and_are_named(text, drawn):
    made, replaced = legible(text)
    assert made == drawn
    assert set(replaced) == {letter for letter in text if letter not in made}
