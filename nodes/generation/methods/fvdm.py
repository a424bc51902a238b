"""FVDM: the timestep is a vector, and its schedule alone decides what the sampler makes.

A network trained with a noise level of its own for every frame, τ(t) ∈ [0, 1]^T, makes films from text, from
given frames and beyond a film's end without further training: given frames have τ = 0 throughout. Source: Liu
et al. 2024, "Redefining Temporal Modeling in Video Diffusion: The Vectorized Timestep Approach"; the pyramid:
Chen et al. 2024, "Diffusion Forcing". All counts are latent frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...methods import param, register
from ..film_windows import NODE, Window, sliding_windows, whole_film

if TYPE_CHECKING:
    from torch import Tensor

FACTS = {
    "node": NODE,
    "system": "fvdm",
    "paper": "Redefining Temporal Modeling in Video Diffusion: The Vectorized Timestep Approach (Liu et al.)",
    "year": 2024,
    "weights": "a network trained with noise levels per frame: the embedded one",
    "test": "tests/generation/test_frame_schedules.py",
}


def _given_noise() -> float:
    return param(
        0.0,
        "Noise on the given frames, as a part of the others' (0 = none, they stay bit for bit). "
        "A little hides their flaws from the network.",
        min=0.0,
        max=1.0,
        step=0.01,
    )


def _given(where: str, default: int, least: int) -> int:
    return param(default, f"Latent frames given at the film's {where}.", min=least, max=4096, step=1)


@register("flat", **{**FACTS, "weights": None})
class Flat:
    """Text to video: all frames fall together, τ = (σ, …, σ). Any network can do it."""

    def windows(self, frames: int) -> list[Window]:
        return whole_film(frames)

    def sigmas(self, sigmas: Tensor, window: Window) -> Tensor:
        from ..frame_schedules import flat_schedule

        return flat_schedule(sigmas, window.frames)


class _GivenEnds:
    """Frames at the ends of a window are given, and nearly or quite clean from the start."""

    given_noise: float

    def sigmas(self, sigmas: Tensor, window: Window) -> Tensor:
        from ..frame_schedules import given_ends, scaled_schedule

        return scaled_schedule(sigmas, given_ends(window, self.given_noise))


@register("image_to_video", **FACTS)
class ImageToVideo(_GivenEnds):
    """The first frames are given: τ = (0, …, 0, σ, …, σ)."""

    first: int = _given("start", 1, 1)
    given_noise: float = _given_noise()

    def windows(self, frames: int) -> list[Window]:
        return whole_film(frames, self.first)


@register("in_between", **FACTS)
class InBetween(_GivenEnds):
    """Both ends are given: τ = (0, …, 0, σ, …, σ, 0, …, 0)."""

    first: int = _given("start", 1, 1)
    last: int = _given("end", 1, 1)
    given_noise: float = _given_noise()

    def windows(self, frames: int) -> list[Window]:
        return whole_film(frames, self.first, self.last)


@register("extension", **FACTS)
class Extension(_GivenEnds):
    """A film longer than the network makes at once: windows, each after the end of the one before it."""

    window: int = param(5, "Latent frames that the network makes at once.", min=2, max=4096, step=1)
    overlap: int = param(
        2,
        "Latent frames of the film so far that each window begins with; more keep motion steadier.",
        min=1,
        max=4095,
        step=1,
    )
    first: int = _given("start", 0, 0)
    given_noise: float = _given_noise()

    def windows(self, frames: int) -> list[Window]:
        return sliding_windows(frames, self.window, self.overlap, self.first)


@register("pyramid", **FACTS)
class Pyramid:
    """Each frame starts some steps after the one before: near frames are done before far ones."""

    delay: int = param(
        1,
        "Steps that each latent frame starts after the one before it; sampling takes so many more steps per "
        "frame.",
        min=0,
        max=1000,
        step=1,
    )
    first: int = _given("start", 0, 0)
    given_noise: float = _given_noise()

    def windows(self, frames: int) -> list[Window]:
        return whole_film(frames, self.first)

    def sigmas(self, sigmas: Tensor, window: Window) -> Tensor:
        from ..frame_schedules import pyramid_schedule

        return pyramid_schedule(sigmas, window, self.delay, self.given_noise)
