"""Controls of a film between two pictures as sparse points: where each point goes, and what lies in front.

Source: Tanveer et al. 2025, "MultiCOIN: Multi-Modal COntrollable Video INbetweening".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from .strokes import colours, paint, picture

MOST_TEXT = 1_000_000
"""Characters of paths at most."""


class ControlError(ValueError):
    """Tracks, paths or depths that cannot be used; the message tells what was found and what is needed."""


@dataclass(frozen=True, eq=False)
class Points:
    """N points in each of T frames.

    places: float64 [T,N,2] in pixels, x to the right and y down.
    seen: bool [T,N].
    depths: float64 [T,N], smaller is nearer.
    """

    places: np.ndarray
    seen: np.ndarray
    depths: np.ndarray

    @classmethod
    def none(cls, frames: int) -> Points:
        return cls(np.zeros((frames, 0, 2)), np.zeros((frames, 0), bool), np.zeros((frames, 0)))

    def beside(self, other: Points) -> Points:
        """These points and others of as many frames, which lie farther where nothing else is said."""
        return Points(
            np.concatenate([self.places, other.places], axis=1),
            np.concatenate([self.seen, other.seen], axis=1),
            np.concatenate([self.depths, other.depths + self.places.shape[1]], axis=1),
        )


def resampled(values: np.ndarray, frames: int) -> np.ndarray:
    """Values at even times [K,…] as values at `frames` even times, between two of them linearly."""
    place = np.linspace(0, len(values) - 1, frames)
    low = np.minimum(place.astype(np.int64), max(len(values) - 2, 0))
    high = np.minimum(low + 1, len(values) - 1)
    share = (place - low).reshape(-1, *[1] * (values.ndim - 1))
    return values[low] * (1 - share) + values[high] * share


def of_tracks(places: np.ndarray, seen: np.ndarray, frames: int) -> Points:
    """Core's TRACKS: places [K,N,2] in pixels and whether they are seen, [K,N] or [K,1].

    Raises:
        ControlError: they are of other shapes, or no finite numbers.
    """
    if places.ndim != 3 or places.shape[-1] != 2 or not len(places):
        raise ControlError(f"tracks of shape {list(places.shape)}; needed is [frames, tracks, 2]")
    if seen.shape not in {places.shape[:2], (len(places), 1)}:
        raise ControlError(
            f"tracks of shape {list(places.shape)} and a visibility of {list(seen.shape)}; needed is "
            f"{list(places.shape[:2])}"
        )
    if not np.isfinite(places).all():
        raise ControlError("the tracks have places that are no finite numbers; make them anew")
    shown = np.broadcast_to(seen.astype(bool), places.shape[:2])
    nearest = np.round(np.linspace(0, len(places) - 1, frames)).astype(np.int64)
    depths = _in_order(frames, places.shape[1])
    return Points(resampled(places.astype(np.float64), frames), shown[nearest], depths)


def of_paths(text: str, frames: int) -> Points:
    """Paths as JSON: a list for each point of {"x": …, "y": …} in pixels, passed through at even times.

    Raises:
        ControlError: it is something else.
    """
    if not text.strip():
        return Points.none(frames)
    try:
        if len(text) > MOST_TEXT:
            raise ValueError(f"{len(text)} characters, {MOST_TEXT} at most")
        paths = json.loads(text)
        if isinstance(paths[0], dict):
            paths = [paths]
        places = [resampled(_path(path), frames) for path in paths]
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise ControlError(
            f"paths are no lists of points ({type(error).__name__}: {error}); write them as "
            '[[{"x": 10, "y": 20}, {"x": 90, "y": 40}]]'
        ) from error
    return Points(
        np.stack(places, axis=1), np.ones((frames, len(places)), bool), _in_order(frames, len(places))
    )


def _path(points: Any) -> np.ndarray:
    """[K,2]."""
    found = np.array([(float(point["x"]), float(point["y"])) for point in points]).reshape(-1, 2)
    if not len(found) or not np.isfinite(found).all():
        raise ValueError(f"a path of {len(found)} points, or of places that are no finite numbers")
    return found


def _in_order(frames: int, count: int) -> np.ndarray:
    """Depths [frames,count] with the first point in front."""
    return np.tile(np.arange(count, dtype=np.float64), (frames, 1))


def depths_of_text(text: str, count: int, frames: int) -> np.ndarray:
    """Depths as text, "2, 1>0.5": one for each point, or from one to another over the film: [frames,count].

    Raises:
        ControlError: they are no numbers, or not as many as points.
    """
    entries = [entry.split(">") for entry in text.split(",")]
    try:
        ends = np.array([(float(entry[0]), float(entry[-1])) for entry in entries])
        if any(len(entry) > 2 for entry in entries) or not np.isfinite(ends).all():
            raise ValueError(text)
    except ValueError as error:
        raise ControlError(
            f'depths {text!r} are no numbers; write one for each point, as in "2, 1>0.5": smaller is nearer, '
            "and > goes from one to another"
        ) from error
    if len(ends) != count:
        raise ControlError(f"{len(ends)} depths for {count} points; write one for each, tracks before paths")
    return resampled(ends.T, frames)


def depths_of_picture(points: Points, depth: np.ndarray) -> np.ndarray:
    """Depths [T,N] under the points of pictures [K,H,W] in which near is bright."""
    frames, high, wide = len(points.places), *depth.shape[1:]
    which = np.round(np.linspace(0, len(depth) - 1, frames)).astype(np.int64)[:, None]
    x, y = np.round(points.places).astype(np.int64).transpose(2, 0, 1)
    return 1.0 - depth[which, y.clip(0, high - 1), x.clip(0, wide - 1)]


def motion_clip(points: Points, size: tuple[int, int], radius: float) -> np.ndarray:
    """Each point as a disc in a colour of its own on black, nearer ones in front: float32 [T,H,W,3]."""
    shades = colours(points.places.shape[1])
    clip = np.zeros((len(points.places), *size, 3), np.float32)
    for frame, places, seen, depths in zip(clip, points.places, points.seen, points.depths, strict=True):
        order = np.argsort(depths, kind="stable")[::-1]
        order = order[seen[order]]
        dots = np.repeat(places[order][:, None], 2, axis=1)
        frame[:] = picture(paint(dots, *size, 2 * radius, smooth=False), shades[order])
    return clip


def strongest(flow: np.ndarray, count: int, spacing: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """The points of a grid that move farthest along a film's flow.

    Args:
        flow: [T-1,H,W,2] in pixels, from each frame to the next.
        count: points at most.
        spacing: of the grid in pixels.

    Returns:
        places [T,N,2], and bool [T,N], false once a point has left the picture.
    """
    high, wide = flow.shape[1:3]
    y, x = np.mgrid[spacing // 2 : high : spacing, spacing // 2 : wide : spacing]
    places = [np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float64)]
    for vectors in flow:
        column, row = np.round(places[-1]).astype(np.int64).T
        places.append(places[-1] + vectors[row.clip(0, high - 1), column.clip(0, wide - 1)])
    tracks = np.stack(places)
    travelled = np.linalg.norm(np.diff(tracks, axis=0), axis=2).sum(axis=0)
    chosen = np.sort(np.argsort(-travelled, kind="stable")[:count])
    tracks = tracks[:, chosen]
    inside = (tracks >= 0).all(axis=2) & (tracks <= (wide - 1, high - 1)).all(axis=2)
    return tracks, np.logical_and.accumulate(inside, axis=0)
