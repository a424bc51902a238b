"""A film comparison in words, and as a table."""

from __future__ import annotations

import csv
import io

from .film_comparison import FilmComparison, FrameFigures


def report(comparison: FilmComparison) -> str:
    """The means in a few lines, with what was left out and which frame is worst."""
    mean, judged = comparison.mean, len(comparison.frames)
    lines = [f"{judged} of {comparison.count} frames judged"]
    lines.append(f"PSNR {mean('psnr'):.2f} dB · SSIM {mean('ssim'):.4f}")
    if (distance := mean("perceptual")) is not None:
        lines[-1] += f" · perceptual {distance:.4f}"
    lines.append(f"flicker {comparison.flicker:.2f}")
    if (tof := mean("tof")) is not None:
        lines[-1] += f" · tOF {tof:.3f} px"
    for name in ("inside", "outside"):
        if (decibels := mean(name)) is not None:
            lines.append(f"{name} the mask {decibels:.2f} dB")
    worst = comparison.worst()
    lines.append(f"worst is frame {worst.index}: {worst.psnr:.2f} dB")
    return "\n".join(lines)


def table(comparison: FilmComparison) -> str:
    """CSV with a line per judged frame; a field is empty where nothing was measured."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FrameFigures._fields)
    for index, *figures in comparison.frames:
        writer.writerow([index, *("" if figure is None else f"{figure:.6g}" for figure in figures)])
    return text.getvalue()
