"""What a node shows in the editor when it has run: entries of `ui`, drawn by the pack's web extension.

The host sends a node's `ui` to the editor and keeps it with the run; who does not know `kino_view` passes
over it. Each view is a dict with a `kind` and the facts that the module of that name in `web/views` draws.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from .folders import temporary_folder
from .runtime import someone_watches
from .video.encode import encode
from .video.recipe import Recipe, VideoSpec
from .video.resize import Resize
from .video.settings import EncodeSettings
from .video.spans import Spans

MOST_PIXELS = 960
"""Longest side of a film that is only looked at."""
CLIP_FPS = 8
"""Frames per second at which frames without a rate are played."""

View = dict[str, Any]


def views(*shown: View) -> dict[str, Any]:
    """A node's `ui` with these views, from top to bottom."""
    return {"kino_view": shown}


def report(text: str) -> View:
    """Text below everything else."""
    return {"kind": "report", "text": text}


def player(file: dict[str, str], spec: VideoSpec) -> View:
    """A player of a written file, named as `ui` names files: filename, subfolder and type."""
    return {"kind": "player", "file": file, **_picture(spec)}


def film(recipe: Recipe) -> View:
    """A player of a short film that is written for that alone, to the temporary folder."""
    return player(_temporary_film(recipe), recipe.spec)


def clip(images: Any) -> list[View]:
    """A player of frames [T,H,W,3] in 0..1, where someone looks."""
    from .video.tensor_source import TensorSource

    return [film(TensorSource(images, Fraction(CLIP_FPS)))] if someone_watches() else []


def comparison(before: tuple[str, Recipe], after: tuple[str, Recipe], tick: Callable[[int], None]) -> View:
    """Two videos of one size with a slider between them, each with its name.

    They are encoded without sound to the temporary folder, which the host empties. `tick` is called with 1
    per frame.
    """
    (left, first), (right, second) = before, after
    return {
        "kind": "compare",
        "before": _temporary_film(first, tick),
        "after": _temporary_film(second, tick),
        "before_name": left,
        "after_name": right,
        **_picture(first.spec),
    }


def timeline(spans: Spans) -> View:
    """Spans on a line of time, in seconds."""
    items = [
        {"start": float(span.start), "end": float(span.end), "label": span.label} for span in spans.items
    ]
    return {"kind": "timeline", "duration": float(spans.duration), "spans": items}


def _picture(spec: VideoSpec) -> dict[str, Any]:
    return {"fps": float(spec.fps), "frames": spec.frame_count, "width": spec.width, "height": spec.height}


def _temporary_film(recipe: Recipe, tick: Callable[[int], None] = lambda count: None) -> dict[str, str]:
    """Encode a film small and fast, as every browser plays it."""
    spec = recipe.spec
    shrink = min(1.0, MOST_PIXELS / max(spec.width, spec.height))
    small = Resize(recipe, round(spec.width * shrink), round(spec.height * shrink), "stretch")
    path = Path(temporary_folder(), f"kinograph_{uuid.uuid4().hex}.mp4")
    settings = EncodeSettings(
        "mp4", "h264", 18.0, "veryfast", bit_depth=8, pixel_format="yuv420p", audio_codec="none"
    )
    encode(small, path, settings, tick=tick)
    return {"filename": path.name, "subfolder": "", "type": "temp"}
