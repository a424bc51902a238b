"""The camera: which similarity carries the world to the screen, and how far parallax moves things."""

from __future__ import annotations

import math
from typing import NamedTuple

from .geometry import Similarity
from .spec import CameraSpec


class View(NamedTuple):
    """The camera at one instant.

    to_screen: world lengths → pixels (the centre of the top left pixel is at 0.5, 0.5).
    truck: sideways displacement; a thing at depth Z appears shifted by −truck / Z.

    Pans, tilts, zooms and rolls turn or magnify, which moves near and far alike; only a truck has parallax.
    """

    to_screen: Similarity
    truck: float


def view_at(camera: CameraSpec, time: float, seconds: float, width: float, height: float) -> View:
    """The view `time` seconds into a scene that lasts `seconds`, on a screen of width × height pixels."""
    done = camera.amount * time / seconds
    x = y = zoom = angle = truck = 0.0
    if camera.move in ("pan_left", "pan_right"):
        x = done if camera.move == "pan_right" else -done
    elif camera.move in ("tilt_up", "tilt_down"):
        y = done if camera.move == "tilt_down" else -done
    elif camera.move in ("truck_left", "truck_right"):
        truck = done if camera.move == "truck_right" else -done
    elif camera.move == "zoom_in":
        zoom = math.log1p(done)
    elif camera.move == "zoom_out":
        zoom = math.log1p(camera.amount) - math.log1p(done)
    elif camera.move == "roll":
        angle = done - camera.amount / 2
    elif camera.move == "shake":
        x, y, angle = _shake(camera, time)
    scale = math.exp(zoom) * min(width, height)
    place = Similarity.make(scale, angle, width / 2, height / 2)
    return View(place.after(Similarity(1.0, 0.0, -x, -y)), truck)


def _shake(camera: CameraSpec, time: float) -> tuple[float, float, float]:
    """A hand's tremor: incommensurate sines, (x, y, angle)."""
    start = 2 * math.pi * camera.phase

    def wave(hertz: float, offset: float) -> float:
        return math.sin(2 * math.pi * hertz * time + start + offset)

    x = 0.6 * wave(2.1, 0.0) + 0.4 * wave(5.3, 1.0)
    y = 0.6 * wave(2.7, 2.0) + 0.4 * wave(4.7, 3.0)
    return camera.amount * x, camera.amount * y, camera.amount * 0.5 * wave(1.9, 4.0)
