"""The combinations of colour, shape and motion kept from training, and prompts that name them."""

from __future__ import annotations

import itertools
import random

from . import vocabulary as words
from .captions import canonical_caption
from .parsing import parse_caption
from .sampling import HeldOut
from .spec import MotionSpec, ObjectSpec

HELD_BACK = HeldOut(share=0.1, salt=0)
"""The one rule that training leaves out by and evaluation picks by."""


def held_back_combinations() -> list[tuple[str, str, str]]:
    """Every held-back colour, shape and motion, in the vocabulary's order."""
    return [
        (color, shape, motion)
        for color, shape, motion in itertools.product(words.COLORS, words.SHAPES, words.MOTIONS)
        if HELD_BACK(ObjectSpec(shape, color, motion=MotionSpec(motion)))
    ]


def held_back_prompts(count: int) -> list[str]:
    """Prompts for different held-back combinations, always the same ones, in canonical wording.

    Each names one shape of a size drawn at random, before a background drawn at random, the camera static.

    Raises:
        ValueError: more prompts than combinations.
    """
    combinations = held_back_combinations()
    if count > len(combinations):
        raise ValueError(f"{count} prompts, but only {len(combinations)} combinations are held back")
    rng = random.Random("held-back prompts")
    rng.shuffle(combinations)
    return [_prompt(rng, *combination) for combination in combinations[:count]]


def _prompt(rng: random.Random, color: str, shape: str, motion: str) -> str:
    behind = words.BACKGROUNDS[rng.choice(tuple(words.BACKGROUNDS))][0]
    size = rng.choice(tuple(words.SIZES))
    text = f"a {size} {color} {shape} {words.MOTIONS[motion][0]} in front of {behind}"
    return canonical_caption(parse_caption(text, seed=0))
