"""The truths of a clip as the tensors that nodes hand on."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch

from .clip import Clip
from .spec import ClipSpec

MEGABYTE = 1_000_000


class TruthTooLarge(ValueError):
    """The truths asked for need more memory than allowed; the message says how much."""


def check_memory(spec: ClipSpec, count: int, masks: str, limit_mb: int) -> None:
    """Refuse `count` frames of truth that need more than `limit_mb` megabytes.

    Raises:
        TruthTooLarge: tells the size and what to do.
    """
    pictures, flow, depth = 3 + 12, 2 * (8 + 1), 4 + 12
    covers = 8 * spec.owners + 8 + 4 * (spec.owners if masks == "each object" else 1)
    size = count * spec.width * spec.height * (pictures + flow + depth + covers) / MEGABYTE
    if size > limit_mb:
        raise TruthTooLarge(
            f"{count} frames of {spec.width} x {spec.height} with all their truths need {size:,.0f} MB, and "
            f"the limit is {limit_mb:,} MB; take fewer frames, a smaller clip, or raise the limit"
        )


def images(clip: Clip) -> torch.Tensor:
    """IMAGE [T, H, W, 3] float32 in 0..1."""
    return torch.from_numpy(clip.frames).float().div_(255)


def mask(clip: Clip, of: str, whole: bool) -> torch.Tensor:
    """MASK float32: [T, H, W], or [N · T, H, W], object after object, for "each object".

    Args:
        of: one of `vocabulary.MASKS`.
        whole: also what is hidden behind something else; the mouth is always as seen.
    """
    masks = clip.masks
    if of == "mouth":
        return torch.from_numpy(masks.mouth)
    if of == "each object":
        each = (masks.whole if whole else masks.visible).swapaxes(0, 1)
        return torch.from_numpy(each.reshape(-1, clip.spec.height, clip.spec.width))
    return torch.from_numpy(1 - masks.background)


def flow(clip: Clip) -> dict[str, torch.Tensor]:
    """KINO_FLOW of the clip: see `nodes/sockets.py`."""
    forward, backward = clip.forward_flow, clip.backward_flow
    return {
        "forward": torch.from_numpy(forward.vectors),
        "backward": torch.from_numpy(backward.vectors),
        "forward_hidden": torch.from_numpy(forward.hidden),
        "backward_hidden": torch.from_numpy(backward.hidden),
    }


def depth_images(clip: Clip) -> torch.Tensor:
    """Nearness as IMAGE [T, H, W, 3]: one metre divided by the depth, so near is bright; at most 1."""
    near = np.minimum(1 / clip.depth, 1)
    return torch.from_numpy(near)[..., None].repeat(1, 1, 1, 3)


def facts(clip: Clip) -> str:
    """Everything that fits in text, as JSON: captions, attributes, events, cut times and, for each frame, its
    time, boxes and centres (fractions of the frame), mouth and landmarks (pixels).
    """
    return json.dumps(
        {
            "captions": clip.captions,
            "attributes": clip.attributes,
            "events": [event._asdict() for event in clip.events],
            "cut_times": clip.cut_times,
            "frames": [_frame_facts(clip, index) for index in range(clip.count)],
        }
    )


def _frame_facts(clip: Clip, index: int) -> dict[str, Any]:
    return {
        "time": round(float(clip.times[index]), 6),
        "boxes": _plain(clip.tracks.boxes[index], 5),
        "centers": _plain(clip.tracks.centers[index], 5),
        "mouth": {name: round(float(values[index]), 5) for name, values in clip.face.mouth._asdict().items()},
        "landmarks": _plain(clip.face.landmarks[index], 2) if clip.stages[index].face else None,
    }


def _plain(rows: np.ndarray, digits: int) -> list[list[float] | None]:
    return [None if np.isnan(row).any() else [round(float(value), digits) for value in row] for row in rows]
