"""A film in windows: what the network makes at once, and which frames of it are there already.

All counts are latent frames. With a causal autoencoder the film's first latent frame holds one picture and
each other one four (Wan) or eight (LTX).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from torch import Tensor

NODE = "KinoSampler"
"""The node that offers the frame schedules as its `method`."""


class Window(NamedTuple):
    """Frames `start` to `stop` of a film, of which the first `first` and the last `last` are given."""

    start: int
    stop: int
    first: int = 0
    last: int = 0

    @property
    def frames(self) -> int:
        return self.stop - self.start


class FrameSchedule(Protocol):
    """What a file in `methods/` registers under `KinoSampler`."""

    def windows(self, frames: int) -> list[Window]:
        """What to make, in order, of a film of `frames` latent frames. Raises ValueError where it cannot."""

    def sigmas(self, sigmas: Tensor, window: Window) -> Tensor:
        """Each frame's noise levels: from a flat schedule [steps + 1] to [rows + 1, window.frames]."""


def whole_film(frames: int, first: int = 0, last: int = 0) -> list[Window]:
    """One window over everything.

    Raises:
        ValueError: the given frames leave none to make.
    """
    if first + last >= frames:
        raise ValueError(
            f"{first + last} of the film's {frames} latent frames are given, which leaves none to make; "
            "give fewer or ask for a longer film"
        )
    return [Window(0, frames, first, last)]


def sliding_windows(frames: int, window: int, overlap: int, first: int = 0) -> list[Window]:
    """Cover a film with windows of equal length, each beginning with frames that the ones before made.

    The last window moves back until it ends with the film: it is as long as the others and begins with more
    frames that exist.

    Args:
        frames: of the whole film; where it is no longer than `window`, there is one window.
        window: frames that the network makes at once, those that exist included.
        overlap: frames that exist at the start of every window but the first.
        first: frames given at the film's start; where they fill a window, the first begins with their end.

    Raises:
        ValueError: an overlap that leaves nothing to make, or no frame of the film to be made.
    """
    if not 1 <= overlap < window:
        raise ValueError(
            f"windows of {window} latent frames can overlap by 1 to {window - 1}, not by {overlap}"
        )
    whole_film(frames, first)  # refuses a film with nothing to make
    windows = [] if first >= window else [Window(0, min(window, frames), first)]
    end = windows[-1].stop if windows else first
    while end < frames:
        stop = min(end - overlap + window, frames)
        windows.append(Window(stop - window, stop, first=end - (stop - window)))
        end = stop
    return windows
