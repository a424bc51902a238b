"""Small clips of the procedural world."""

from __future__ import annotations

from fractions import Fraction

import pytest
from kinograph.nodes.synthetic.spec import (
    BackgroundSpec,
    CameraSpec,
    ClipSpec,
    ObjectSpec,
    SceneSpec,
)

STATIC, WALL = CameraSpec(), BackgroundSpec()


@pytest.fixture
def scene_clip():
    """Makes a one-scene clip of given objects: `scene_clip(obj, seconds=2, camera=…, background=…)`."""

    def make(
        *objects: ObjectSpec,
        seconds: float = 1.0,
        size: tuple[int, int] = (96, 96),
        fps: Fraction = Fraction(24),
        camera: CameraSpec = STATIC,
        background: BackgroundSpec = WALL,
    ) -> ClipSpec:
        scene = SceneSpec(0.0, seconds, objects, camera, background)
        return ClipSpec(*size, fps, (scene,))

    return make
