"""Clips in words: a canonical caption, paraphrases, and the same facts as plain data."""

from __future__ import annotations

import random
from typing import Any

from . import vocabulary as words
from .spec import ClipSpec, FaceSpec, ObjectSpec, SceneSpec

SIZE_WORDS = {
    "small": ("small", "little", "tiny"),
    "medium": ("medium", "mid-sized"),
    "large": ("large", "big", "huge"),
}
TEXTURE_WORDS = {
    "solid": ("solid",),
    "striped": ("striped",),
    "checkered": ("checkered",),
    "dotted": ("dotted", "spotted"),
}
OPENINGS = ("The video shows", "In this clip there is", "We see")


def canonical_caption(clip: ClipSpec) -> str:
    """The clip in one fixed wording, which `parsing.parse_caption` reads back."""
    scenes = [_scene_text(scene, _first) for scene in clip.scenes]
    if len(scenes) == 1:
        return _sentence(scenes[0])
    return " ".join(["First, " + scenes[0] + ".", *("Then, " + scene + "." for scene in scenes[1:])])


def captions(clip: ClipSpec) -> tuple[str, ...]:
    """The canonical caption and three paraphrases, the same ones for the same clip."""
    rng = random.Random(f"captions {clip.seed}")
    loose = [_scene_text(scene, rng.choice) for scene in clip.scenes]
    short = [_listed(_subjects(scene, rng.choice)) for scene in clip.scenes]
    return (
        canonical_caption(clip),
        _sentence(", then ".join(loose)),
        _sentence(", then ".join(short)),
        f"{rng.choice(OPENINGS)} {', then '.join(loose)}.",
    )


def object_text(obj: ObjectSpec, pick: Any = None) -> str:
    """An object and what it does, e.g. "a small red striped circle moving right"."""
    pick = pick or _first
    looks = [pick(SIZE_WORDS[obj.size]), obj.color]
    looks += [] if obj.texture == "solid" else [pick(TEXTURE_WORDS[obj.texture])]
    return f"a {' '.join(looks)} {obj.shape} {pick(words.MOTIONS[obj.motion.kind])}"


def face_text(face: FaceSpec) -> str:
    """A talking head, e.g. "a person with short brown hair and a blue shirt talking"."""
    if face.hair_style == "bald":
        return f"a bald person with {_article(face.shirt)} {face.shirt} shirt talking"
    hair = f"{face.hair_style} {face.hair} hair"
    return f"a person with {hair} and {_article(face.shirt)} {face.shirt} shirt talking"


def attributes(clip: ClipSpec) -> dict[str, Any]:
    """What the captions say, as data: per scene its objects, face, background, camera, start and seconds."""
    return {"seed": clip.seed, "scenes": [_scene_attributes(scene) for scene in clip.scenes]}


def _scene_attributes(scene: SceneSpec) -> dict[str, Any]:
    face = scene.face
    return {
        "start": scene.start,
        "seconds": scene.seconds,
        "objects": [
            {
                "shape": obj.shape,
                "color": obj.color,
                "texture": obj.texture,
                "size": obj.size,
                "motion": obj.motion.kind,
            }
            for obj in scene.objects
        ],
        "face": face
        and {
            "hair": face.hair,
            "hair_style": face.hair_style,
            "shirt": face.shirt,
            "skin": face.skin,
            "words": face.speech.spelling,
        },
        "background": scene.background.kind,
        "palette": scene.background.palette,
        "camera": scene.camera.move,
    }


def _first(choices: tuple[str, ...]) -> str:
    return choices[0]


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _listed(things: list[str]) -> str:
    return " and ".join([*([", ".join(things[:-1])] if things[:-1] else []), things[-1]])


def _subjects(scene: SceneSpec, pick: Any) -> list[str]:
    return [object_text(obj, pick) for obj in scene.objects] + ([face_text(scene.face)] if scene.face else [])


def _scene_text(scene: SceneSpec, pick: Any) -> str:
    behind = pick(words.BACKGROUNDS[scene.background.kind])
    text = f"{_listed(_subjects(scene, pick))} in front of {behind}"
    if scene.camera.move != "static":
        text += f", {pick(words.CAMERAS[scene.camera.move])}"
    return text
