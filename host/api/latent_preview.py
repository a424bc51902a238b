"""`latent_preview`: what a node's progress bar shows while it samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .comfy.cli_args import args
from .comfy.utils import ProgressBar


def prepare_callback(model: Any, steps: int, x0_output_dict: dict[str, Any] | None = None) -> Callable:
    """A sampler's callback `f(step, denoised, x, steps)` that advances the node's progress bar.

    The bar shows the latest denoised latent in rough colours, where the model's latent format knows them.

    Args:
        x0_output_dict: its "x0" is set to the latest denoised latent.
    """
    bar = ProgressBar(steps)
    latent_format = model.get_model_object("latent_format")

    def step_done(step: int, x0: Any, x: Any, total_steps: int) -> None:
        if x0_output_dict is not None:
            x0_output_dict["x0"] = x0
        bar.update_absolute(step + 1, total_steps, rough_picture(x0, latent_format))

    return step_done


def rough_picture(latent: Any, latent_format: Any) -> tuple[str, Any, int] | None:
    """The first picture of normalised latents [B,C,(T,)h,w], as progress bars show it.

    Args:
        latent_format: its `latent_rgb_factors`, C rows of red, green and blue, map channels to colours.

    Returns:
        ("JPEG", PIL image, largest side in pixels), or None where there are no factors.
    """
    factors = getattr(latent_format, "latent_rgb_factors", None)
    if factors is None:
        return None
    import torch
    from PIL import Image

    cells = latent[0].float().cpu()
    if cells.ndim == 4:
        cells = cells[:, 0]
    colours = torch.einsum("chw,cr->hwr", cells, torch.tensor(factors))
    colours = colours + torch.tensor(latent_format.latent_rgb_factors_bias or [0.0, 0.0, 0.0])
    pixels = ((colours + 1) / 2).clamp(0, 1).mul(255).byte()
    return "JPEG", Image.fromarray(pixels.numpy()), args.preview_size
