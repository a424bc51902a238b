"""Telling what stands before the background: how unlike it each pixel is."""

from __future__ import annotations

import numpy as np

from .oracle_colours import BACKDROPS, Ramp, background_ramps, distance_to

NEAR = 0.05
"""How far in Oklab a pixel may be from a background's colours and still count as explained by them."""

DOUBT = 0.005
"""Mean distance by which a background must explain more for each e-fold of its range of colours."""


def find_backdrop(lab: np.ndarray) -> tuple[str, str]:
    """Kind and palette of the background of a clip in Oklab [T, H, W, 3]: the one most pixels are near to.

    All are tried by colour alone, and those that come close once more by where the colours lie.
    """
    few = _sampled(lab)
    costs = {
        backdrop: _cost(distance_to(_tones(background_ramps(*backdrop)), few), backdrop)
        for backdrop in BACKDROPS
    }
    least = min(costs.values())
    close = [backdrop for backdrop, cost in costs.items() if cost < least + 0.03]
    if len(close) == 1:
        return close[0]
    return min(close, key=lambda backdrop: _cost(unlikeness(few, backdrop), backdrop))


def _cost(far: np.ndarray, backdrop: tuple[str, str]) -> float:
    """How badly a background explains pixels; objects, which none explains, hardly count."""
    lengths = (np.linalg.norm(ramp.tones[-1] - ramp.tones[0]) for ramp in background_ramps(*backdrop))
    return float(np.minimum(far, 1.6 * NEAR).mean() + DOUBT * np.log1p(sum(lengths) / NEAR))


def unlikeness(lab: np.ndarray, backdrop: tuple[str, str]) -> np.ndarray:
    """Distance of every pixel to what the background shows there: Oklab [T, H, W, 3] → [T, H, W].

    The background's colours are first moved to those the clip shows. An even ramp explains a pixel only
    where it lies, so that a white shape stands out from a sky that is as bright elsewhere.
    """
    ramps = _moved(background_ramps(*backdrop), _sampled(lab).reshape(-1, 3))
    patches = [ramp.tones for ramp in ramps if not ramp.even]
    far = distance_to(np.concatenate(patches), lab) if patches else np.full(lab.shape[:-1], np.inf)
    for ramp in ramps:
        if ramp.even:
            others = [other.tones for other in ramps if other is not ramp]
            far = np.minimum(far, _from_even_ramp(lab, ramp.tones, others))
    return far


def _sampled(lab: np.ndarray) -> np.ndarray:
    """Means of 3 × 3 pixels of about four frames: little noise, and few numbers."""
    few = lab[:: max(1, len(lab) // 4)]
    height, width = (length // 3 for length in few.shape[1:3])
    return few[:, : 3 * height, : 3 * width].reshape(len(few), height, 3, width, 3, 3).mean(axis=(2, 4))


def _tones(ramps: tuple[Ramp, ...]) -> np.ndarray:
    return np.concatenate([ramp.tones for ramp in ramps])


def _moved(ramps: tuple[Ramp, ...], sample: np.ndarray) -> list[Ramp]:
    """The ramps moved by the median of what the pixels near them differ by."""
    tones = _tones(ramps)
    squares = (tones**2).sum(1) - 2 * (sample @ tones.T)
    differences = sample - tones[squares.argmin(axis=1)]
    near = (differences**2).sum(1) < (1.5 * NEAR) ** 2
    shift = np.median(differences[near], axis=0) if near.any() else np.zeros(3, np.float32)
    return [ramp._replace(tones=ramp.tones + shift) for ramp in ramps]


def _from_even_ramp(lab: np.ndarray, tones: np.ndarray, others: list[np.ndarray]) -> np.ndarray:
    """Distance to the ramp's colour at each place, where its share is a plane fitted in every frame."""
    along = tones[-1] - tones[0]
    few = lab[:, ::3, ::3]
    own = distance_to(tones, few)
    member = own < 2 * NEAR
    if others:
        member &= own < distance_to(np.concatenate(others), few)
    share = (few - tones[0]) @ along / (along @ along)
    height, width = lab.shape[1:3]
    rows, columns = np.linspace(-1, 1, height, dtype=np.float32), np.linspace(-1, 1, width, dtype=np.float32)
    y, x = (axis.ravel() for axis in np.meshgrid(rows[::3], columns[::3], indexing="ij"))
    planes = _planes(
        np.stack([np.ones_like(x), x, y], 1), *(v.reshape(len(lab), -1) for v in (share, member))
    )
    level, across, down = planes.astype(np.float32)[:, :, None, None].swapaxes(0, 1)
    expected = np.clip(level + across * columns + down * rows[:, None], 0, 1) * (len(tones) - 1)
    low = np.minimum(expected.astype(np.intp), len(tones) - 2)
    colors = tones[low] + (expected - low)[..., None] * np.diff(tones, axis=0)[low]
    return np.sqrt(((lab - colors) ** 2).sum(-1))


def _planes(places: np.ndarray, values: np.ndarray, member: np.ndarray, rounds: int = 12) -> np.ndarray:
    """Least absolute deviation planes: places [n, 3], values and member [T, n] → coefficients [T, 3]."""
    inside = member & (values > 0.02) & (values < 0.98)  # a clipped share lies on no plane
    weights = inside.astype(np.float64)
    for _ in range(rounds):
        squares = np.einsum("nk,tn,nl->tkl", places, weights, places) + 1e-6 * np.eye(3)
        products = np.einsum("nk,tn->tk", places, weights * values)
        planes = np.linalg.solve(squares, products[..., None])[..., 0]
        weights = inside / np.maximum(np.abs(values - planes @ places.T), 0.01)
    return planes
