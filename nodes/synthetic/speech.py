"""Speech-like sound by formant synthesis: harmonics of a voice shaped by resonances, and shaped noise.

Every sample is a function of its own index, so any stretch of the sound can be made without the rest.
"""

from __future__ import annotations

import math

import numpy as np

from .phonemes import Timeline
from .spec import SpeechSpec

CONTROL_HERTZ = 200
"""Formants and loudness are computed this often and interpolated between."""

BURST_SECONDS = 0.02
_BANDWIDTHS = np.array([80.0, 110.0, 170.0])
_VOICE_TOP = 3800.0

_NOISE_COLORS = {
    "hiss": np.array([1, -4, 6, -4, 1]) / 8,
    "hush": np.array([-1, 0, 2, 0, -1]) / 2.5,
    "breath": np.array([0, 0, 0.6, 0, 0]),
}


def white_noise(start: int, stop: int, seed: int) -> np.ndarray:
    """Noise in −1..1 for samples start..stop, float64: a hash of each sample's index."""
    bits = np.arange(start, stop, dtype=np.int64).astype(np.uint64) + np.uint64(seed * 0x9E3779B9 + (1 << 40))
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    bits ^= bits >> np.uint64(31)
    return (bits >> np.uint64(11)).astype(np.float64) / (1 << 52) - 1


def speech_samples(speech: SpeechSpec, timeline: Timeline, start: int, stop: int, rate: int) -> np.ndarray:
    """Samples start..stop of the sentence, counted from the scene's beginning, float64 about −0.5..0.5."""
    times = np.arange(start, stop) / rate
    ticks = np.arange(math.floor(start / rate * CONTROL_HERTZ), math.ceil(stop / rate * CONTROL_HERTZ) + 2)
    knots = ticks / CONTROL_HERTZ
    sound = _voiced(speech, timeline, times, knots, rate)
    hisses = [timeline.track(name, knots) for name in _NOISE_COLORS]
    if any(loud.any() for loud in hisses):
        noise = white_noise(start - 2, stop + 2, seed=1)
        for kernel, loud in zip(_NOISE_COLORS.values(), hisses, strict=True):
            sound += np.convolve(noise, kernel, "valid") * np.interp(times, knots, loud)
    _add_bursts(timeline, sound, start, rate)
    return 0.5 * sound


def _voiced(
    speech: SpeechSpec, timeline: Timeline, times: np.ndarray, knots: np.ndarray, rate: int
) -> np.ndarray:
    """Harmonics of the pitch, each as loud as the vocal tract lets it through."""
    formants, voice = timeline.track("formants", knots), timeline.track("voice", knots)[:, None]
    count = int(min(_VOICE_TOP, 0.45 * rate) / (speech.pitch * 1.15))
    harmonics = np.arange(1, count + 1)
    loudness = voice * _tract(formants, _pitch(speech, knots)[:, None] * harmonics) / harmonics
    turn = _phase(speech, times)
    first, twice_cosine = np.sin(turn), 2 * np.cos(turn)
    before, wave = np.zeros_like(first), first
    sound = np.zeros_like(first)
    spot = (times - knots[0]) * CONTROL_HERTZ
    left = spot.astype(np.int64)
    share = spot - left
    for number in range(count):
        loud = loudness[:, number]
        steps = np.append(np.diff(loud), 0.0)
        sound += wave * (loud[left] + share * steps[left])
        before, wave = wave, twice_cosine * wave - before  # sin((k+1)φ) = 2 cos φ sin kφ − sin((k−1)φ)
    return sound


def _tract(formants: np.ndarray, hertz: np.ndarray) -> np.ndarray:
    """Gain of three resonances in a row at each frequency: [knots, 3], [knots, n] → [knots, n]."""
    gain = np.ones_like(hertz)
    for index, bandwidth in enumerate(_BANDWIDTHS):
        center = formants[:, index : index + 1]
        gain *= center**2 / np.sqrt((center**2 - hertz**2) ** 2 + (bandwidth * hertz) ** 2)
    return 0.2 * gain


def _pitch(speech: SpeechSpec, times: np.ndarray) -> np.ndarray:
    return speech.pitch * (
        1 + 0.08 * np.sin(2 * np.pi * 0.55 * times) + 0.01 * np.sin(2 * np.pi * 5.2 * times)
    )


def _phase(speech: SpeechSpec, times: np.ndarray) -> np.ndarray:
    """2π times the integral of the pitch, in closed form."""
    slow, quick = 2 * np.pi * 0.55, 2 * np.pi * 5.2
    wobble = 0.08 * (1 - np.cos(slow * times)) / slow + 0.01 * (1 - np.cos(quick * times)) / quick
    return 2 * np.pi * speech.pitch * (times + wobble)


def _add_bursts(timeline: Timeline, sound: np.ndarray, start: int, rate: int) -> None:
    """The release of each stop: noise that starts with the next phoneme and dies away."""
    length = round(BURST_SECONDS * rate)
    reach = (start - length - 1) / rate, (start + len(sound) + 1) / rate
    for number in range(*np.searchsorted(timeline.edges, reach)):
        first = round(float(timeline.edges[number]) * rate)
        low, high = max(first, start), min(first + length, start + len(sound))
        loud = 0.45 * timeline.sounds["burst"][number]  # the phoneme that ends at this edge
        if loud and low < high:
            fade = np.exp(-np.arange(low - first, high - first) / (0.25 * length))
            sound[low - start : high - start] += loud * fade * white_noise(low, high, seed=2)
