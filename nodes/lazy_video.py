"""VIDEO sockets and recipes: ours hold a recipe, and any other pack's becomes one."""

from __future__ import annotations

import dataclasses
import io
import json
import logging
import os
import shutil
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from comfy_api.latest import Input, InputImpl, Types

from .runtime import Progress
from .video.codecs import CONTAINERS
from .video.encode import EncodeReport, encode
from .video.pixels import Converter, bit_depth, has_alpha, images_of_frames, rgb_format
from .video.recipe import Recipe
from .video.settings import EncodeSettings
from .video.source import BytesSource, FileSource, MediaSource
from .video.tensor_source import TensorSource
from .video.trim import Trim

if TYPE_CHECKING:
    import torch


class LazyVideo(Input.Video):
    """A VIDEO that is a recipe: frames are decoded when something looks at them."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._rendered: tempfile.TemporaryDirectory[str] | None = None

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
        self,
        path: str | os.PathLike[str] | IO[bytes],
        format: Any = "auto",
        codec: Any = "auto",
        metadata: dict[str, Any] | None = None,
        bit_depth: int | None = None,
        crf: float | None = None,
        **others: Any,
    ) -> None:
        """Encode it to a file (replaced if it exists) or a buffer, with a progress bar.

        Args:
            format, codec: names or core's enums; "auto" follows the file's name, else mp4.
            metadata: tags; values that are no strings are written as JSON.
            others: whatever newer hosts pass; reported in the log, as it has no effect.
        """
        container = _container_named(path, format)
        settings = EncodeSettings(
            container=container,
            codec=None if _plain(codec) == "auto" else _plain(codec),
            bit_depth=bit_depth or 0,
            crf=crf,
        )
        tags = {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in (metadata or {}).items()
        }
        ignored = [f"{name} has no effect here" for name, value in others.items() if value is not None]
        if isinstance(path, (str, os.PathLike)):
            notes = self._encoded(path, settings, tags).notes
        else:
            with tempfile.TemporaryDirectory(prefix="kinograph-") as folder:
                report = self._encoded(Path(folder) / "video", settings, tags)
                notes = report.notes
                with open(report.path, "rb") as file:
                    shutil.copyfileobj(file, path)
        for note in (*notes, *ignored):
            logging.warning("Kinograph: %s", note)

    def _encoded(
        self, path: str | os.PathLike[str], settings: EncodeSettings, tags: dict[str, str]
    ) -> EncodeReport:
        progress = Progress(self.recipe.spec.frame_count)
        return encode(self.recipe, path, settings, tick=progress.advance, metadata=tags, replace=True)

    def get_stream_source(self) -> str | io.BytesIO:
        """A file of exactly this video: the source itself, or a rendered one that lives as long as this.

        Rendering takes no more memory than saving does.
        """
        if isinstance(self.recipe, FileSource):
            return self.recipe.path
        if isinstance(self.recipe, BytesSource):
            return io.BytesIO(self.recipe.data)
        if self._rendered is None:
            folder = tempfile.TemporaryDirectory(prefix="kinograph-")
            self._encoded(Path(folder.name) / "video.mp4", EncodeSettings(), {})
            self._rendered = folder
        return str(Path(self._rendered.name) / "video.mp4")

    def get_container_format(self) -> str:
        """FFmpeg's name of the container that `get_stream_source` gives."""
        source = self.recipe
        return source.facts.container if isinstance(source, MediaSource) else "mov,mp4,m4a,3gp,3g2,mj2"

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


def _container_named(path: Any, format: Any) -> str:
    """The key of a container, from a format or else from the file's name."""
    if _plain(format) != "auto":
        return _plain(format)
    suffix = Path(path).suffix[1:].lower() if isinstance(path, (str, os.PathLike)) else ""
    return suffix if suffix in CONTAINERS else "mp4"


def _plain(name: Any) -> str:
    """A name that may be one of core's string enums."""
    return str(getattr(name, "value", name)).lower()


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


def frame_rate(value: float) -> Fraction:
    """The rate a number stands for: 23.976, 29.97 … are n · 1000/1001, everything else is as written."""
    ntsc = Fraction(round(value * 1.001) * 1000, 1001)
    near = abs(value - ntsc) < 0.005 and not float(value).is_integer()
    return ntsc if near and ntsc else seconds_of(value)


def images_of(recipe: Recipe) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Every frame as IMAGE [B, H, W, 3] float 0..1, and alpha [B, H, W, 1] where there is any."""
    import torch

    pixel_format = rgb_format(recipe.spec.pixel_format)
    to_rgb = Converter(pixel_format=pixel_format)
    frames = [to_rgb(frame.image) for frame in recipe.frames()]
    images = torch.empty(len(frames), frames[0].height, frames[0].width, 4 if has_alpha(pixel_format) else 3)
    for index in range(len(frames)):
        images[index] = images_of_frames([frames[index]])[0]
        frames[index] = None  # the bytes go as the floats, four times as large, come
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
