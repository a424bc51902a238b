"""What happens in a clip and when: the list that event detection learns from."""

from __future__ import annotations

from typing import NamedTuple

from .camera import view_at
from .face import timeline_of
from .kinematics import object_events
from .spec import ClipSpec, SceneSpec
from .stage import object_sprite

VERBS = {
    "bounce": "bounces",
    "stop": "stops",
    "start": "starts moving",
    "turn": "turns back",
    "round": "completes a round",
    "enter": "enters the frame",
    "leave": "leaves the frame",
}
SCAN_HERTZ = 50
"""How often a crossing of the frame's edge is looked for before it is timed to a microsecond."""


class Event(NamedTuple):
    """Something that happens at `time` seconds into the clip.

    kind: a key of `VERBS`, or cut, speech_start, speech_end, blink.
    channel: mask channel of the object or face, None for a cut. text: the event in words.
    """

    time: float
    kind: str
    channel: int | None
    text: str


def clip_events(clip: ClipSpec) -> tuple[Event, ...]:
    """All events of a clip in order of time."""
    events = [Event(time, "cut", None, "the scene is cut") for time in clip.cut_times]
    for index, scene in enumerate(clip.scenes):
        for owner, obj in enumerate(scene.objects):
            happens = [*object_events(obj, scene.seconds), *_crossings(clip, scene, owner)]
            channel, name = clip.first_owner(index) + owner, f"the {obj.color} {obj.shape}"
            events += [
                Event(scene.start + at, kind, channel, f"{name} {VERBS[kind]}") for at, kind in happens
            ]
        if scene.face:
            events += _face_events(clip, index)
    return tuple(sorted(events, key=lambda event: event.time))


def _face_events(clip: ClipSpec, index: int) -> list[Event]:
    scene, channel = clip.scenes[index], clip.first_owner(index) + len(clip.scenes[index].objects)
    speech = scene.face.speech
    happens = [
        (speech.start, "speech_start", "the person begins to speak"),
        (timeline_of(speech).end, "speech_end", "the person stops speaking"),
        *((time, "blink", "the person blinks") for time in scene.face.blinks),
    ]
    return [
        Event(scene.start + time, kind, channel, text) for time, kind, text in happens if time < scene.seconds
    ]


def _crossings(clip: ClipSpec, scene: SceneSpec, owner: int) -> list[tuple[float, str]]:
    """When the object's box comes into the frame or goes out of it."""
    count = int(scene.seconds * SCAN_HERTZ)
    seen = [_in_frame(clip, scene, owner, step / SCAN_HERTZ) for step in range(count + 1)]
    found = []
    for step in range(count):
        if seen[step] != seen[step + 1]:
            early, late = step / SCAN_HERTZ, (step + 1) / SCAN_HERTZ
            while late - early > 1e-6:
                middle = (early + late) / 2
                if _in_frame(clip, scene, owner, middle) == seen[step]:
                    early = middle
                else:
                    late = middle
            found.append((late, "enter" if seen[step + 1] else "leave"))
    return found


def _in_frame(clip: ClipSpec, scene: SceneSpec, owner: int, time: float) -> bool:
    view = view_at(scene.camera, time, scene.seconds, clip.width, clip.height)
    left, top, right, bottom = object_sprite(clip, scene, owner, view, time).box()
    return right > 0 and left < clip.width and bottom > 0 and top < clip.height
