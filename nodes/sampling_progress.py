"""What a sampling node shows while it works: its progress, and the clip so far in small pictures."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .runtime import Progress
from .vae.preview import rough_preview
from .vae.rough_colours import SPACES

PICTURES = 16
"""At most in a preview."""
SIDE = 512
"""Of the whole preview, in pixels."""
SPACE_OF_FORMAT = {"HunyuanVideo": "Hunyuan Video"}
"""By the name of a core latent format, whose latents they are where the channels do not tell."""


class SamplingProgress:
    """Told of every step by a sampler; keeps the time and moves the node's progress bar.

    Args:
        decode: clean latents of one film, raw [1,C,T,h,w] → images [T,H,W,3]; None shows nothing.
        every: steps between previews; the last step always has one.
    """

    def __init__(
        self,
        base: Any,
        decode: Callable[[Tensor], Tensor] | None,
        every: int,
        node_id: str | None,
    ) -> None:
        self.base, self.decode, self.every, self.node_id = base, decode, every, node_id
        self.seconds: list[float] = []
        self._progress: Progress | None = None
        self._last = time.perf_counter()

    def step_done(self, step: int, total: int, clean: Tensor) -> None:
        """The sampler's `StepDone`."""
        now = time.perf_counter()
        self.seconds.append(now - self._last)
        if self._progress is None:
            self._progress = Progress(total, node_id=self.node_id, stage="sampling")
        due = self.decode is not None and ((step + 1) % self.every == 0 or step + 1 == total)
        self._progress.advance(1, self._preview(clean) if due else None)
        self._last = time.perf_counter()

    def _preview(self, clean: Tensor) -> tuple[str, Any, int]:
        raw = self.base.process_latent_out(clean[:1].float())
        return ("JPEG", contact_sheet(self.decode(raw)), SIDE)

    def sentence(self) -> str:
        """For the user: how many steps, and the time of one."""
        return f"{len(self.seconds)} steps, {statistics.median(self.seconds):.2f} s per step"


def rough_decoder(latent_format: Any) -> Callable[[Tensor], Tensor] | None:
    """Rough colours, one picture per latent frame; None for latents without a map."""
    space = SPACE_OF_FORMAT.get(type(latent_format).__name__)
    if latent_format.latent_channels not in {facts.channels for facts in SPACES.values()}:
        return None
    return lambda raw: rough_preview(raw, space, SIDE // 4, Fraction(16))[0]


def decoder_of(vae: Any) -> Callable[[Tensor], Tensor]:
    """Pictures through a VAE, best a tiny one."""
    return lambda raw: vae.decode(raw)[0]


def contact_sheet(images: Tensor) -> Any:
    """Up to `PICTURES` frames of [T,H,W,3] (0..1), evenly chosen and in reading order, as one PIL image.

    Its comment, which a JPEG keeps, tells the grid: the editor plays the pictures as a film.
    """
    from PIL import Image

    count = min(len(images), PICTURES)
    chosen = images[torch.linspace(0, len(images) - 1, count).round().long()].float().cpu().clamp(0, 1)
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    padded = F.pad(chosen, (0, 0, 0, 0, 0, 0, 0, rows * columns - count))
    grid = padded.unflatten(0, (rows, columns)).transpose(1, 2).flatten(0, 1).flatten(1, 2)
    sheet = Image.fromarray((grid * 255).round().byte().numpy())
    sheet.info["comment"] = f"kinograph: {count} pictures, {columns} columns".encode()
    return sheet
