"""A small network of ComfyUI's INTERP_MODEL protocol, and films to interpolate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np
import pytest
import torch
from kinograph.nodes.runtime import managed
from kinograph.nodes.video.recipe import AudioSpec, Frame, Recipe, VideoSpec
from kinograph.nodes.video.sound import exactly, sample_at


class Mixer(torch.nn.Module):
    """Mixes the two pictures by time, and tells what it was asked."""

    def __init__(self, pad_align: int = 64, bytes_per_pixel: int = 100) -> None:
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(1))
        self.pad_align, self.bytes_per_pixel = pad_align, bytes_per_pixel
        self.calls: list[tuple[int, int, int]] = []
        self.featured = 0
        self.times: list[float] = []

    def extract_features(self, image: torch.Tensor) -> torch.Tensor:
        self.featured += 1
        return image * self.gain

    def memory_used_forward(self, shape: tuple[int, ...], dtype: torch.dtype) -> int:
        return self.bytes_per_pixel * shape[1] * shape[2]

    def forward(self, image0, image1, timestep, cache):
        assert image0.shape[2] % self.pad_align == image0.shape[3] % self.pad_align == 0
        assert timestep.shape == (len(image0), 1, *image0.shape[2:])
        assert image0.dtype == image1.dtype == timestep.dtype == self.gain.dtype
        self.calls.append((len(image0), *image0.shape[2:]))
        self.times += timestep[:, 0, 0, 0].tolist()
        return torch.lerp(cache["img0"], cache["img1"], timestep)


@dataclass(frozen=True)
class Pictured(Recipe):
    """A film of given pictures, [H, W, 3 or 4] uint8 each, at a steady rate or at given times."""

    pictures: tuple[np.ndarray, ...] = field(compare=False)
    fps: Fraction = Fraction(10)
    times: tuple[Fraction, ...] = ()
    sound: AudioSpec | None = None

    @property
    def spec(self) -> VideoSpec:
        height, width, channels = self.pictures[0].shape
        count = len(self.pictures)
        return VideoSpec(
            width,
            height,
            self.fps,
            count,
            count / self.fps,
            "rgba" if channels == 4 else "rgb24",
            variable_rate=bool(self.times),
            audio=self.sound,
        )

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        times = self.times or [index / self.fps for index in range(len(self.pictures))]
        first = max((index for index, time in enumerate(times) if time <= start), default=0)
        for index in range(first, len(times) if start < self.spec.duration else 0):
            yield Frame(
                av.VideoFrame.from_ndarray(self.pictures[index], self.spec.pixel_format), times[index]
            )

    def audio(self, start: Fraction = Fraction(0)) -> Iterator[np.ndarray]:
        if self.sound is None:
            return
        total, begin = (sample_at(t, self.sound.sample_rate) for t in (self.spec.duration, start))
        tone = np.sin(np.arange(total, dtype=np.float32) * 2 * np.pi * 440 / self.sound.sample_rate) / 2
        yield from exactly(
            [tone[None, begin:].repeat(self.sound.channels, 0)], self.sound.channels, total - begin
        )

    def fingerprint(self) -> str:
        return repr((self.fps, self.times, [hash(picture.tobytes()) for picture in self.pictures]))


def ball(position: float, scene: int = 0, width: int = 96, height: int = 64) -> np.ndarray:
    """A soft ball on a background of waves; scenes differ in their colours."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = 0.5 + 0.25 * np.sin(x / 5 + scene) * np.cos(y / 7 + 2 * scene)
    tint = np.array([[0.9, 0.3, 0.2], [0.1, 0.4, 0.9], [0.3, 0.9, 0.3]][scene % 3], np.float32)
    disc = np.clip(10 - np.hypot(x - position, y - height / 2), 0, 1)[..., None]
    picture = waves[..., None] * tint * (1 - disc) + disc * (1 - tint)
    return (picture * 255).round().astype(np.uint8)


@pytest.fixture(scope="session")
def mixer() -> type[Mixer]:
    return Mixer


@pytest.fixture(scope="session")
def pictured() -> type[Pictured]:
    return Pictured


@pytest.fixture(scope="session")
def ball_picture():
    return ball


@pytest.fixture
def interp_model():
    """The value of an INTERP_MODEL socket."""
    return managed(Mixer())
