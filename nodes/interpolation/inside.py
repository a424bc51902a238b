"""Frames made inside a video model or its latents: the nodes' ids and what their methods answer.

Shapes: B films, Z channels, K frames that are there, T = (K − 1)·factor + 1 in all, h × w cells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from ..attention.schedule import Schedule

RATE_NODE, FILL_NODE = "KinoHighFrameRate", "KinoLatentInterpolation"

Tick = Callable[[int], None]
"""Told of how many units of work are done; raises when the user cancelled."""


class RateMethod(Protocol):
    """What a file in `methods/` registers under `KinoHighFrameRate`.

    Attributes:
        factor: latent frames from one key frame to the next.
        strength: how far key frames are moved to what the network makes of them alone.
        borrow: share of the frames between that show their neighbours a key frame's keys and values.
    """

    factor: int
    strength: float
    borrow: float

    def schedule(self) -> Schedule:
        """In which steps and layers it acts."""


class Filled(NamedTuple):
    """A film with its new frames.

    samples: [B,Z,T,h,w]. mask: [B,1,T,1,1], 0 where a frame stays under a sampler and 1 where it is made;
    None where all are.
    """

    samples: Tensor
    mask: Tensor | None


class FillMethod(Protocol):
    """What a file in `methods/` registers under `KinoLatentInterpolation`.

    Attributes:
        factor: how many times as many frames.
    """

    factor: int

    def filled(self, samples: Tensor, tick: Tick) -> Filled:
        """A film [B,Z,K,h,w] with frames between its own; `tick` is told of each pair."""
