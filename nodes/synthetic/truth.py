"""Exact ground truth of a stage: masks, depth, optical flow and what it hides, boxes.

Everything follows from the description in closed form; nothing is measured from pixels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .backgrounds import ground_of, world_at
from .sprites import pixels_inside
from .stage import (
    BACKGROUND,
    Stage,
    background_on_screen,
    background_point,
    labels_at,
    pixel_centers,
)


class Masks(NamedTuple):
    """Coverage of every object and face: float32 [owners, height, width] in 0..1.

    visible: what is seen; with `background` [height, width] it adds up to 1 at every pixel.
    whole: amodal, as if nothing stood before it.
    mouth: the lips and what is between them, as seen [height, width].
    """

    visible: np.ndarray
    whole: np.ndarray
    background: np.ndarray
    mouth: np.ndarray


def masks_of(stage: Stage) -> Masks:
    """Soft masks of a stage, from the same coverages that the picture is painted with."""
    clip = stage.clip
    visible = np.zeros((clip.owners, clip.height, clip.width), np.float32)
    gaps = np.ones_like(visible)
    background = np.ones((clip.height, clip.width), np.float32)
    mouth = np.zeros_like(background)
    for sprite in stage.sprites:
        place = pixels_inside(sprite, clip.width, clip.height)
        if place is None or not sprite.opaque:
            continue
        channel = stage.owner_channel(sprite)
        cover = sprite.cover(*sprite.local(*pixel_centers(*place)))
        left = 1 - cover
        visible[(slice(None), *place)] *= left
        visible[(channel, *place)] += cover
        gaps[(channel, *place)] *= left
        background[place] *= left
        mouth[place] *= left
        if getattr(sprite, "part", "") == "mouth":
            mouth[place] += cover
    return Masks(visible, 1 - gaps, background, mouth)


def depth_of(stage: Stage) -> np.ndarray:
    """Metres to the surface seen at each pixel: float32 [height, width]."""
    clip = stage.clip
    x, y = pixel_centers(slice(0, clip.height), slice(0, clip.width))
    _, v = world_at(stage.scene.background, stage.view, x, y)
    depths = np.array([0, *(sprite.depth for sprite in stage.sprites)], np.float32)[stage.labels]
    behind = (1 / ground_of(stage.scene.background).inverse_depth(v)).astype(np.float32)
    return np.where(depths == 0, behind, depths)


class Flow(NamedTuple):
    """Motion of every pixel's surface to another instant.

    vectors: float32 [height, width, 2], pixels to the right and down.
    hidden: bool [height, width], true where the surface is not seen at the other instant: it went behind
        something or out of the frame, or the scene was cut.
    """

    vectors: np.ndarray
    hidden: np.ndarray


def flow_between(stage: Stage, other: Stage) -> Flow:
    """Flow from one stage to another of the same clip (forward or backward); zero across a cut."""
    clip = stage.clip
    if stage.index != other.index:
        size = clip.height, clip.width
        return Flow(np.zeros((*size, 2), np.float32), np.ones(size, bool))
    columns, rows = np.meshgrid(np.arange(clip.width) + 0.5, np.arange(clip.height) + 0.5)
    labels = stage.labels
    there_x, there_y = np.array(columns), np.array(rows)
    twins = _twins(stage, other)
    for label in np.flatnonzero(np.bincount(labels.ravel())):
        where = labels == label
        here = columns[where], rows[where]
        if label == BACKGROUND:
            there = background_on_screen(other, *background_point(stage, *here))
        else:
            there = other.sprites[twins[label] - 1].screen(*stage.sprites[label - 1].material(*here))
        there_x[where], there_y[where] = there
    inside = (there_x >= 0) & (there_x <= clip.width) & (there_y >= 0) & (there_y <= clip.height)
    lost = [False, *(one.lap != other.sprites[twins[k + 1] - 1].lap for k, one in enumerate(stage.sprites))]
    hidden = ~inside | np.array(lost)[labels] | (labels_at(other, there_x, there_y) != twins[labels])
    vectors = np.stack([there_x - columns, there_y - rows], axis=-1).astype(np.float32)
    return Flow(vectors, hidden)


def _twins(stage: Stage, other: Stage) -> np.ndarray:
    """What each label becomes at the other instant: the order changes when objects pass each other."""
    first = {}
    for number, sprite in enumerate(other.sprites):
        first.setdefault(sprite.owner, number + 1)
    twins = [BACKGROUND]
    for sprite in stage.sprites:
        twins.append(first[sprite.owner])
        first[sprite.owner] += 1
    return np.array(twins)


def boxes_of(stage: Stage) -> np.ndarray:
    """Left, top, right, bottom of every object and face, not cut off at the frame, as fractions of the
    frame's width and height: float64 [owners, 4]; NaN for those of other scenes. A face's box is its head's.
    """
    clip = stage.clip
    boxes = np.full((clip.owners, 4), np.nan)
    for sprite in stage.sprites:
        if stage.face is None or sprite.owner != len(stage.scene.objects) or sprite.part == "skin":
            boxes[stage.owner_channel(sprite)] = sprite.box()
    return boxes / (clip.width, clip.height, clip.width, clip.height)


def centers_of(stage: Stage) -> np.ndarray:
    """Centre of every object and head, as fractions of the frame: float64 [owners, 2]; else NaN."""
    clip = stage.clip
    centers = np.full((clip.owners, 2), np.nan)
    for sprite in stage.sprites:
        if stage.face is None or sprite.owner != len(stage.scene.objects) or sprite.part == "skin":
            centers[stage.owner_channel(sprite)] = sprite.place.tx, sprite.place.ty
    return centers / (clip.width, clip.height)
