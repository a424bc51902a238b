"""Drawing clips at random: one seed, one clip, for ever."""

from __future__ import annotations

import itertools
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from . import vocabulary as words
from .drawing import Shot, blends_in, draw_background, draw_camera, draw_face, draw_object
from .spec import BackgroundSpec, ClipSpec, ObjectSpec, SceneSpec, SpecError

HoldOut = Callable[[ObjectSpec], bool]
"""Says which objects must never be drawn: the combinations kept for testing."""


@dataclass(frozen=True)
class HeldOut:
    """Holds out a fixed share of all combinations of colour, shape and motion, chosen by a hash."""

    share: float = 0.1
    salt: int = 0

    def __call__(self, obj: ObjectSpec) -> bool:
        name = f"{self.salt}/{obj.color}/{obj.shape}/{obj.motion.kind}"
        return zlib.crc32(name.encode()) / 2**32 < self.share


_CHOICES = {
    "shapes": words.SHAPES,
    "colors": words.COLORS,
    "textures": words.TEXTURES,
    "sizes": words.SIZES,
    "motions": words.MOTIONS,
    "backgrounds": words.BACKGROUNDS,
    "cameras": words.CAMERAS,
}


@dataclass(frozen=True)
class ClipOptions:
    """What to draw from. A tuple lists the allowed words; the defaults allow everything.

    width, height: pixels. seconds: length. kind: one of `vocabulary.KINDS`.
    min_objects, max_objects: per scene, 1 to 4. pace: multiplies all speeds.
    scene_seconds: about how long a scene of a "mixed" clip lasts.
    hold_out: objects for which it is true are never drawn.
    """

    width: int = 96
    height: int = 96
    fps: Fraction = Fraction(24)
    seconds: float = 17 / 24
    kind: str = "objects"
    min_objects: int = 1
    max_objects: int = 2
    shapes: tuple[str, ...] = words.SHAPES
    colors: tuple[str, ...] = tuple(words.COLORS)
    textures: tuple[str, ...] = words.TEXTURES
    sizes: tuple[str, ...] = tuple(words.SIZES)
    motions: tuple[str, ...] = tuple(words.MOTIONS)
    backgrounds: tuple[str, ...] = tuple(words.BACKGROUNDS)
    cameras: tuple[str, ...] = tuple(words.CAMERAS)
    pace: float = 1.0
    scene_seconds: float = 2.5
    sample_rate: int = 16000
    hold_out: HoldOut | None = None

    def __post_init__(self) -> None:
        if self.kind not in words.KINDS:
            raise SpecError(f"kind {self.kind!r} is unknown; choose one of {', '.join(words.KINDS)}")
        if self.pace <= 0:
            raise SpecError(f"a pace of {self.pace}: it must be above 0")
        for name, known in _CHOICES.items():
            if not getattr(self, name) or not set(getattr(self, name)) <= set(known):
                raise SpecError(f"{name} {getattr(self, name)}: name one or more of {', '.join(known)}")
        if not 1 <= self.min_objects <= self.max_objects <= 4:
            raise SpecError(f"{self.min_objects} to {self.max_objects} objects: a scene has 1 to 4")


DEFAULTS = ClipOptions()


def sample_clip(seed: int, options: ClipOptions = DEFAULTS) -> ClipSpec:
    """The clip of a seed. The same seed and options give the same clip everywhere.

    Raises:
        SpecError: `hold_out` and the allowed words leave nothing to draw.
    """
    rng = random.Random(seed)
    half_extent = half_extent_of(options)
    edges = _scene_edges(rng, options)
    scenes = []
    for start, end in itertools.pairwise(edges):
        face = options.kind == "talking_face" or (options.kind == "mixed" and rng.random() < 0.35)
        draw = _face_scene if face else _object_scene
        scenes.append(draw(rng, options, start, end - start, half_extent))
    return ClipSpec(
        options.width, options.height, options.fps, tuple(scenes), seed=seed, sample_rate=options.sample_rate
    )


def half_extent_of(options: ClipOptions) -> tuple[float, float]:
    """Half the frame in lengths, as `ClipSpec.half_extent`."""
    short = min(options.width, options.height)
    return options.width / short / 2, options.height / short / 2


def _scene_edges(rng: random.Random, options: ClipOptions) -> list[float]:
    """Cut times on whole frames; "mixed" clips long enough for it have at least one cut."""
    frames = max(1, round(options.seconds * options.fps))
    edges = [0]
    while options.kind == "mixed":
        length = round(options.scene_seconds * rng.uniform(0.6, 1.4) * options.fps)
        if len(edges) == 1:
            length = min(length, frames // 2)
        if length < 2 or frames - edges[-1] - length < 2:
            break
        edges.append(edges[-1] + length)
    return [float(Fraction(edge) / options.fps) for edge in (*edges, frames)]


def _face_scene(
    rng: random.Random, options: ClipOptions, start: float, seconds: float, half_extent: tuple[float, float]
) -> SceneSpec:
    camera = draw_camera(rng, rng.choice(options.cameras), seconds, reach=0.3)
    background = draw_background(rng, rng.choice(options.backgrounds))
    return SceneSpec(start, seconds, (), camera, background, draw_face(rng, seconds, half_extent))


def _object_scene(
    rng: random.Random, options: ClipOptions, start: float, seconds: float, half_extent: tuple[float, float]
) -> SceneSpec:
    camera = draw_camera(rng, rng.choice(options.cameras), seconds)
    background = draw_background(rng, rng.choice(options.backgrounds))
    shot = Shot(seconds, half_extent, camera)
    objects: list[ObjectSpec] = []
    for _ in range(rng.randint(options.min_objects, options.max_objects)):
        objects.append(_allowed_object(rng, options, shot, background, objects))
    return SceneSpec(start, seconds, tuple(objects), camera, background)


def _allowed_object(
    rng: random.Random, options: ClipOptions, shot: Shot, background: BackgroundSpec, others: list[ObjectSpec]
) -> ObjectSpec:
    for patience in range(1000):
        looks = {
            "shape": rng.choice(options.shapes),
            "color": rng.choice(options.colors),
            "texture": rng.choices(options.textures, _texture_weights(options))[0],
            "size": rng.choice(options.sizes),
        }
        twin = any((looks["shape"], looks["color"]) == (other.shape, other.color) for other in others)
        if patience < 500 and (twin or blends_in(looks["color"], background.palette)):
            continue
        obj = draw_object(rng, looks, rng.choice(options.motions), shot, others, options.pace)
        if not (options.hold_out and options.hold_out(obj)):
            return obj
    raise SpecError("hold_out leaves no combination of the allowed colours, shapes and motions to draw from")


def _texture_weights(options: ClipOptions) -> list[float]:
    return [2.0 if texture == "solid" else 1.0 for texture in options.textures]
