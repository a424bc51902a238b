"""How a motion is spread over its frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

CURVES = ("linear", "ease", "ease_in", "ease_out")


def progress(curve: str, count: int) -> np.ndarray:
    """The way done in each of `count` frames, from 0 in the first to 1 in the last: float64 [count].

    Args:
        curve: one of `CURVES`; "ease" starts and stops softly, "ease_in" starts and "ease_out" stops so.
    """
    import numpy as np

    t = np.linspace(0.0, 1.0, count)
    return {
        "linear": t,
        "ease": t * t * (3 - 2 * t),
        "ease_in": t * t,
        "ease_out": t * (2 - t),
    }[curve]
