"""`latent_preview`: what a node's progress bar shows while it samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .comfy.utils import ProgressBar


def prepare_callback(model: Any, steps: int, x0_output_dict: dict[str, Any] | None = None) -> Callable:
    """A sampler's callback `f(step, denoised, x, steps)` that advances the node's progress bar.

    Args:
        x0_output_dict: its "x0" is set to the latest denoised latent.
    """
    bar = ProgressBar(steps)

    def step_done(step: int, x0: Any, x: Any, total_steps: int) -> None:
        if x0_output_dict is not None:
            x0_output_dict["x0"] = x0
        bar.update_absolute(step + 1, total_steps)

    return step_done
