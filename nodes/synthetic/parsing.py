"""Reading a caption-like sentence into a clip: strict, so that what is shown is what was written."""

from __future__ import annotations

import functools
import random
import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from . import vocabulary as words
from .captions import SIZE_WORDS, TEXTURE_WORDS
from .drawing import Shot, draw_background, draw_camera, draw_face, draw_object
from .sampling import DEFAULTS, ClipOptions, half_extent_of
from .spec import BackgroundSpec, CameraSpec, ClipSpec, FaceSpec, SceneSpec, SpecError

_FILLERS = frozenset(
    (
        "a",
        "an",
        "the",
        "and",
        "with",
        "in",
        "front",
        "of",
        "on",
        "over",
        "before",
        "first",
        "while",
        ",",
        ";",
        ".",
    )
)


@dataclass
class _SceneDraft:
    objects: list[dict[str, str]] = field(default_factory=list)
    face: dict[str, str] | None = None
    background: str = "plain"
    camera: str = "static"


def parse_caption(text: str, seed: int, options: ClipOptions = DEFAULTS) -> ClipSpec:
    """The clip that a sentence describes; places, speeds and palettes come from the seed.

    "a red circle moving right and a small striped blue star in front of moving bars, the camera pans left.
    Then a person with short brown hair talking": each thing needs a shape and a colour; size, texture and
    motion are medium, solid and still unless said. "then" starts a new scene after a cut.

    Raises:
        SpecError: a word that is not in the vocabulary, or a sentence that does not name what is needed.
    """
    drafts = _drafts(_meanings(text))
    rng = random.Random(seed)
    frames = max(len(drafts), round(options.seconds * options.fps))
    edges = [float(Fraction(frames * k // len(drafts)) / options.fps) for k in range(len(drafts) + 1)]
    scenes = [
        _scene(rng, options, draft, start, end - start)
        for draft, start, end in zip(drafts, edges, edges[1:], strict=False)
    ]
    return ClipSpec(options.width, options.height, options.fps, tuple(scenes), seed, options.sample_rate)


@functools.cache
def _phrases() -> dict[tuple[str, ...], tuple[str, Any]]:
    """Every phrase, as a tuple of words, with its kind and meaning."""
    table: dict[str, tuple[str, Any]] = {
        "person": ("face", None),
        "face": ("face", None),
        "then": ("then", None),
    }
    table |= dict.fromkeys(("talking", "talks", "speaking", "speaks"), ("talk", None))
    table |= {shape: ("shape", shape) for shape in words.SHAPES}
    table |= {color: ("color", color) for color in words.COLORS}
    table |= {f"{color} shirt": ("shirt", color) for color in words.COLORS}
    for hair in words.HAIRS:
        table[f"{hair} hair"] = ("hair", (None, hair))
        table |= {f"{style} {hair} hair": ("hair", (style, hair)) for style in ("short", "long")}
    table["bald"] = ("hair", ("bald", None))
    for kind, entries in (
        ("size", SIZE_WORDS),
        ("texture", TEXTURE_WORDS),
        ("motion", words.MOTIONS),
        ("camera", words.CAMERAS),
        ("background", words.BACKGROUNDS),
    ):
        table |= {phrase: (kind, key) for key, phrases in entries.items() for phrase in phrases}
    return {tuple(_split(phrase)): meaning for phrase, meaning in table.items()}


def _split(text: str) -> list[str]:
    return re.findall(r"[\w'-]+|[^\w\s]", text.lower())


def _meanings(text: str) -> list[tuple[str, Any]]:
    """The sentence as (kind, meaning) in order, longest phrases first."""
    tokens = _split(text)
    phrases = _phrases()
    longest = max(map(len, phrases))
    found, unknown, at = [], [], 0
    while at < len(tokens):
        ends = range(min(at + longest, len(tokens)), at, -1)
        end = next((end for end in ends if tuple(tokens[at:end]) in phrases), None)
        if end:
            found.append(phrases[tuple(tokens[at:end])])
        elif tokens[at] not in _FILLERS:
            unknown.append(tokens[at])
        at = end or at + 1
    if unknown:
        raise SpecError(f"the description has unknown words: {', '.join(unknown)}. Use {vocabulary_text()}.")
    return found


def vocabulary_text() -> str:
    """Everything a description may say, in one line."""
    groups = {
        "sizes": SIZE_WORDS,
        "colours": words.COLORS,
        "textures": words.TEXTURES,
        "shapes": words.SHAPES,
        "motions": [phrases[0] for phrases in words.MOTIONS.values()],
        "backgrounds": [f"in front of {phrases[0]}" for phrases in words.BACKGROUNDS.values()],
        "camera": [phrases[0] for phrases in words.CAMERAS.values()],
        "faces": ["a person talking", "with short brown hair", "and a blue shirt"],
        "cuts": ["then"],
    }
    return "; ".join(f"{name}: {', '.join(entries)}" for name, entries in groups.items())


def _drafts(meanings: list[tuple[str, Any]]) -> list[_SceneDraft]:
    drafts, looks = [_SceneDraft()], {}
    for kind, meaning in meanings:
        scene = drafts[-1]
        if kind == "then":
            drafts.append(_SceneDraft())
        elif kind in ("size", "color", "texture"):
            if kind in looks:
                raise SpecError(
                    f"{looks[kind]!r} and {meaning!r} describe the same thing; name its shape between"
                )
            looks[kind] = meaning
        elif kind == "shape":
            scene.objects.append(_named(meaning, looks))
            looks = {}
        elif kind == "motion":
            _set_motion(scene, meaning)
        elif kind in ("camera", "background"):
            setattr(scene, kind, meaning)
        else:
            scene.face = (scene.face or {}) | _face_words(kind, meaning)
    _check(drafts, looks)
    return drafts


def _named(shape: str, looks: dict[str, str]) -> dict[str, str]:
    if "color" not in looks:
        raise SpecError(f"the {shape} has no colour; name one of {', '.join(words.COLORS)} before it")
    return {"shape": shape, "size": "medium", "texture": "solid", "motion": "still", **looks}


def _set_motion(scene: _SceneDraft, motion: str) -> None:
    if not scene.objects:
        raise SpecError(f"{words.MOTIONS[motion][0]!r} comes before any shape; write it after what moves")
    scene.objects[-1]["motion"] = motion


def _face_words(kind: str, meaning: Any) -> dict[str, str]:
    if kind == "hair":
        named = zip(("hair_style", "hair"), meaning, strict=True)
        return {name: value for name, value in named if value}
    return {"shirt": meaning} if kind == "shirt" else {}


def _check(drafts: list[_SceneDraft], looks: dict[str, str]) -> None:
    if looks:
        raise SpecError(
            f"{' '.join(looks.values())!r} describes nothing; add one of {', '.join(words.SHAPES)}"
        )
    for draft in drafts:
        if not draft.objects and draft.face is None:
            raise SpecError("a scene shows nothing; name a shape with its colour, or a person talking")
        if len(draft.objects) > 4:
            raise SpecError(f"a scene shows {len(draft.objects)} shapes; at most 4 fit")


def _scene(
    rng: random.Random, options: ClipOptions, draft: _SceneDraft, start: float, seconds: float
) -> SceneSpec:
    half_extent = half_extent_of(options)
    reach = 1.0 if draft.face is None else 0.3
    camera: CameraSpec = draw_camera(rng, draft.camera, seconds, reach)
    background: BackgroundSpec = draw_background(
        rng, draft.background, [look["color"] for look in draft.objects]
    )
    face: FaceSpec | None = None
    if draft.face is not None:
        face = draw_face(rng, seconds, half_extent, draft.face)
    shot, objects = Shot(seconds, half_extent, camera), []
    for draw in draft.objects:
        looks = {name: word for name, word in draw.items() if name != "motion"}
        objects.append(draw_object(rng, looks, draw["motion"], shot, objects, options.pace))
    return SceneSpec(start, seconds, tuple(objects), camera, background, face)
