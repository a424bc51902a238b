"""Two networks for one film, as Wan 2.2 has them: one for high noise, one for low."""

from __future__ import annotations

from typing import Any

from comfy.patcher_extension import CallbacksMP, WrapperExecutor, WrappersMP
from torch import Tensor

from .runtime import load

KEY = "kinograph_noise_experts"


def with_low_noise_expert(high: Any, low: Any, boundary: float) -> Any:
    """A MODEL that is `high` down to a noise level, and `low` from there on.

    Patches on attention and blocks reach both; a LoRA changes the weights of the one it was loaded into, so
    load it before.

    Args:
        boundary: sigma, 0..1; the high-noise network still runs at it.

    Raises:
        ValueError: the two are not of one kind.
    """
    kinds = [type(model.model.diffusion_model).__name__ for model in (high, low)]
    channels = [model.model.latent_format.latent_channels for model in (high, low)]
    if kinds[0] != kinds[1] or channels[0] != channels[1]:
        raise ValueError(
            f"the experts are a {kinds[0]} for latents of {channels[0]} channels and a {kinds[1]} for "
            f"{channels[1]}; choose two files of one model, loaded alike"
        )
    switch = _Switch(low, boundary)
    model = high.clone()
    model.add_wrapper_with_key(WrappersMP.APPLY_MODEL, KEY, switch.apply_model)
    model.add_callback_with_key(CallbacksMP.ON_CLEANUP, KEY, switch.end_run)
    return model


class _Switch:
    """Brings the low-noise network in when its noise levels are reached."""

    def __init__(self, low: Any, boundary: float) -> None:
        self.low, self.boundary, self.running = low, boundary, False

    def apply_model(self, executor: Any, x: Tensor, t: Tensor, *given: Any, **named: Any) -> Tensor:
        """Wrapper around the model's `apply_model`: x at noise levels t."""
        if float(t.max()) >= self.boundary:
            return executor(x, t, *given, **named)
        network = self.low.model
        if not self.running:
            load(self.low, memory_required=network.memory_required(list(x.shape)))
            self.low.pre_run()
            self.running = True
        inner = WrapperExecutor.new_class_executor(
            network._apply_model, network, executor.wrappers, executor.idx + 1
        )
        return inner.execute(x, t, *given, **named)

    def end_run(self, patcher: Any) -> None:
        if self.running:
            self.low.cleanup()
            self.running = False
