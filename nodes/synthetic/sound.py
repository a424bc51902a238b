"""The sound of a clip: speech, clicks and thuds exactly at their events, and the hum of moving things."""

from __future__ import annotations

import math

import numpy as np

from .face import timeline_of
from .kinematics import object_events
from .spec import ClipSpec, ObjectSpec, SceneSpec
from .speech import speech_samples
from .vocabulary import SHAPES

CLICK_SECONDS = 0.06
_CLICKS = {
    "bounce": (900.0, 0.6),
    "stop": (260.0, 0.45),
    "start": (520.0, 0.3),
    "turn": (1400.0, 0.2),
    "round": (700.0, 0.25),
}
"""Hertz and loudness of each event's click."""

HUM_LOUDNESS = 0.06


def clip_audio(clip: ClipSpec, start: int = 0, stop: int | None = None) -> np.ndarray:
    """Samples start..stop of the clip's sound: float32 [1, samples] within −1..1.

    A stretch is the same whether it is made alone or as part of the whole.
    """
    stop = clip.sample_count if stop is None else min(stop, clip.sample_count)
    sound = np.zeros(max(stop - start, 0))
    for scene in clip.scenes:
        first, last = (round(time * clip.sample_rate) for time in (scene.start, scene.start + scene.seconds))
        low, high = max(first, start), min(last, stop)
        if low < high:
            sound[low - start : high - start] = _scene_samples(
                scene, low - first, high - first, clip.sample_rate
            )
    return np.clip(sound, -1, 1).astype(np.float32)[None]


def _scene_samples(scene: SceneSpec, start: int, stop: int, rate: int) -> np.ndarray:
    sound = np.zeros(stop - start)
    for obj in scene.objects:
        sound += _hum(obj, start, stop, rate)
        for time, kind in object_events(obj, scene.seconds):
            _add_click(sound, start, round(time * rate), *_CLICKS[kind], rate)
    if scene.face:
        sound += speech_samples(scene.face.speech, timeline_of(scene.face.speech), start, stop, rate)
    return sound


def _add_click(sound: np.ndarray, start: int, at: int, hertz: float, loud: float, rate: int) -> None:
    """A struck tone that begins at sample `at`, loudest in its first samples."""
    low, high = max(at, start), min(at + round(CLICK_SECONDS * rate), start + len(sound))
    if low < high:
        age = np.arange(low - at, high - at) / rate
        sound[low - start : high - start] += loud * np.exp(-age * 70) * np.cos(2 * math.pi * hertz * age)


def hum_hertz(obj: ObjectSpec) -> float:
    """Each shape hums its own note of a whole-tone scale."""
    return 110.0 * 2 ** (SHAPES.index(obj.shape) / 6)


def _hum(obj: ObjectSpec, start: int, stop: int, rate: int) -> np.ndarray | float:
    if obj.motion.kind in ("still", "bounce"):
        return 0.0
    times = np.arange(start, stop) / rate
    turn = 2 * math.pi * hum_hertz(obj) * times
    return HUM_LOUDNESS * _pace(obj, times) * (np.sin(turn) + 0.3 * np.sin(2 * turn))


def _pace(obj: ObjectSpec, times: np.ndarray) -> np.ndarray | float:
    """How fast the object goes, relative to its fastest, at each time."""
    motion = obj.motion
    if motion.kind == "swing":
        return np.abs(np.cos(2 * math.pi * (times / motion.period + motion.phase)))
    if motion.kind.startswith("stop_go"):
        part = np.minimum(2 * ((times / motion.period + motion.phase) % 1.0), 1.0)
        return 4 * part * (1 - part)
    if motion.kind in ("closer", "away"):
        return (times < motion.period).astype(np.float64)
    return 1.0
