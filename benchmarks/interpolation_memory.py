"""Peak memory of a process that doubles a film's frame rate, for films of different length."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..host.memory import peak_rss_mb
from .interleave import seconds

SIDE, RATE = 96, 4
"""Of the film: pixels, and frames per second, low so that ten minutes take one."""


def film_rows(minutes: tuple[float, ...]) -> list[dict[str, Any]]:
    """One row per length, each measured in a process of its own."""
    rows = []
    for length in minutes:
        command = [sys.executable, "-m", __name__, str(length)]
        finished = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        what = f"{length} min of {SIDE}x{SIDE} at {RATE} fps to twice the rate, mp4 to mp4"
        rows.append({"what": what, **json.loads(finished.stdout.splitlines()[-1])})
    return rows


def _interpolate(minutes: float, folder: Path) -> dict[str, Any]:
    """Double the rate of a film as the node does; its frames, seconds and this process's peak memory."""
    import torch

    from ..host.api.install import install

    install()
    from ..nodes.film_interpolation import Interpolator, interpolated_video
    from ..nodes.interpolation.links import Rules
    from ..nodes.runtime import managed
    from ..nodes.video.encode import encode
    from ..nodes.video.settings import EncodeSettings
    from ..nodes.video.source import FileSource
    from .interpolation_peers import Ours

    _make_film(folder / "film.mp4", minutes)
    film = FileSource.of(folder / "film.mp4")
    how = Interpolator(managed(Ours("rife-4.14", torch.float32).network))
    recipe = interpolated_video(film, Fraction(2 * RATE), Rules(), how)
    reports = []
    took = seconds(lambda: reports.append(encode(recipe, folder / "made.mp4", EncodeSettings(threads=1))))
    return {"frames": reports[0].frames, "seconds": round(took, 1), "peak_rss_mb": round(peak_rss_mb(), 1)}


def _make_film(path: Path, minutes: float) -> None:
    """FFmpeg's moving test picture."""
    import av

    picture = f"testsrc2=size={SIDE}x{SIDE}:rate={RATE}:duration={minutes * 60}"
    with av.open(picture, format="lavfi") as given, av.open(str(path), "w") as made:
        stream = made.add_stream("libx264", rate=RATE, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = SIDE, SIDE, "yuv420p"
        for frame in given.decode(video=0):
            plain = frame.reformat(format="yuv420p")
            plain.pict_type = 0  # the test picture is all key frames
            made.mux(stream.encode(plain))
        made.mux(stream.encode(None))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="kinograph-bench-") as name:
        print(json.dumps(_interpolate(float(sys.argv[1]), Path(name))))
