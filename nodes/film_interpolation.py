"""Frames in between by any INTERP_MODEL, ours or core's, which the host loads and finds room for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from . import runtime
from .hosted_network import SHARE_OF_FREE_MEMORY, weights_digest

if TYPE_CHECKING:
    import torch

    from .interpolation.cutting import Cutting
    from .interpolation.links import Rules
    from .interpolation.pace import Pace
    from .interpolation.pair_runner import PairRunner
    from .video.recipe import Recipe, VideoSpec

MEGABYTE = 1_000_000
MOST_AT_ONCE = 16
"""Frames on a GPU, where small pictures leave it idle."""
PIXELS_AT_ONCE = 2**18
"""On a CPU, which is busy with one picture of this size."""
LARGE = 1440
"""Rows from which motion is looked for at half the size, unless the user says otherwise."""


@dataclass(frozen=True)
class Interpolator:
    """An INTERP_MODEL and how a user wants it to run.

    budget_mb: megabytes for the work, the weights aside; 0 is a share of what is free.
    scale: size of the picture in which motion is looked for, against the frame's; 0 follows the frame.
    """

    model: Any
    budget_mb: int = 0
    scale: float = 0.0

    @property
    def network(self) -> Any:
        return self.model.model

    @cached_property
    def dtype(self) -> torch.dtype:
        """In which the network takes its pictures."""
        return self.network.get_dtype() if hasattr(self.network, "get_dtype") else self.model.model_dtype()

    @property
    def _inner_dtype(self) -> torch.dtype:
        """In which the network's layers compute, where that is another."""
        return getattr(self.network, "convolution_dtype", self.dtype)

    def scale_for(self, height: int) -> float:
        """The scale for frames of that many rows; 1 where the network knows none."""
        if not self._takes_scale:
            return 1.0
        return self.scale or (0.5 if height >= LARGE else 1.0)

    @cached_property
    def _takes_scale(self) -> bool:
        return "scale" in inspect.signature(self.network.forward).parameters

    def cutting(self, height: int, width: int) -> Cutting:
        """What goes through the network at a time."""
        from .interpolation.cutting import cut_to_fit

        device = self.model.load_device
        room = self.budget_mb * MEGABYTE or int(runtime.free_memory(device) * SHARE_OF_FREE_MEMORY)
        most = MOST_AT_ONCE
        if device.type == "cpu":
            most = max(1, min(most, PIXELS_AT_ONCE // (height * width)))
        scale = self.scale_for(height)
        return cut_to_fit(self.network, height, width, self.dtype, room, most=most, scale=scale)

    def runner(self, cutting: Cutting, height: int, width: int, report: Callable[[str], None]) -> PairRunner:
        """For one pull."""
        from .interpolation.pair_runner import PairRunner

        scale = self.scale_for(height)
        return PairRunner(
            self.network,
            height,
            width,
            cutting,
            self.model.load_device,
            self.dtype,
            options={"scale": scale} if scale != 1 else {},
            working=partial(self._working, cutting.needed(self.network, self.dtype)),
            report=report,
        )

    @contextmanager
    def _working(self, needed: int) -> Iterator[None]:
        """The network where it computes; a cancel is noticed at each of its layers."""
        runtime.throw_if_cancelled()
        runtime.load(self.model, memory_required=needed)
        with ExitStack() as hooks:
            for layer in self.network.modules():
                if not any(layer.children()):
                    hook = layer.register_forward_pre_hook(lambda layer, given: runtime.throw_if_cancelled())
                    hooks.callback(hook.remove)
            yield

    def told(self, cutting: Cutting, height: int) -> tuple[str, ...]:
        """Notes for the user."""
        name, device = type(self.network).__name__, self.model.load_device
        kind = str(self._inner_dtype).removeprefix("torch.")
        notes = [f"{name} in {kind} on {device}, {cutting.describe()}"]
        scale = self.scale_for(height)
        if scale != 1:
            notes.append(f"motion is looked for at {scale:g} of the frame's size")
        if self.scale not in (0, 1) and not self._takes_scale:
            notes.append(f"{name} looks for motion at the frame's own size only: scale has no effect")
        return tuple(notes)

    def key(self, cutting: Cutting, height: int) -> str:
        """What decides about the frames, for fingerprints."""
        name, digest = type(self.network).__name__, weights_digest(self.network)
        return f"{name}, {digest}, {self.dtype}, {self._inner_dtype}, {self.scale_for(height)}, {cutting}"


def interpolated_video(
    recipe: Recipe, fps: Fraction, rules: Rules, how: Interpolator, pace: Pace | None = None
) -> Recipe:
    """A video at another rate, still lazy; each frame is made once, when it is first pulled.

    Args:
        pace: how fast it is played; None is as fast as it is.
    """
    from .interpolation.interpolated_video import InterpolatedVideo
    from .video.spool import Spool

    spec = recipe.spec
    cutting = how.cutting(spec.height, spec.width)
    told = [*how.told(cutting, spec.height), *_told_of(spec)]
    made = InterpolatedVideo(
        recipe,
        fps,
        rules=rules,
        new_runner=lambda report: how.runner(cutting, spec.height, spec.width, report),
        key=how.key(cutting, spec.height),
        told=tuple(told),
        pace=pace,
    )
    return Spool(made)


def _told_of(spec: VideoSpec) -> Iterator[str]:
    from .video.pixels import has_alpha

    if has_alpha(spec.pixel_format):
        yield "transparency goes through the network as a picture of its own"
    if spec.variable_rate:
        yield "the variable frame rate becomes constant"
    if spec.frame_count == 1:
        yield "the video has one frame, which is shown throughout"


def interpolated_batch(
    images: Any, count: int, rules: Rules, how: Interpolator, tick: Callable[[int], None]
) -> tuple[Any, list[str]]:
    """`count` images and a report.

    Args:
        images: [B, H, W, 3 or 4].
        tick: called with 1 after each image.
    """
    from .interpolation.image_batch import interpolated_images
    from .interpolation.record import InterpolationRecord

    height, width = images.shape[1:3]
    cutting, record = how.cutting(height, width), InterpolationRecord()
    runner = how.runner(cutting, height, width, record.adapt)
    made = interpolated_images(images, count, rules, runner, record, tick)
    return made.to(runtime.result_device()), [*how.told(cutting, height), *record.lines()]
