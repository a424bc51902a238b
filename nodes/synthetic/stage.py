"""One instant of a clip: what is where, and what it looks like."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .backgrounds import drift, ground_of, paint_background, world_at
from .camera import View, view_at
from .face import FacePose, face_pose, face_sprites
from .geometry import Similarity
from .kinematics import object_pose
from .spec import ClipSpec, SceneSpec
from .sprites import ShapeSprite, Sprite, pixels_inside
from .vocabulary import COLORS

BACKGROUND = 0
"""Label of the background; sprite number k (from 0) has label k + 1."""


@dataclass(frozen=True)
class Stage:
    """A clip at `time`: `local_time` seconds into scene number `index`.

    sprites: back to front. face: pose of the talking head, if the scene has one.
    """

    clip: ClipSpec
    index: int
    local_time: float
    view: View
    sprites: tuple[Sprite, ...]
    face: FacePose | None

    @property
    def scene(self) -> SceneSpec:
        return self.clip.scenes[self.index]

    @functools.cached_property
    def labels(self) -> np.ndarray:
        """`labels_at` for every pixel of the frame: uint8 [height, width]."""
        return labels_at(self, *pixel_centers(slice(0, self.clip.height), slice(0, self.clip.width)))

    def owner_channel(self, sprite: Sprite) -> int:
        """Mask channel of the object or face that a sprite belongs to."""
        return self.clip.first_owner(self.index) + sprite.owner

    def face_to_screen(self) -> Similarity:
        """World at the face's depth → pixels."""
        return _at_depth(self.view, self.scene.face.depth)


def stage_at(clip: ClipSpec, time: float) -> Stage:
    """The clip `time` seconds after its start."""
    index = clip.scene_at(time)
    scene = clip.scenes[index]
    local_time = time - scene.start
    view = view_at(scene.camera, local_time, scene.seconds, clip.width, clip.height)
    groups = [[object_sprite(clip, scene, owner, view, local_time)] for owner in range(len(scene.objects))]
    pose = None
    if scene.face:
        pose = face_pose(scene.face, local_time)
        groups.append(face_sprites(scene.face, pose, _at_depth(view, scene.face.depth), len(scene.objects)))
    groups.sort(key=lambda group: -group[0].depth)
    return Stage(clip, index, local_time, view, tuple(sprite for group in groups for sprite in group), pose)


def _at_depth(view: View, depth: float) -> Similarity:
    if not view.truck:
        return view.to_screen
    return view.to_screen.after(Similarity(1.0, 0.0, -view.truck / depth, 0.0))


def object_sprite(clip: ClipSpec, scene: SceneSpec, owner: int, view: View, time: float) -> ShapeSprite:
    """One of the scene's objects as the camera sees it `time` seconds into the scene."""
    obj = scene.objects[owner]
    pose = object_pose(obj, time, clip.half_extent)
    depth = obj.depth / pose.scale
    world = Similarity.make(obj.radius * pose.scale, pose.angle, pose.x, pose.y)
    return ShapeSprite(
        place=_at_depth(view, depth).after(world),
        owner=owner,
        depth=depth,
        lap=pose.lap,
        shape=obj.shape,
        texture=obj.texture,
        color=COLORS[obj.color],
    )


class Painter:
    """Paints frames of one clip, and keeps the last background as long as it does not change.

    A frame does not depend on which frames were painted before it.
    """

    def __init__(self, clip: ClipSpec) -> None:
        self.clip = clip
        self._behind: tuple | None = None

    def frame(self, time: float) -> np.ndarray:
        """The picture at `time` seconds: uint8 [height, width, 3], RGB."""
        return self.paint(stage_at(self.clip, time))

    def paint(self, stage: Stage) -> np.ndarray:
        """The picture of a stage: uint8 [height, width, 3], RGB."""
        planes, pixels = self._background(stage)
        places = [pixels_inside(sprite, self.clip.width, self.clip.height) for sprite in stage.sprites]
        seen = [(sprite, place) for sprite, place in zip(stage.sprites, places, strict=True) if place]
        picture = pixels.copy()
        if seen:
            rows, columns = _hull([place for _, place in seen])
            part = planes[:, rows, columns].copy()
            grids = _local_grids(seen)
            for sprite, place in seen:
                cover, color = sprite.paint(*grids[sprite.place].at(place))
                plane = part[(slice(None), *_shifted(place, rows.start, columns.start))]
                plane += cover * (color - plane)
            _to_bytes(part, picture[rows, columns])
        return picture

    def _background(self, stage: Stage) -> tuple[np.ndarray, np.ndarray]:
        background = stage.scene.background
        key = (stage.index, stage.view, drift(background, stage.local_time))
        if self._behind is None or self._behind[0] != key:
            size = self.clip.width, self.clip.height
            planes = paint_background(background, stage.view, *size, stage.local_time)
            pixels = np.empty((self.clip.height, self.clip.width, 3), np.uint8)
            _to_bytes(planes, pixels)
            self._behind = key, planes, pixels
        return self._behind[1:]


Place = tuple[slice, slice]
"""Rows and columns of a frame."""


def _hull(places: list[Place]) -> Place:
    """The smallest rectangle around all places."""
    rows, columns = zip(*places, strict=True)
    return tuple(
        slice(min(one.start for one in axis), max(one.stop for one in axis)) for axis in (rows, columns)
    )


def _shifted(place: Place, top: int, left: int) -> Place:
    """The place as seen from pixel (top, left)."""
    rows, columns = place
    return slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)


class _Grid(NamedTuple):
    """Local coordinates (u, v) of a rectangle of pixels."""

    place: Place
    u: np.ndarray
    v: np.ndarray

    def at(self, place: Place) -> tuple[np.ndarray, np.ndarray]:
        inside = _shifted(place, self.place[0].start, self.place[1].start)
        return self.u[inside], self.v[inside]


def _local_grids(seen: list[tuple[Sprite, Place]]) -> dict[Similarity, _Grid]:
    """Local coordinates, computed once for all the sprites that share them (the pieces of a head)."""
    places: dict[Similarity, list[Place]] = {}
    for sprite, place in seen:
        places.setdefault(sprite.place, []).append(place)
    grids = {}
    for transform, shared in places.items():
        place = _hull(shared)
        u, v = np.broadcast_arrays(*transform.inverse()(*pixel_centers(*place)))
        grids[transform] = _Grid(place, u, v)
    return grids


def pixel_centers(rows: slice, columns: slice) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of pixel centres as float32 [1, columns] and [rows, 1]."""
    x = np.arange(columns.start, columns.stop, dtype=np.float32) + np.float32(0.5)
    y = np.arange(rows.start, rows.stop, dtype=np.float32) + np.float32(0.5)
    return x[None], y[:, None]


def _to_bytes(planes: np.ndarray, out: np.ndarray) -> None:
    for channel in range(3):
        np.add(planes[channel] * np.float32(255), np.float32(0.5), out=out[..., channel], casting="unsafe")


def render_frame(clip: ClipSpec, time: float) -> np.ndarray:
    """The picture at `time` seconds: uint8 [height, width, 3], RGB."""
    return Painter(clip).frame(time)


def labels_at(stage: Stage, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which surface is seen at points (x, y) in pixels: uint8, `BACKGROUND` or sprite number + 1.

    A surface is seen where it covers at least half a pixel centred there and nothing opaque is before it.
    """
    shape = np.broadcast_shapes(np.shape(x), np.shape(y))
    x, y = (np.broadcast_to(axis, shape).ravel() for axis in (x, y))
    labels = np.zeros(x.size, np.uint8)
    for number, sprite in enumerate(stage.sprites):
        if not sprite.opaque:
            continue
        left, top, right, bottom = sprite.box()
        near = np.flatnonzero((x > left - 1) & (x < right + 1) & (y > top - 1) & (y < bottom + 1))
        labels[near[sprite.cover(*sprite.local(x[near], y[near])) >= 0.5]] = number + 1
    return labels.reshape(shape)


def background_point(stage: Stage, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The point of the painting seen at pixels (x, y)."""
    background = stage.scene.background
    u, v = world_at(background, stage.view, x, y)
    return u - drift(background, stage.local_time), v


def background_on_screen(stage: Stage, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where points of the painting are, in pixels: the inverse of `background_point`."""
    background = stage.scene.background
    across = u + drift(background, stage.local_time)
    if stage.view.truck:
        across = across - stage.view.truck * ground_of(background).inverse_depth(v)
    return stage.view.to_screen(across, v)
