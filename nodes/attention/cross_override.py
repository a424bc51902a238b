"""What a dense pass made of the text, for a windowed pass to take (FreeSwim, Wu et al. 2025)."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from torch import Tensor


class CrossOutputs:
    """Outputs of a network's attention to the text, layer by layer, one list for each stream of a run.

    Args:
        steps: forwards of a stream that a list serves.
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self._kept: dict[Hashable, list[Tensor]] = {}
        self._served: dict[Hashable, int] = {}

    def due(self, stream: Hashable) -> bool:
        """Must the dense pass be run before the next replay?"""
        return stream not in self._kept or self._served[stream] >= self.steps

    def useless(self, stream: Hashable) -> bool:
        """Has the network no attention to the text of its own?"""
        return self._kept.get(stream) == []

    def recording(self, stream: Hashable, previous: Any) -> Callable[..., Tensor]:
        """An attention override for the dense pass.

        Args:
            previous: the override that was there before, or None.
        """
        outputs: list[Tensor] = []
        self._kept[stream], self._served[stream] = outputs, 0

        def override(func: Any, q: Tensor, k: Tensor, *given: Any, **named: Any) -> Tensor:
            made = previous(func, q, k, *given, **named) if previous else func(q, k, *given, **named)
            if q.shape != k.shape:
                outputs.append(made)
            return made

        return override

    def replay(self, stream: Hashable) -> Callable[[], Tensor | None]:
        """Gives the outputs one by one, in the order they were recorded."""
        self._served[stream] += 1
        outputs = iter(self._kept[stream])
        return lambda: next(outputs, None)

    def clear(self) -> None:
        self._kept.clear()
        self._served.clear()
