"""ZeroSmooth: a video model as its own cascade, key frames first and the frames between along with them.

In each step the network sees the key frames alone, as it was trained, and then the whole film. After every
block the film's hidden states are corrected at the key frames, h ← (I − A⁺A)·h + A⁺·h_key with A picking key
frames, so that the frames between are made to fit to what the key frames will be. Frames between may look at
each other through the keys and values of the key frame before or after, drawn at random. Source: Yang et al.
2024, "ZeroSmooth: Training-free Diffuser Adaptation for High Frame Rate Video Generation", which has separate
attention in space and in time; here both are one, as in diffusion transformers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...methods import param, register
from ..inside import RATE_NODE

if TYPE_CHECKING:
    from ...attention.schedule import Schedule


@register(
    "zerosmooth",
    node=RATE_NODE,
    system="zerosmooth",
    paper="ZeroSmooth: Training-free Diffuser Adaptation for High Frame Rate Video Generation (Yang et al.)",
    year=2024,
    test="tests/interpolation/test_high_frame_rate.py",
)
class ZeroSmooth:
    """Hidden states of key frames, corrected after each block."""

    factor: int = param(
        4, "Latent frames from one key frame to the next; 1 changes nothing.", min=1, max=16, step=1
    )
    strength: float = param(
        1.0,
        "How far key frames are held to what the model makes of them alone: 1 = exactly, 0 = the model as it "
        "is.",
        min=0.0,
        max=1.0,
        step=0.01,
    )
    start_percent: float = param(
        0.0, "Share of the steps at the start without correction.", min=0.0, max=1.0, step=0.01
    )
    end_percent: float = param(
        1.0,
        "Share of the steps after which nothing is corrected: below 1, key frames may still settle in with "
        "their neighbours.",
        min=0.0,
        max=1.0,
        step=0.01,
    )
    layers: str = param("", 'Numbers of the blocks that are corrected, from 0, as in "0-19, 25"; empty: all.')
    borrow: float = param(
        1.0,
        "Share of the frames between that show a key frame's keys and values instead of their own; less lets "
        "them stray further from the key frames.",
        min=0.0,
        max=1.0,
        step=0.05,
    )

    def schedule(self) -> Schedule:
        from ...attention.schedule import Schedule, layer_numbers

        return Schedule(self.start_percent, self.end_percent, 0, layer_numbers(self.layers))
