"""A talking head: where its pieces and its 68 landmarks are at any time."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from .geometry import Similarity
from .phonemes import Timeline
from .spec import FaceSpec, SpeechSpec
from .sprites import Egg, EggSprite
from .vocabulary import COLORS, HAIRS, SKINS, Color

BLINK_SECONDS = 0.07
LIP_GAP = (0.02, 0.36)
"""Height of the gap between the lips, in head units: the first plus the second times the opening."""

_timeline = functools.lru_cache(maxsize=64)(Timeline)


def timeline_of(speech: SpeechSpec) -> Timeline:
    """The laid-out sentence (kept, because every frame asks for it)."""
    return _timeline(speech)


class FacePose(NamedTuple):
    """A face at one instant: head and body in the world, and what moves inside the head (0..1 each)."""

    head: Similarity
    body: Similarity
    opening: float
    width: float
    rounding: float
    lid: float
    gaze: float
    brow: float


def face_pose(face: FaceSpec, time: float) -> FacePose:
    mouth = timeline_of(face.speech).mouth(np.array([time]))
    turn = 2 * math.pi * face.sway

    def wave(hertz: float, offset: float) -> float:
        return math.sin(2 * math.pi * hertz * time + turn + offset)

    x = face.x + face.radius * (0.10 * wave(0.29, 0.0) + 0.04 * wave(0.71, 1.0))
    y = face.y + face.radius * (0.05 * wave(0.47, 2.0) + 0.02 * wave(1.3, 0.5))
    blink = max((math.exp(-(((time - at) / BLINK_SECONDS) ** 2)) for at in face.blinks), default=0.0)
    return FacePose(
        Similarity.make(face.radius, 0.07 * wave(0.37, 1.5), x, y),
        Similarity.make(face.radius, 0.0, face.x + 0.3 * (x - face.x), face.y),
        *(float(values[0]) for values in mouth),
        lid=1 - 0.94 * blink,
        gaze=wave(0.23, 3.0),
        brow=0.5 + 0.5 * wave(0.53, 4.0),
    )


def head_egg(pose: FacePose) -> Egg:
    """The head's outline; the jaw drops as the mouth opens."""
    return Egg(0, 0, 1, 1.2, 1.18 + 0.16 * pose.opening)


def lip_eggs(pose: FacePose) -> tuple[Egg, Egg]:
    """Outer and inner outline of the lips."""
    half = 0.2 + 0.22 * pose.width - 0.04 * pose.rounding
    thick = 0.07 + 0.03 * pose.rounding
    up, low = (LIP_GAP[0] / 2 + share * pose.opening for share in (0.08, LIP_GAP[1] - 0.08))
    return Egg(0, 0.66, half, up + thick, low + 1.3 * thick), Egg(0, 0.66, 0.84 * half, up, low)


def eye_egg(pose: FacePose, side: int) -> Egg:
    """Opening of the eye on the viewer's left (side −1) or right (+1)."""
    return Egg(0.4 * side, -0.05, 0.2, 0.14 * pose.lid, 0.12 * pose.lid)


def brow_egg(pose: FacePose, side: int) -> Egg:
    return Egg(0.41 * side, -0.36 - 0.06 * pose.brow, 0.24, 0.07, 0.02)


def face_sprites(face: FaceSpec, pose: FacePose, to_screen: Similarity, owner: int) -> list[EggSprite]:
    """The pieces from back to front. `to_screen` carries the world, at the face's depth, to pixels."""
    head, body = to_screen.after(pose.head), to_screen.after(pose.body)

    def piece(egg: Egg, color: Color, part: str, place: Similarity = head, **looks) -> EggSprite:
        return EggSprite(place, owner, face.depth, egg=egg, color=color, part=part, **looks)

    skin, hair = SKINS[face.skin], HAIRS[face.hair]
    shadow = _toned(skin, 0.84)
    back = _hair_back(face)
    return [
        *([piece(back, _toned(hair, 0.8), "hair", shade=0.12)] if back else []),
        piece(Egg(0, 2.75, 2.0, 1.25, 6.0), _muted(COLORS[face.shirt]), "shirt", body, shade=0.1),
        piece(Egg(0, 1.15, 0.5, 0.9, 0.54), shadow, "neck", body),
        *(piece(Egg(0.99 * side, 0.05, 0.17, 0.24, 0.26), shadow, "ear") for side in (-1, 1)),
        piece(head_egg(pose), skin, "skin", shade=0.1),
        *(
            piece(Egg(0.58 * side, 0.36, 0.26, 0.2, 0.2), _blush(skin), "blush", soft=0.3, opacity=0.3)
            for side in (-1, 1)
        ),
        *_fringe(face, piece, hair),
        *(sprite for side in (-1, 1) for sprite in _eye(pose, side, piece)),
        *(piece(brow_egg(pose, side), _toned(hair, 0.75), "brow") for side in (-1, 1)),
        piece(Egg(0, 0.27, 0.15, 0.3, 0.1), _toned(skin, 0.9), "nose", soft=0.1),
        piece(Egg(0, 0.35, 0.13, 0.03, 0.04), _toned(skin, 0.66), "nose", soft=0.06, opacity=0.8),
        *_mouth(pose, piece, skin),
    ]


def _eye(pose: FacePose, side: int, piece) -> list[EggSprite]:
    opening = eye_egg(pose, side)
    middle_x, middle_y = opening.x + 0.05 * pose.gaze, opening.y + 0.005
    rim = Egg(opening.x, opening.y, 0.22, opening.up + 0.035, opening.low + 0.008)
    return [
        piece(rim, (0.16, 0.11, 0.10), "eye"),
        piece(opening, (0.98, 0.98, 0.97), "eye"),
        piece(Egg(middle_x, middle_y, 0.1, 0.1, 0.1), (0.25, 0.38, 0.42), "eye", clip=opening),
        piece(Egg(middle_x, middle_y, 0.05, 0.05, 0.05), (0.05, 0.05, 0.06), "eye", clip=opening),
        piece(Egg(middle_x + 0.035, middle_y - 0.04, 0.025, 0.025, 0.025), (1, 1, 1), "eye", clip=opening),
    ]


def _mouth(pose: FacePose, piece, skin: Color) -> list[EggSprite]:
    outer, inner = lip_eggs(pose)
    lips = tuple(0.5 * part + 0.5 * red for part, red in zip(skin, (0.74, 0.22, 0.24), strict=True))
    tongue_top = inner.y + inner.low - 0.11
    return [
        piece(outer, lips, "mouth", shade=0.12),
        piece(inner, (0.22, 0.05, 0.06), "mouth"),
        piece(Egg(0, tongue_top, 0.62 * inner.wide, 0.06, 0.2), (0.80, 0.36, 0.38), "mouth", clip=inner),
        piece(Egg(0, 0.575, 0.9 * inner.wide, 0.2, 0.085), (0.96, 0.95, 0.92), "mouth", clip=inner),
    ]


def _hair_back(face: FaceSpec) -> Egg | None:
    return {"long": Egg(0, 0.1, 1.24, 1.5, 1.75), "short": Egg(0, -0.2, 1.1, 1.2, 0.5), "bald": None}[
        face.hair_style
    ]


def _fringe(face: FaceSpec, piece, hair: Color) -> list[EggSprite]:
    back = _hair_back(face)
    if back is None:
        return []
    return [
        piece(Egg(0.42, -1.1, 1.25, 0.9, 0.62), hair, "hair", clip=back, shade=0.1),
        piece(Egg(-0.85, -1.05, 0.62, 0.9, 0.78), _toned(hair, 0.92), "hair", clip=back, shade=0.1),
    ]


def _cheek(side: int) -> Egg:
    return Egg(0.58 * side, 0.36, 0.26, 0.2, 0.2)


def _toned(color: Color, factor: float) -> Color:
    return tuple(factor * part for part in color)


def _muted(color: Color) -> Color:
    return tuple(0.75 * part + 0.1 for part in color)


def _blush(skin: Color) -> Color:
    return tuple(part * warm for part, warm in zip(skin, (1.0, 0.72, 0.70), strict=True))


def landmarks(pose: FacePose, to_screen: Similarity) -> np.ndarray:
    """The 68 points of the usual (iBUG 300-W) scheme in pixels, float64 [68, 2].

    0–16 jaw, 17–26 brows, 27–35 nose, 36–47 eyes, 48–59 outer lips, 60–67 inner lips, each from the
    viewer's left.
    """
    upper, lower = np.linspace(math.pi, 2 * math.pi, 7), np.linspace(0, math.pi, 7)
    around = np.concatenate([upper, lower[1:-1]])
    outer, inner = lip_eggs(pose)
    points = [
        _rim(head_egg(pose), np.linspace(math.pi, 0, 17)),
        *(_rim(brow_egg(pose, side), np.linspace(1.1 * math.pi, 1.9 * math.pi, 5)) for side in (-1, 1)),
        np.stack([np.zeros(4), np.linspace(-0.05, 0.27, 4)], axis=1),
        np.stack([np.linspace(-0.13, 0.13, 5), 0.35 + 0.03 * np.sin(lower[1:6])], axis=1),
        *(_rim(eye_egg(pose, side), np.array([3, 4, 5, 6, 1, 2]) * math.pi / 3) for side in (-1, 1)),
        _rim(outer, around),
        _rim(inner, np.array([4, 5, 6, 7, 8, 1, 2, 3]) * math.pi / 4),
    ]
    x, y = np.concatenate(points).T
    return np.stack(to_screen.after(pose.head)(x, y), axis=1)


def _rim(egg: Egg, turns: np.ndarray) -> np.ndarray:
    return np.stack(egg.head(np.cos(turns), np.sin(turns)), axis=1)
