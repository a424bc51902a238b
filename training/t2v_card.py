"""The model card of the pack's text-to-video model, and its picture."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .train_t2v import Run

FIGURES = {
    "colour": "colour right",
    "shape": "shape right",
    "motion": "motion right",
    "all_three": "all three right",
    "i2v_last_frame_colour_shape": "first frame given: colour and shape right in the last frame",
    "i2v_first_frame_psnr_below_vae": "first frame given: dB that it loses beyond the autoencoder's own loss",
    "inbetween_end_psnr_below_vae": "both ends given: the same dB, mean of both ends",
    "extend_colour_shape": "four times as long: colour and shape right at the end",
    "oracle_on_truth": "the judge on real procedural clips: all right",
}


def t2v_card(
    name: str,
    paths: tuple[Path, Path],
    run: Run,
    command: str,
    prompts: list[str],
    quality: dict[str, Any] | None,
) -> str:
    """The card in Markdown.

    Args:
        paths: of transformer and text encoder.
        prompts: of the picture's rows.
        quality: what `kinograph bench quality` measured.
    """
    sizes = run.sizes
    transformer, text = (path.stat().st_size / 1e6 for path in paths)
    return f"""# {name}

A small text-to-video model in the architecture and key layout of Wan 2.1's: {sizes.blocks} blocks of width
{sizes.width}, {transformer:.1f} MB. With it belongs a text encoder of UMT5's architecture, {paths[1].stem}
({text:.1f} MB). It makes films of moving shapes, 17 frames of 96 × 96, in the latents of
kinograph_tiny_wan21_vae.

It comes with the pack so that everything runs before anything is downloaded; replace its file name by a real
Wan's for real films. It knows the words of `nodes/synthetic/vocabulary.py` and no others.

Every latent frame has a noise level of its own in training (FVDM, Liu et al. 2024), so the same file makes
films from text, from given frames, and beyond a film's end.

{_table(quality)}

![first, middle and last frames]({name}.jpg)

Rows: {" ".join(prompts)}

## Training

- Data: captioned procedural clips (`training/t2v_clips.py`) as latents of autoencoder {run.vae}; a tenth of
  all combinations of colour, shape and motion was held back (`nodes/synthetic/held_back.py`).
- Command: `{command}`; then `python -m kinograph.training.export_t2v`, which also wrote this card.
- {run.step:,} steps over {run.clips:,} clips (first frames count as clips) in
  {run.seconds / 3600:.1f} hours; seed 0.
- Hardware: {platform.machine()} processor, {os.cpu_count()} cores; PyTorch {torch.__version__.split("+")[0]}.
- Loss: squared error of the velocity, bfloat16 arithmetic, averaged weights; Muon for the blocks' matrices.
"""


def _table(quality: dict[str, Any] | None) -> str:
    if quality is None:
        return "Its quality has not been measured."
    rows = {row["what"]: row for row in quality["rows"]}
    lines = [
        f"| {told} | {quality['figures'][name]:g} | {rows[name]['low']:g} to {rows[name]['high']:g} |"
        for name, told in FIGURES.items()
    ]
    seeds = ", ".join(map(str, rows["seeds"]["list"]))
    films = rows["colour"]["of"]
    return f"""`kinograph bench quality` on {films} films of held-back combinations, seeds {seeds}:

| figure | value | 95 % interval |
|---|---|---|
{chr(10).join(lines)}"""


def contact_sheet(films: Tensor, path: Path) -> None:
    """Save five frames of each film [B,3,T,H,W] (0..1), a row for each."""
    from PIL import Image

    chosen = films[:, :, torch.linspace(0, films.shape[2] - 1, 5).round().long()]  # [B,3,5,H,W]
    pixels = (chosen * 255).round().byte().permute(0, 3, 2, 4, 1)  # [B,H,5,W,3]
    rows = pixels.flatten(2, 3).flatten(0, 1).numpy()
    Image.fromarray(rows).save(path, quality=88)
