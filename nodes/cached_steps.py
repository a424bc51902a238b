"""Step skipping on any MODEL: a cache around its network's forward, one for each stream of a run."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import torch
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from .generation.step_cache import CachePlan, CacheReport, StepCache

KEY = "kinograph_step_cache"
STREAMS = {(0,): "prompt", (1,): "negative", (0, 1): "prompt and negative", (1, 0): "prompt and negative"}


class CachedSteps:
    """Skips forwards of a MODEL while its input has hardly changed.

    The prompt and the negative come in one batch where memory allows, and are one stream then; each context
    window is a stream of its own. What is kept is freed with the run.

    Args:
        measure_error: compute what is skipped too, to tell its error exactly; nothing is saved then.

    Attributes:
        reports: of the last run, by stream.
    """

    def __init__(self, plan: CachePlan, measure_error: bool = False) -> None:
        self.plan, self.measure_error = plan, measure_error
        self.reports: dict[str, CacheReport] = {}
        self._streams: dict[Hashable, _Stream] = {}

    def on(self, model: Any) -> Any:
        """The MODEL with the cache."""
        self._channels = model.get_model_object("latent_format").latent_channels
        patched = model.clone()
        patched.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, KEY, self._one_run)
        patched.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, KEY, self._forward)
        return patched

    def sentences(self) -> list[str]:
        """For the user: what the last run skipped, and the error of that."""
        return [report.sentence(name) for name, report in self.reports.items()]

    def _one_run(self, executor: Any, *given: Any, **named: Any) -> Any:
        self.reports = {}
        try:
            return executor(*given, **named)
        finally:
            self._streams.clear()
            _log(self.sentences())

    def _forward(self, executor: Any, x: Tensor, timestep: Tensor, *given: Any, **named: Any) -> Tensor:
        if not torch.is_tensor(x):
            raise ValueError(
                "this model's latent holds a video and something else (sound, say) in one, and the step "
                "cache is for films alone; leave it out"
            )
        options = next(
            each for each in (*given, *named.values()) if isinstance(each, dict) and "sigmas" in each
        )
        level = options["sigmas"][:1].expand(len(x))[:, None]  # one for all frames: it only tells the step
        window = getattr(options.get("context_window"), "index_list", ())
        key = (*options["uuids"], *window, tuple(x.shape))
        if key not in self._streams:
            self._streams[key] = self._new_stream(options)
        stream = self._streams[key]
        stream.forward = lambda: executor(x, timestep, *given, **named)
        try:
            return stream.cache(x[:, : self._channels], level)  # without a given picture's latents
        finally:
            stream.forward = None

    def _new_stream(self, options: dict[str, Any]) -> _Stream:
        stream = _Stream(self.plan, options["sample_sigmas"], self.measure_error)
        name = STREAMS.get(tuple(options["cond_or_uncond"]), "stream")
        if name in self.reports:
            name = f"{name} {1 + sum(other.startswith(name) for other in self.reports)}"
        self.reports[name] = stream.cache.report
        return stream


class _Stream:
    """A cache, and the forward of the call at hand."""

    def __init__(self, plan: CachePlan, sigmas: Tensor, measure_error: bool) -> None:
        self.forward: Any = None
        self.cache = StepCache(
            lambda x, sigma: self.forward(), plan, sigmas.cpu(), measure_error=measure_error
        )


def _log(sentences: list[str]) -> None:
    import logging

    for sentence in sentences:
        logging.info("Kinograph, skipped steps: %s", sentence)
