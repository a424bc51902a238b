"""How fast the procedural world is painted, in seconds of one core (processor time, not wall clock).

objects_clips_per_s: clips of 17 frames of 96 × 96 with one or two shapes, drawn and painted.
face_clips_per_s: the same with a talking head.
frame_1080p_s: seconds for a 1920 × 1080 frame, the median over the backgrounds, camera moving.
truth_ratio: time for the pictures and all truths of a clip with shapes, relative to the pictures alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Any

from .interleave import interleave, median_ratio
from .machine import machine

TRUTHS = ("masks", "depth", "forward_flow", "backward_flow", "audio")


def run(quick: bool) -> dict[str, Any]:
    """Measure all four in turns; `quick` paints fewer clips."""
    clips, rounds = (10, 3) if quick else (60, 7)
    seeds = Seeds(clips)
    samples = interleave(
        {
            "objects": lambda: _core_seconds(lambda: _paint(seeds, "objects")) / clips,
            "objects_with_truths": lambda: (
                _core_seconds(lambda: _paint(seeds, "objects", truths=True)) / clips
            ),
            "face": lambda: _core_seconds(lambda: _paint(seeds, "talking_face")) / clips,
        },
        rounds,
    )
    large = _large_frames()
    return {
        "name": "synthetic",
        "machine": machine(),
        "figures": {
            "objects_clips_per_s": round(1 / median(samples["objects"]), 1),
            "face_clips_per_s": round(1 / median(samples["face"]), 1),
            "frame_1080p_s": round(median(large.values()), 4),
            "truth_ratio": round(median_ratio(samples, "objects_with_truths", "objects"), 2),
        },
        "rows": [
            *(
                {"what": f"clip, {name}", "seconds": round(median(times), 5)}
                for name, times in samples.items()
            ),
            *({"what": f"1080p frame, {name}", "seconds": round(took, 4)} for name, took in large.items()),
        ],
    }


def _core_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


class Seeds:
    """Seeds that no round has painted yet, so that nothing is remembered from the round before."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._next = 0

    def __iter__(self) -> Iterator[int]:
        first, self._next = self._next, self._next + self.count
        return iter(range(first, self._next))


def _paint(seeds: Seeds, kind: str, truths: bool = False) -> None:
    from ..nodes.synthetic.clip import Clip
    from ..nodes.synthetic.sampling import ClipOptions, sample_clip

    for seed in seeds:
        clip = Clip(sample_clip(seed, ClipOptions(kind=kind)))
        for name in ("frames", *(TRUTHS if truths else ())):
            getattr(clip, name)


def _large_frames() -> dict[str, float]:
    from ..nodes.synthetic.sampling import ClipOptions, sample_clip
    from ..nodes.synthetic.stage import Painter
    from ..nodes.synthetic.vocabulary import BACKGROUNDS

    took = {}
    for background in BACKGROUNDS:
        options = ClipOptions(
            width=1920, height=1080, backgrounds=(background,), cameras=("pan_left", "roll")
        )
        paint = Painter(sample_clip(0, options)).frame
        took[background] = median(_core_seconds(partial(paint, step / 24)) for step in range(5))
    return took
