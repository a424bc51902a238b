"""VIDEO sockets and recipes: ours hold a recipe, and any other pack's becomes one."""

from __future__ import annotations

import dataclasses
import os
from fractions import Fraction
from typing import IO, TYPE_CHECKING, Any

from comfy_api.latest import Input, InputImpl, Types

from .video.pixels import Converter, bit_depth, has_alpha, images_of_frames, rgb_format
from .video.recipe import Recipe
from .video.source import BytesSource, FileSource
from .video.tensor_source import TensorSource
from .video.trim import Trim

if TYPE_CHECKING:
    import torch


class LazyVideo(Input.Video):
    """A VIDEO that is a recipe: frames are decoded when something looks at them."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def get_components(self) -> Any:
        """The whole video as tensors: IMAGE [B, H, W, 3], AUDIO, frame rate, and alpha where there is any."""
        images, alpha = images_of(self.recipe)
        spec = self.recipe.spec
        parts = {"images": images, "audio": audio_of(self.recipe), "frame_rate": spec.fps}
        if alpha is not None and "alpha" in {
            field.name for field in dataclasses.fields(Types.VideoComponents)
        }:
            parts["alpha"] = alpha
        return Types.VideoComponents(**parts)

    def save_to(
        self, path: str | IO[bytes], format: Any = "auto", codec: Any = "auto", metadata: Any = None, **_: Any
    ):
        """Encode it to a file."""
        raise NotImplementedError("encoding arrives with nodes/video/encode.py")

    def as_trimmed(
        self, start_time: float | None = None, duration: float | None = None, strict_duration: bool = False
    ) -> LazyVideo | None:
        """A part of it, still lazy; None where `strict_duration` asks for more than there is.

        Args:
            start_time: seconds; negative counts from the end.
            duration: seconds; 0 or None is the rest.
        """
        whole = self.recipe.spec.duration
        start = seconds_of(start_time or 0)
        start = max(start + whole, Fraction(0)) if start < 0 else start
        end = start + seconds_of(duration) if duration else None
        if start >= whole or (strict_duration and end is not None and end > whole):
            return None
        return LazyVideo(Trim(self.recipe, start, end))

    def get_active_trim_window(self) -> tuple[float, float]:
        """No window: what `get_stream_source` gives is already the part that counts."""
        return 0.0, 0.0

    def get_dimensions(self) -> tuple[int, int]:
        spec = self.recipe.spec
        return spec.width, spec.height

    def get_duration(self) -> float:
        return float(self.recipe.spec.duration)

    def get_frame_count(self) -> int:
        return self.recipe.spec.frame_count

    def get_frame_rate(self) -> Fraction:
        return self.recipe.spec.fps

    def get_bit_depth(self) -> int:
        return bit_depth(self.recipe.spec.pixel_format)


def as_recipe(video: Any) -> Recipe:
    """The recipe of any VIDEO: ours as it is, a file or buffer with its trim window, else its tensors."""
    if isinstance(video, LazyVideo):
        return video.recipe
    if isinstance(video, InputImpl.VideoFromComponents) or not _has_own_stream(video):
        parts = video.get_components()
        depth = video.get_bit_depth() if hasattr(video, "get_bit_depth") else 8
        return TensorSource.of(parts.images, Fraction(parts.frame_rate), parts.audio, depth)
    stream = video.get_stream_source()
    source = (
        FileSource.of(stream) if isinstance(stream, (str, os.PathLike)) else BytesSource(stream.getvalue())
    )
    start, duration = _trim_window(video)
    if not start and not duration:
        return source
    return Trim(source, start, start + duration if duration else None)


def _has_own_stream(video: Any) -> bool:
    """The default `get_stream_source` would encode the whole film into memory."""
    return type(video).get_stream_source is not Input.Video.get_stream_source


def _trim_window(video: Any) -> tuple[Fraction, Fraction]:
    """(start, duration) in seconds, 0 for the rest. Core's own attribute where it has no method yet."""
    if hasattr(video, "get_active_trim_window"):
        start, duration = video.get_active_trim_window()
    else:
        start = getattr(video, "_VideoFromFile__start_time", 0)
        duration = getattr(video, "_VideoFromFile__duration", 0)
    return seconds_of(start), seconds_of(duration)


def seconds_of(value: float) -> Fraction:
    """A widget's seconds as the decimal fraction the user meant."""
    return Fraction(value).limit_denominator(1_000_000)


def images_of(recipe: Recipe) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Every frame as IMAGE [B, H, W, 3] float 0..1, and alpha [B, H, W, 1] where there is any."""
    import torch

    pixel_format = rgb_format(recipe.spec.pixel_format)
    to_rgb = Converter(pixel_format=pixel_format)
    images = torch.cat([images_of_frames([to_rgb(frame.image)]) for frame in recipe.frames()])
    return images[..., :3], images[..., 3:] if has_alpha(pixel_format) else None


def audio_of(recipe: Recipe) -> dict[str, Any] | None:
    """The sound as AUDIO {"waveform": [1, C, S], "sample_rate"}, None without any."""
    import numpy as np
    import torch

    sound = recipe.spec.audio
    if sound is None:
        return None
    whole = np.concatenate([np.zeros((sound.channels, 0), np.float32), *recipe.audio()], axis=1)
    return {"waveform": torch.from_numpy(whole)[None], "sample_rate": sound.sample_rate}
