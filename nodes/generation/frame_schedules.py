"""A noise level for every frame: matrices of sigmas, float32 [rows + 1, T], from a flat schedule [steps + 1].

A frame at σ = 0 is clean: the network sees it as it is and makes the others fit to it. So one network that
was trained with independent levels per frame makes a film from text (all levels equal), from its first
frames, from both of its ends, or goes on where one stopped (FVDM, Liu et al. 2024). Staggered levels let near
frames be finished before far ones (Diffusion Forcing, Chen et al. 2024). All columns fall, and end at 0 if
the flat schedule does.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .film_windows import FrameSchedule, Window
from .flow_sigmas import noised
from .samplers import Callback, Sampler, Velocity


def flat_schedule(sigmas: Tensor, frames: int) -> Tensor:
    """The same levels for every frame."""
    return sigmas.unsqueeze(1).repeat(1, frames)


def scaled_schedule(sigmas: Tensor, strengths: Tensor) -> Tensor:
    """Each frame's levels times its own strength, [T] of 0 (clean) to 1 (made anew).

    A LATENT's noise mask, averaged over each frame, is such a strength.
    """
    return sigmas.unsqueeze(1) * strengths.to(sigmas)


def given_ends(window: Window, given_noise: float = 0.0) -> Tensor:
    """Strengths [T] of a window: `given_noise` for its given frames, 1 for those to make.

    A little noise on given frames hides their flaws from the network, which then follows them less literally.
    """
    strengths = torch.ones(window.frames)
    strengths[: window.first] = given_noise
    strengths[window.frames - window.last :] = given_noise
    return strengths


def pyramid_schedule(sigmas: Tensor, window: Window, delay: int, given_noise: float = 0.0) -> Tensor:
    """Each frame to make starts `delay` steps after the one before it: rows = steps + delay · (made − 1).

    Frames given at the start fall with the first made one, scaled by `given_noise`.
    """
    steps = len(sigmas) - 1
    made = window.frames - window.first - window.last
    turn = (torch.arange(window.frames) - window.first).clamp(0, made - 1)
    rows = torch.arange(steps + delay * (made - 1) + 1)
    index = (rows.unsqueeze(1) - delay * turn).clamp(0, steps)
    return sigmas[index] * given_ends(window, given_noise).to(sigmas)


def sample_window(
    velocity: Velocity,
    sampler: Sampler,
    sigmas: Tensor,
    film: Tensor,
    noise: Tensor,
    window: Window,
    callback: Callback | None = None,
) -> Tensor:
    """Make one window of a film, [B,C,window.frames,h,w]; its given frames come back as they were.

    Args:
        velocity, sampler, callback: see `samplers`.
        sigmas: the window's matrix [rows + 1, window.frames].
        film, noise: [B,C,T,h,w]; the film counts where a frame is given or starts below pure noise.
    """
    span = slice(window.start, window.stop)
    old = film[:, :, span]
    new = sampler(velocity, noised(old, noise[:, :, span], sigmas[0]), sigmas, callback)
    middle = new[:, :, window.first : window.frames - window.last]
    return torch.cat([old[:, :, : window.first], middle, old[:, :, window.frames - window.last :]], dim=2)


def sample_film(
    velocity: Callable[[Window], Velocity],
    sampler: Sampler,
    schedule: FrameSchedule,
    sigmas: Tensor,
    film: Tensor,
    noise: Tensor,
    callback: Callback | None = None,
) -> Tensor:
    """Make a film window by window, [B,C,T,h,w].

    Args:
        velocity: the network for a window (its conditions may depend on it).
        schedule: which windows, and each frame's noise levels there.
        sigmas: the flat schedule [steps + 1].
        film, noise: [B,C,T,h,w], see `sample_window`.
        callback: counts the steps of all windows; its x0 is the film up to the window's end.
    """
    windows = schedule.windows(film.shape[2])
    tables = [schedule.sigmas(sigmas, window) for window in windows]
    total, done = sum(len(table) - 1 for table in tables), 0
    film = film.clone()
    for window, table in zip(windows, tables, strict=True):
        tell = callback and _for_the_film(
            callback, film[:, :, : window.start + window.first], window, done, total
        )
        span = slice(window.start, window.stop)
        film[:, :, span] = sample_window(velocity(window), sampler, table, film, noise, window, tell)
        done += len(table) - 1
    return film


def _for_the_film(callback: Callback, before: Tensor, window: Window, done: int, total: int) -> Callback:
    def tell(step: int, _: int, x: Tensor, x0: Tensor) -> None:
        callback(done + step, total, x, torch.cat([before, x0[:, :, window.first :]], dim=2))

    return tell
