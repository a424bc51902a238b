"""Speech as a timeline of phonemes: how each sounds and how the mouth stands while it sounds."""

from __future__ import annotations

import random
from typing import NamedTuple

import numpy as np

from .spec import SpeechSpec

BLEND_SECONDS = 0.07
"""Neighbouring phonemes melt into each other over at most this long: sound and mouth alike."""


class Phoneme(NamedTuple):
    """One sound.

    opening, width, rounding: the mouth, 0..1 each.
    formants: hertz.
    voice, hiss, hush, breath: loudness of the voiced part, and of high, middle and flat noise.
    burst: loudness of the release at the end of a stop.
    seconds: usual length.
    """

    opening: float
    width: float
    rounding: float
    formants: tuple[float, float, float] = (500.0, 1500.0, 2500.0)
    voice: float = 0.0
    hiss: float = 0.0
    hush: float = 0.0
    breath: float = 0.0
    burst: float = 0.0
    seconds: float = 0.08


PHONEMES: dict[str, Phoneme] = {
    "_": Phoneme(0.0, 0.45, 0.1, seconds=0.18),
    "a": Phoneme(1.0, 0.55, 0.0, (760, 1250, 2550), 1.0, seconds=0.16),
    "e": Phoneme(0.55, 0.8, 0.0, (480, 1950, 2600), 0.95, seconds=0.14),
    "i": Phoneme(0.28, 1.0, 0.0, (280, 2280, 3000), 0.85, seconds=0.14),
    "o": Phoneme(0.6, 0.2, 0.8, (480, 850, 2450), 0.95, seconds=0.15),
    "u": Phoneme(0.25, 0.05, 1.0, (310, 760, 2300), 0.85, seconds=0.14),
    "m": Phoneme(0.0, 0.45, 0.1, (260, 1000, 2200), 0.4, seconds=0.08),
    "n": Phoneme(0.15, 0.5, 0.0, (280, 1500, 2500), 0.4, seconds=0.07),
    "l": Phoneme(0.3, 0.5, 0.0, (350, 1100, 2700), 0.55, seconds=0.07),
    "r": Phoneme(0.22, 0.3, 0.4, (350, 1150, 1600), 0.55, seconds=0.07),
    "w": Phoneme(0.12, 0.0, 1.0, (300, 650, 2200), 0.5, seconds=0.08),
    "f": Phoneme(0.06, 0.5, 0.0, breath=0.5, seconds=0.10),
    "v": Phoneme(0.08, 0.5, 0.0, (300, 1200, 2300), 0.4, breath=0.2, seconds=0.08),
    "s": Phoneme(0.1, 0.75, 0.0, hiss=0.55, seconds=0.11),
    "z": Phoneme(0.1, 0.7, 0.0, (280, 1700, 2500), 0.35, hiss=0.3, seconds=0.09),
    "S": Phoneme(0.18, 0.25, 0.7, hush=0.6, seconds=0.11),
    "h": Phoneme(0.4, 0.5, 0.0, breath=0.25, seconds=0.07),
    "p": Phoneme(0.0, 0.4, 0.1, burst=0.7, seconds=0.09),
    "b": Phoneme(0.0, 0.4, 0.1, (250, 900, 2200), 0.25, burst=0.4, seconds=0.08),
    "t": Phoneme(0.14, 0.55, 0.0, burst=0.9, seconds=0.08),
    "d": Phoneme(0.16, 0.55, 0.0, (270, 1700, 2600), 0.25, burst=0.5, seconds=0.07),
    "k": Phoneme(0.24, 0.5, 0.0, burst=0.8, seconds=0.08),
    "g": Phoneme(0.24, 0.5, 0.0, (270, 1500, 2300), 0.25, burst=0.5, seconds=0.07),
}
"""Letters stand for the usual sounds; "S" is the sh of "shoe", "_" is silence with the mouth shut."""

VOWELS = "aeiou"
CONSONANTS = "mnlrwfvszShpbtdkg"


class Mouth(NamedTuple):
    """The mouth at given times, float64 [n] each in 0..1."""

    opening: np.ndarray
    width: np.ndarray
    rounding: np.ndarray


def speak(rng: random.Random, seconds: float, start: float = 0.1) -> SpeechSpec:
    """A seeded sentence of made-up words that fills `seconds` from the scene's beginning."""
    timeline: list[tuple[str, float]] = []
    words: list[str] = []
    tempo = rng.uniform(0.9, 1.2)
    left = seconds - start
    while left > 0:
        letters = _word(rng)
        spoken = [(letter, PHONEMES[letter].seconds * tempo * rng.uniform(0.85, 1.2)) for letter in letters]
        if sum(length for _, length in spoken) > left:
            break
        words.append("".join(letters).replace("S", "sh"))
        if rng.random() < 0.45:
            spoken.append(("_", rng.uniform(0.1, 0.3)))
        timeline += spoken
        left -= sum(length for _, length in spoken)
    return SpeechSpec(tuple(timeline) or (("_", 0.1),), start, rng.uniform(95, 240), " ".join(words))


def _word(rng: random.Random) -> list[str]:
    letters = []
    for _ in range(rng.randint(1, 3)):
        letters += [rng.choice(CONSONANTS), rng.choice(VOWELS)]
    return [*letters, rng.choice("nmslrt")] if rng.random() < 0.3 else letters


class Timeline:
    """A sentence laid out in time: silence, its phonemes, silence.

    names: the phonemes. edges: seconds at which they change, [len(names) − 1].
    sounds: each field of `Phoneme` for each name, [len(names), …].
    """

    def __init__(self, speech: SpeechSpec) -> None:
        self.names = ["_", *(name for name, _ in speech.phonemes), "_"]
        self.sounds = {
            field: np.array([getattr(PHONEMES[name], field) for name in self.names])
            for field in Phoneme._fields
        }
        lengths = [length for _, length in speech.phonemes]
        self.edges = speech.start + np.concatenate([[0.0], np.cumsum(lengths)])
        spans = np.array([1.0, *lengths, 1.0])
        self._half_blend = np.minimum(BLEND_SECONDS, np.minimum(spans[:-1], spans[1:])) / 2

    @property
    def end(self) -> float:
        """Seconds into the scene at which the last phoneme ends."""
        return float(self.edges[-1])

    def _blend(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """At each time: index in `names` of the phoneme and of its nearer neighbour, whose share is ≤ ½."""
        here = np.searchsorted(self.edges, times, side="right")
        left = np.maximum(here - 1, 0)
        right = np.minimum(here, len(self.edges) - 1)
        past = np.abs(times - self.edges[left]) / self._half_blend[left]
        ahead = np.abs(self.edges[right] - times) / self._half_blend[right]
        later = ahead < past
        other = np.clip(np.where(later, here + 1, here - 1), 0, len(self.names) - 1)
        near = np.clip(1 - np.where(later, ahead, past), 0, 1) / 2
        return here, other, near * near * (3 - 2 * near)

    def track(self, field: str, times: np.ndarray) -> np.ndarray:
        """A field of the phonemes over time: [len(times), …]."""
        values = self.sounds[field]
        here, other, share = self._blend(times)
        share = share.reshape(-1, *(1,) * (values.ndim - 1))
        return values[here] * (1 - share) + values[other] * share

    def mouth(self, times: np.ndarray) -> Mouth:
        """The driven mouth; the picture, the landmarks and the sound all follow this."""
        return Mouth(*(self.track(field, times) for field in Mouth._fields))
