"""A rendered clip: pictures, sound and every truth, each computed when first asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .captions import attributes, captions
from .events import Event, clip_events
from .face import landmarks, timeline_of
from .phonemes import Mouth
from .sound import clip_audio
from .spec import ClipSpec
from .stage import Painter, Stage, stage_at
from .truth import Flow, Masks, boxes_of, centers_of, depth_of, flow_between, masks_of


class Tracks(NamedTuple):
    """Where every object and face is in each frame, as fractions of the frame; NaN while not in the scene.

    boxes: float64 [T, owners, 4], left, top, right, bottom of the whole thing. centers: [T, owners, 2].
    """

    boxes: np.ndarray
    centers: np.ndarray


class FaceTruth(NamedTuple):
    """The talking head in each frame; NaN (and a shut mouth) in scenes without one.

    landmarks: float64 [T, 68, 2] in pixels. boxes: float64 [T, 4], left, top, right, bottom in 0..1.
    mouth: the driven opening, width and rounding, [T] each in 0..1.
    """

    landmarks: np.ndarray
    boxes: np.ndarray
    mouth: Mouth


def _no_tick(count: int) -> None:
    pass


class Clip:
    """Frames `start` to `start + count` of a described clip.

    T below is the number of frames, H and W the picture's size, N the number of objects and faces over
    all scenes. Captions, events and cut times are those of the whole clip. `tick` is called with 1 after
    each frame of each kind of picture.
    """

    def __init__(
        self, spec: ClipSpec, start: int = 0, count: int | None = None, tick: Callable[[int], None] = _no_tick
    ) -> None:
        self.spec = spec
        self._tick = tick
        self.start = start
        self.count = spec.frame_count - start if count is None else count
        if not (0 <= start < spec.frame_count and 0 < self.count <= spec.frame_count - start):
            raise ValueError(
                f"frames {start} to {start + self.count} are not in a clip of {spec.frame_count} frames; "
                "choose a start and a count within it"
            )

    @cached_property
    def times(self) -> np.ndarray:
        """Seconds of each frame, float64 [T]."""
        return np.array([self.spec.frame_time(self.start + index) for index in range(self.count)])

    @cached_property
    def stages(self) -> list[Stage]:
        return [stage_at(self.spec, float(time)) for time in self.times]

    @cached_property
    def frames(self) -> np.ndarray:
        """The pictures, uint8 [T, H, W, 3], RGB."""
        painter = Painter(self.spec)
        pictures = np.empty((self.count, self.spec.height, self.spec.width, 3), np.uint8)
        for index, time in enumerate(self.times):
            pictures[index] = painter.frame(float(time))
            self._tick(1)
        return pictures

    @cached_property
    def audio(self) -> np.ndarray:
        """The sound of these frames, float32 [1, samples]."""
        first, last = (
            round(index / self.spec.fps * self.spec.sample_rate)
            for index in (self.start, self.start + self.count)
        )
        return clip_audio(self.spec, first, last)

    @cached_property
    def masks(self) -> Masks:
        """Coverage masks with a leading T: visible and whole [T, N, H, W], the rest [T, H, W]."""
        size = self.count, self.spec.height, self.spec.width
        many = self.count, self.spec.owners, self.spec.height, self.spec.width
        masks = Masks(*(np.empty(shape, np.float32) for shape in (many, many, size, size)))
        for index, stage in enumerate(self.stages):
            for whole, part in zip(masks, masks_of(stage), strict=True):
                whole[index] = part
            self._tick(1)
        return masks

    @cached_property
    def labels(self) -> np.ndarray:
        """What is seen at each pixel: uint8 [T, H, W], 0 for the background, else mask channel + 1."""
        tables = [
            np.array([0, *(stage.owner_channel(sprite) + 1 for sprite in stage.sprites)], np.uint8)
            for stage in self.stages
        ]
        return np.stack([table[stage.labels] for table, stage in zip(tables, self.stages, strict=True)])

    @cached_property
    def forward_flow(self) -> Flow:
        """From each frame to the next: vectors [T − 1, H, W, 2] in pixels, hidden [T − 1, H, W]."""
        return self._flow(self.stages[:-1], self.stages[1:])

    @cached_property
    def backward_flow(self) -> Flow:
        """From each frame but the first to the one before it, shaped as `forward_flow`."""
        return self._flow(self.stages[1:], self.stages[:-1])

    def _flow(self, here: list[Stage], there: list[Stage]) -> Flow:
        shape = self.count - 1, self.spec.height, self.spec.width
        flow = Flow(np.empty((*shape, 2), np.float32), np.empty(shape, bool))
        for index, pair in enumerate(zip(here, there, strict=True)):
            flow.vectors[index], flow.hidden[index] = flow_between(*pair)
            self._tick(1)
        return flow

    @cached_property
    def depth(self) -> np.ndarray:
        """Metres to what is seen, float32 [T, H, W]."""
        depth = np.empty((self.count, self.spec.height, self.spec.width), np.float32)
        for index, stage in enumerate(self.stages):
            depth[index] = depth_of(stage)
            self._tick(1)
        return depth

    @cached_property
    def tracks(self) -> Tracks:
        return Tracks(
            np.stack([boxes_of(stage) for stage in self.stages]),
            np.stack([centers_of(stage) for stage in self.stages]),
        )

    @cached_property
    def face(self) -> FaceTruth:
        points = np.full((self.count, 68, 2), np.nan)
        boxes = np.full((self.count, 4), np.nan)
        mouths = np.zeros((3, self.count))
        for index, stage in enumerate(self.stages):
            if stage.face:
                points[index] = landmarks(stage.face, stage.face_to_screen())
                channel = self.spec.first_owner(stage.index) + len(stage.scene.objects)
                boxes[index] = self.tracks.boxes[index, channel]
                speech = timeline_of(stage.scene.face.speech)
                mouths[:, index] = np.concatenate(speech.mouth(np.array([stage.local_time])))
        return FaceTruth(points, boxes, Mouth(*mouths))

    @cached_property
    def events(self) -> tuple[Event, ...]:
        return clip_events(self.spec)

    @property
    def cut_times(self) -> tuple[float, ...]:
        return self.spec.cut_times

    @cached_property
    def captions(self) -> tuple[str, ...]:
        """The canonical caption and its paraphrases."""
        return captions(self.spec)

    @cached_property
    def attributes(self) -> dict:
        return attributes(self.spec)


def render_clip(spec: ClipSpec) -> Clip:
    """The whole clip; nothing is computed before it is asked for."""
    return Clip(spec)
