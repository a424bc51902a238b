"""A flash and the click that comes with it stay together through steps, encoders and containers."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
import torch
from kinograph.nodes.video.concatenate import Concatenate
from kinograph.nodes.video.constant_rate import ConstantRate
from kinograph.nodes.video.encode import encode
from kinograph.nodes.video.loop import Loop
from kinograph.nodes.video.recipe import Recipe
from kinograph.nodes.video.reverse import Reverse
from kinograph.nodes.video.settings import EncodeSettings
from kinograph.nodes.video.source import FileSource
from kinograph.nodes.video.speed import Speed
from kinograph.nodes.video.tensor_source import TensorSource
from kinograph.nodes.video.trim import Trim

RATE = 8000
HALF = Fraction(1, 2)


def _clapper(seconds: int = 4) -> TensorSource:
    """25 fps; a frame is white, and a tone of its length sounds, 0.48 s into each second."""
    flashes = (torch.arange(25 * seconds) % 25 == 12).float()
    tone = torch.sin(torch.arange(RATE * seconds) * 0.5)
    heard = flashes.repeat_interleave(RATE // 25) * tone
    return TensorSource(flashes[:, None, None, None].expand(-1, 32, 32, 3), Fraction(25), heard[None], RATE)


STEPS: dict[str, Recipe] = {
    "as it is": _clapper(),
    "trim": Trim(_clapper(), Fraction(7, 25), Fraction(83, 25)),
    "speed": Speed(_clapper(), Fraction(5, 4)),
    "reverse": Reverse(_clapper()),
    "loop": Loop(Trim(_clapper(), Fraction(0), Fraction(37, 25)), 3),
    "60 fps": ConstantRate(_clapper(), Fraction(60)),
    "23.976 fps": ConstantRate(_clapper(), Fraction(24000, 1001), "blend"),
    "cross-fade": Concatenate((_clapper(), _clapper()), Fraction(1, 5)),
    "all": ConstantRate(
        Concatenate((Reverse(_clapper()), Speed(_clapper(), HALF)), Fraction(2, 25)), Fraction(30)
    ),
}


def _middles(level: np.ndarray, rate: float) -> list[float]:
    """Times of the middles of the stretches in which a level is above a third of its peak."""
    loud = np.flatnonzero(level > level.max() / 3)
    groups = np.split(loud, np.flatnonzero(np.diff(loud) > rate / 8) + 1)
    return [float(group.mean() + 0.5) / rate for group in groups]


@pytest.mark.parametrize("settings", [EncodeSettings("mp4"), EncodeSettings("webm", preset="ultrafast")])
@pytest.mark.parametrize("step", STEPS)
def test_flash_and_click_stay_together(tmp_path, whole_sound, step, settings):
    recipe = STEPS[step]
    path = encode(recipe, tmp_path / f"made.{settings.container}", settings).path
    made = FileSource.of(path)
    light = [float(frame.image.to_ndarray(format="gray").mean()) for frame in made.frames()]
    seen = _middles(np.array(light), float(made.spec.fps))
    heard = _middles(np.abs(whole_sound(made)[0]), made.spec.audio.sample_rate)
    assert len(seen) == len(heard) >= 3
    assert np.abs(np.subtract(seen, heard)).max() < 1.1 / min(25, float(recipe.spec.fps)) + 0.005


def test_other_players_see_the_same_times(tmp_path):
    path = encode(_clapper(), tmp_path / "made.mp4").path
    with av.open(str(path)) as container:
        starts = {stream.type: stream.start_time * stream.time_base for stream in container.streams}
        flashes = [
            float(frame.time) for frame in container.decode(video=0) if frame.to_ndarray()[:32].mean() > 99
        ]
    assert flashes == pytest.approx([0.48, 1.48, 2.48, 3.48], abs=0.001)
    assert abs(starts["audio"] - starts["video"]) < 0.03
