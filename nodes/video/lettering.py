"""Text in the letters that Pillow's built-in font has: English ones, digits and common signs."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

ALIKE = {"–": "-", "—": "-", "×": "x", "→": "->", "ß": "ss", "æ": "ae", "ø": "o", "ł": "l"}
"""What stands for a letter that Unicode does not take apart."""


def legible(text: str) -> tuple[str, dict[str, str]]:
    """The text with every letter that the font lacks replaced, and what replaced each of those.

    An accent is left off ("é" is drawn as "e"); a letter that resembles none becomes "?".
    """
    replaced = {letter: _alike(letter) for letter in text if not _has_glyph(letter)}
    return "".join(replaced.get(letter, letter) for letter in text), replaced


def _alike(letter: str) -> str:
    small = letter.lower()
    if small in ALIKE:
        return ALIKE[small] if small == letter else ALIKE[small].capitalize()
    parts = [part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part)]
    return "".join(parts) if parts and all(map(_has_glyph, parts)) else "?"


@lru_cache(maxsize=4096)
def _has_glyph(letter: str) -> bool:
    from PIL import ImageFont

    font = ImageFont.load_default(size=16)
    drawn, box = font.getmask(letter), font.getmask("\uffff")
    return (drawn.size, bytes(drawn)) != (box.size, bytes(box))
