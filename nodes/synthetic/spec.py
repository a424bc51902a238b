"""What a clip is, completely: frozen dataclasses that survive a round trip through JSON.

Lengths are in units of the frame's shorter side, with the origin at the frame's centre, x to the right
and y down; angles in radians (positive turns clockwise on screen); times in seconds; depths in metres.
"""

from __future__ import annotations

import bisect
import dataclasses
import functools
import itertools
import json
import math
import typing
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from . import vocabulary as words


class SpecError(ValueError):
    """A description that no clip can have; the message names the field and what it may be."""


def _check_word(what: str, word: str, known: Any) -> None:
    if word not in known:
        raise SpecError(f"{what} {word!r} is unknown; choose one of {', '.join(known)}")


def _check_positive(what: str, seconds: float) -> None:
    if not 0 < seconds < math.inf:
        raise SpecError(f"{what}: {seconds} s, but it must be above 0")


@dataclass(frozen=True)
class MotionSpec:
    """How an object moves.

    kind: a key of `vocabulary.MOTIONS`.
    speed: lengths per second of travel, radians per second of a spin.
    amplitude: radius of a circle, height of a bounce, reach of a swing, last scale of an approach or retreat.
    period: seconds per circle, bounce, swing, stop-and-go step, or the whole approach.
    phase: where in the period the motion begins, 0..1.
    """

    kind: str = "still"
    speed: float = 0.0
    amplitude: float = 0.0
    period: float = 1.0
    phase: float = 0.0

    def __post_init__(self) -> None:
        _check_word("motion", self.kind, words.MOTIONS)
        _check_positive("period of a motion", self.period)


@dataclass(frozen=True)
class ObjectSpec:
    """One shape: its looks, where it starts, how far away it is and how it moves."""

    shape: str
    color: str
    texture: str = "solid"
    size: str = "medium"
    x: float = 0.0
    y: float = 0.0
    depth: float = 1.5
    angle: float = 0.0
    motion: MotionSpec = MotionSpec()

    def __post_init__(self) -> None:
        _check_word("shape", self.shape, words.SHAPES)
        _check_word("colour", self.color, words.COLORS)
        _check_word("texture", self.texture, words.TEXTURES)
        _check_word("size", self.size, words.SIZES)

    @property
    def radius(self) -> float:
        return words.SIZES[self.size]


@dataclass(frozen=True)
class CameraSpec:
    """A camera move over the whole scene.

    amount: distance of a pan, tilt or truck, zoom ratio − 1, radians of a roll, reach of a shake.
    phase: makes one shake differ from another, 0..1.
    """

    move: str = "static"
    amount: float = 0.0
    phase: float = 0.0

    def __post_init__(self) -> None:
        _check_word("camera move", self.move, words.CAMERAS)


@dataclass(frozen=True)
class BackgroundSpec:
    """What stands behind everything. `seed` varies the pattern, `speed` (lengths per second) moves bars."""

    kind: str = "plain"
    palette: str = "mist"
    seed: int = 0
    speed: float = 0.0

    def __post_init__(self) -> None:
        _check_word("background", self.kind, words.BACKGROUNDS)
        _check_word("palette", self.palette, words.PALETTES)


@dataclass(frozen=True)
class SpeechSpec:
    """What a face says: phonemes with their seconds, from `start` on; pitch in hertz; the words' spelling."""

    phonemes: tuple[tuple[str, float], ...]
    start: float = 0.0
    pitch: float = 140.0
    spelling: str = ""

    def __hash__(self) -> int:
        return self._hash

    @functools.cached_property
    def _hash(self) -> int:
        return hash((self.phonemes, self.start, self.pitch))


@dataclass(frozen=True)
class FaceSpec:
    """A talking head: looks, place, radius (half the head's width), blink times, the phase of its sway."""

    speech: SpeechSpec
    skin: str = "fair"
    hair: str = "brown"
    hair_style: str = "short"
    shirt: str = "blue"
    x: float = 0.0
    y: float = 0.0
    radius: float = 0.3
    depth: float = 1.5
    blinks: tuple[float, ...] = ()
    sway: float = 0.0

    def __post_init__(self) -> None:
        _check_word("skin", self.skin, words.SKINS)
        _check_word("hair", self.hair, words.HAIRS)
        _check_word("hair style", self.hair_style, words.HAIR_STYLES)
        _check_word("shirt", self.shirt, words.COLORS)


@dataclass(frozen=True)
class SceneSpec:
    """What one shot shows, from `start` seconds into the clip."""

    start: float
    seconds: float
    objects: tuple[ObjectSpec, ...] = ()
    camera: CameraSpec = CameraSpec()
    background: BackgroundSpec = BackgroundSpec()
    face: FaceSpec | None = None

    def __post_init__(self) -> None:
        _check_positive("length of a scene", self.seconds)

    @property
    def owners(self) -> int:
        """How many things have a mask of their own: the objects, and the face after them."""
        return len(self.objects) + (self.face is not None)


@dataclass(frozen=True)
class ClipSpec:
    """A whole clip. Everything that is seen or heard follows from it.

    fps may be a fraction such as 30000/1001; sample_rate is in hertz.
    """

    width: int
    height: int
    fps: Fraction
    scenes: tuple[SceneSpec, ...]
    seed: int = 0
    sample_rate: int = 16000

    def __post_init__(self) -> None:
        object.__setattr__(self, "fps", Fraction(self.fps))
        if not (16 <= self.width <= 8192 and 16 <= self.height <= 8192):
            raise SpecError(f"a clip of {self.width}×{self.height} px: each side must be 16 to 8192")
        if not 0 < self.fps <= 1000:
            raise SpecError(f"{self.fps} frames per second: must be above 0, at most 1000")
        if not self.scenes or self.scenes[0].start != 0:
            raise SpecError("a clip needs scenes, the first of which starts at 0 s")
        for one, following in itertools.pairwise(self.scenes):
            if not math.isclose(one.start + one.seconds, following.start, abs_tol=1e-6):
                raise SpecError(
                    f"a scene ends at {one.start + one.seconds} s but the next starts at {following.start} s"
                )

    @property
    def seconds(self) -> float:
        return self.scenes[-1].start + self.scenes[-1].seconds

    @property
    def frame_count(self) -> int:
        return max(1, round(self.seconds * self.fps))

    @property
    def sample_count(self) -> int:
        return round(self.frame_count / self.fps * self.sample_rate)

    @property
    def owners(self) -> int:
        """How many objects and faces the clip has over all its scenes; each has one mask channel."""
        return self._first_owners[-1]

    @property
    def cut_times(self) -> tuple[float, ...]:
        return tuple(scene.start for scene in self.scenes[1:])

    @property
    def half_extent(self) -> tuple[float, float]:
        """Half the frame's width and height in lengths; the smaller of the two is 0.5."""
        short = min(self.width, self.height)
        return self.width / short / 2, self.height / short / 2

    def frame_time(self, index: int) -> float:
        return float(Fraction(index) / self.fps)

    def scene_at(self, time: float) -> int:
        """Index of the scene on screen; a frame exactly at a cut belongs to the new scene."""
        return max(bisect.bisect_right(self._starts, time + 1e-9) - 1, 0)

    def first_owner(self, scene: int) -> int:
        """Channel of the scene's first object in the clip's masks."""
        return self._first_owners[scene]

    @functools.cached_property
    def _starts(self) -> list[float]:
        return [scene.start for scene in self.scenes]

    @functools.cached_property
    def _first_owners(self) -> list[int]:
        return list(itertools.accumulate((scene.owners for scene in self.scenes), initial=0))

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> ClipSpec:
        """Inverse of `to_json`.

        Raises:
            SpecError: not JSON, a missing or unknown field, or a value no clip can have.
        """
        try:
            return _build(cls, json.loads(text))
        except (json.JSONDecodeError, TypeError, RecursionError) as error:
            raise SpecError(f"this is no clip description: {error}") from error


_PARTS: dict[tuple[type, str], type] = {
    (ClipSpec, "scenes"): SceneSpec,
    (SceneSpec, "objects"): ObjectSpec,
    (SceneSpec, "camera"): CameraSpec,
    (SceneSpec, "background"): BackgroundSpec,
    (SceneSpec, "face"): FaceSpec,
    (FaceSpec, "speech"): SpeechSpec,
    (ObjectSpec, "motion"): MotionSpec,
}


def _build(kind: type, values: Any) -> Any:
    if not isinstance(values, dict):
        raise SpecError(f"this is no {kind.__name__}: {values!r}")
    return kind(**{name: _build_field(kind, name, value) for name, value in values.items()})


def _build_field(kind: type, name: str, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_build_field(kind, name, item) for item in value)
    if value is not None and (kind, name) in _PARTS:
        return _build(_PARTS[kind, name], value)
    expected = _hints(kind).get(name)
    allowed = {float: (int, float), int: (int,), str: (str,)}.get(expected)
    if allowed and type(value) not in allowed:
        raise SpecError(f"{name} of a {kind.__name__} must be a {expected.__name__}, got {value!r}")
    return value


_hints = functools.cache(typing.get_type_hints)
