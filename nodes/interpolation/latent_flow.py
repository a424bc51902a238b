"""Motion between two latent frames by comparing their cells, and frames along it.

Each cell of a frame is looked for around its place in the other; it then travels in a straight line, and
lands between cells by its share of each (splatting: Niklaus and Liu 2020, "Softmax Splatting for Video Frame
Interpolation"). Cells that were found well cover others.

Shapes: B pairs, Z channels, h × w cells; motion is in cells, x to the right and y down.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

STEP = 0.5
"""Cells from one motion that is tried to the next."""
WINDOW = 5
"""Cells along a side of what is compared."""
STAYING = 0.1
"""What each cell of motion must gain in difference, for flat parts to stay where they are."""
SHARPNESS = 3.0
"""How fast a cell loses weight with its difference; one deviation of the latents is 1."""
LEAST_WEIGHT = 1e-3
"""Below it a place counts as reached by nothing."""


class Motion(NamedTuple):
    """Where the cells of a frame go: flow [B,2,h,w], x then y, and the difference there [B,1,h,w]."""

    flow: Tensor
    difference: Tensor


def motion(one: Tensor, other: Tensor, reach: float) -> Motion:
    """From a frame [B,Z,h,w] to another.

    Args:
        reach: cells that are looked at on each side.
    """
    deviation = torch.cat([one, other]).std(dim=(0, 2, 3), keepdim=True).clamp(min=1e-6)
    one, other = one / deviation, other / deviation
    flow = one.new_zeros(len(one), 2, *one.shape[2:])
    best = _difference(one, other)
    cost = best.clone()
    for x, y in _tried(reach):
        difference = _difference(one, moved(other, x, y))
        dearer = difference + STAYING * (x * x + y * y) ** 0.5
        better = dearer < cost
        flow = torch.where(better, flow.new_tensor([x, y]).view(1, 2, 1, 1), flow)
        best, cost = torch.where(better, difference, best), torch.where(better, dearer, cost)
    return Motion(flow, best)


def _tried(reach: float) -> Iterator[tuple[float, float]]:
    """Every motion within reach but none at all, the short ones first."""
    steps = [index * STEP for index in range(-int(reach / STEP), int(reach / STEP) + 1)]
    both = [(x, y) for x in steps for y in steps if x or y]
    return iter(sorted(both, key=lambda pair: pair[0] ** 2 + pair[1] ** 2))


def _difference(one: Tensor, other: Tensor) -> Tensor:
    """Mean absolute difference of the windows around each cell, [B,1,h,w]."""
    apart = (one - other).abs().mean(dim=1, keepdim=True)
    edge = WINDOW // 2
    return F.avg_pool2d(F.pad(apart, (edge,) * 4, mode="replicate"), WINDOW, stride=1)


def moved(frame: Tensor, x: float, y: float) -> Tensor:
    """What stands x cells to the right and y down of each cell of [B,Z,h,w]; the border goes on outside."""
    for dim, distance in ((3, x), (2, y)):
        whole = int(distance // 1)
        part = distance - whole
        near = _rolled(frame, whole, dim)
        frame = near if not part else torch.lerp(near, _rolled(frame, whole + 1, dim), part)
    return frame


def _rolled(frame: Tensor, distance: int, dim: int) -> Tensor:
    size = frame.shape[dim]
    places = (torch.arange(size, device=frame.device) + distance).clamp(0, size - 1)
    return frame.index_select(dim, places)


def splatted(frame: Tensor, found: Motion, share: float) -> tuple[Tensor, Tensor]:
    """Cells of [B,Z,h,w] after that share of their way: the frame, and the weight that arrived [B,1,h,w]."""
    batch, _, height, width = frame.shape
    weight = (-SHARPNESS * found.difference).exp()
    rows, columns = (torch.arange(size, device=frame.device, dtype=frame.dtype) for size in (height, width))
    x = columns + share * found.flow[:, 0]
    y = rows[:, None] + share * found.flow[:, 1]
    carried = torch.cat([frame * weight, weight], dim=1).flatten(2)
    landed = torch.zeros_like(carried)
    left, top = x.floor(), y.floor()
    for column, across in ((left, 1 - (x - left)), (left + 1, x - left)):
        for row, down in ((top, 1 - (y - top)), (top + 1, y - top)):
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            place = (row.clamp(0, height - 1) * width + column.clamp(0, width - 1)).long()
            part = (across * down * inside).view(batch, 1, -1)
            landed.scatter_add_(2, place.view(batch, 1, -1).expand_as(carried), carried * part)
    landed = landed.view(batch, -1, height, width)
    total = landed[:, -1:]
    return landed[:, :-1] / total.clamp(min=1e-12), total


def frames_between(before: Tensor, after: Tensor, times: list[float], reach: float) -> list[Tensor]:
    """Latents [B,Z,h,w] at times of 0 … 1 between two; of equal ones, the same."""
    there, back = motion(before, after, reach), motion(after, before, reach)
    return [_at(before, after, there, back, time) for time in times]


def _at(before: Tensor, after: Tensor, there: Motion, back: Motion, time: float) -> Tensor:
    first, of_first = splatted(before, there, time)
    second, of_second = splatted(after, back, 1 - time)
    near, far = (1 - time) * of_first, time * of_second
    made = torch.lerp(first, second, far / (near + far).clamp(min=1e-12))
    reached = torch.maximum(of_first, of_second) > LEAST_WEIGHT
    return torch.where(reached, made, torch.lerp(before, after, time))
