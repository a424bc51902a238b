"""Quantised self-attention on any MODEL: by Triton's kernels on a GPU, simulated elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable

from torch import Tensor

from ..kernels.attention import quantized, triton_quantized
from ..kernels.attention.adaptive import LayerChoice
from ..kernels.attention.block_dispatch import BackendRefused
from ..kernels.attention.quantized import Quantization
from .attention.schedule import Schedule
from .attention.token_grid import TokenGrid
from .film_attention import FilmAttention

AUTO, TRITON, SIMULATION = "auto", "triton", "simulation"
BACKENDS = (AUTO, TRITON, SIMULATION)


class QuantizedAttention(FilmAttention):
    """Attention in few bits on a MODEL.

    Args:
        options: how many.
        least: cosine similarity to exact attention from which a layer takes INT4, else INT8; None leaves it
            to the options.
        backend: one of `BACKENDS`.
    """

    def __init__(self, options: Quantization, least: float | None, schedule: Schedule, backend: str) -> None:
        super().__init__("quantised", schedule)
        self.options, self.least, self.backend = options, least, backend
        self.forget()

    def forget(self) -> None:
        self._choice = None if self.least is None else LayerChoice(self.options, self.least)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, grid: TokenGrid, layer: int) -> Tensor:
        options, report = self.options, self.report
        if self._choice is not None:
            began = time.perf_counter()
            options = self._choice.options_of(layer, query, key, value)
            report.gating += time.perf_counter() - began
        name, compute = self._backend(query, key, value, options)
        began = time.perf_counter()
        made = compute(query, key, value, options)
        report.attending += time.perf_counter() - began
        report.changed[f"{name}, queries and keys {options.query_key}"] += 1
        self.tell_error(layer, made, query, key, value)
        return made

    def _backend(
        self, query: Tensor, key: Tensor, value: Tensor, options: Quantization
    ) -> tuple[str, Callable[..., Tensor]]:
        if self.backend != SIMULATION:
            reason = triton_quantized.refusal(query, key, value, options)
            if reason is None:
                return TRITON, triton_quantized.attend
            if self.backend == TRITON:
                raise BackendRefused(f"the backend 'triton' cannot be used here: {reason}")
            self.report.refused[TRITON] = f"{reason}; the simulation is exact and saves no time"
        return SIMULATION, quantized.attend
