"""A LATENT with frames between its own."""

from __future__ import annotations

from typing import Any

from .interpolation.inside import FillMethod
from .runtime import Progress
from .vae_films import FILM

MASK = "noise_mask"


def interpolated_latent(
    latent: dict[str, Any], method: FillMethod, node_id: str | None
) -> tuple[dict[str, Any], str]:
    """A LATENT of (K − 1)·factor + 1 frames, and what is to be told of it.

    Raises:
        ValueError: it is no film.
    """
    samples = latent["samples"]
    if getattr(samples, "is_nested", False) or samples.ndim != 5:
        raise ValueError(
            "the latent is no film [batch, channels, frames, height, width]; wire one that a video VAE or a "
            "video model made"
        )
    filled = method.filled(samples, Progress(samples.shape[2] - 1, node_id=node_id).advance)
    made = {name: value for name, value in latent.items() if name not in (MASK, FILM)}
    made["samples"] = filled.samples
    if filled.mask is not None:
        made[MASK] = filled.mask.expand(-1, -1, -1, *samples.shape[3:]).contiguous()
    if FILM in latent:
        frames, height, width = latent[FILM]
        made[FILM] = ((frames - 1) * method.factor + 1, height, width)
    told = [f"{samples.shape[2]} latent frames → {filled.samples.shape[2]}"]
    if samples.shape[2] == 1:
        told.append("one frame has none after it: it is as it was")
    if filled.mask is None:
        told.append("no frame is kept by a noise mask: a sampler makes all of them anew")
    if MASK in latent:
        told.append("the latent's own noise mask is left out: it was for the frames that there were")
    return made, "\n".join(told)
