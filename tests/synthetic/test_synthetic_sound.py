"""Sound, events and mouths happen at the same moments."""

from __future__ import annotations

import numpy as np
import pytest
from kinograph.nodes.synthetic import vocabulary as words
from kinograph.nodes.synthetic.clip import Clip
from kinograph.nodes.synthetic.face import LIP_GAP
from kinograph.nodes.synthetic.sampling import ClipOptions, sample_clip
from kinograph.nodes.synthetic.sound import clip_audio
from kinograph.nodes.synthetic.spec import CameraSpec, MotionSpec, ObjectSpec

FACES = ClipOptions(width=128, height=128, kind="talking_face", seconds=2.0)


def test_every_bounce_clicks_at_its_very_sample(scene_clip):
    obj = ObjectSpec("circle", "red", motion=MotionSpec("bounce", 0.0, 0.3, period=0.37, phase=0.4))
    clip = Clip(scene_clip(obj, seconds=3.0))
    sound = np.abs(clip.audio[0])
    bounces = [event.time for event in clip.events if event.kind == "bounce"]
    assert len(bounces) == 8
    loud = np.flatnonzero((sound > 0.3) & (np.concatenate([[0], sound[:-1]]) < 0.05))
    onsets = loud[np.diff(loud, prepend=-10_000) > 1000]
    assert onsets.tolist() == [round(time * clip.spec.sample_rate) for time in bounces]


def test_an_object_is_lowest_exactly_when_it_bounces(scene_clip):
    obj = ObjectSpec("circle", "red", motion=MotionSpec("bounce", 0.0, 0.3, period=0.5, phase=0.25))
    clip = Clip(scene_clip(obj, seconds=2.0, fps=200))
    height = clip.tracks.centers[:, 0, 1]
    for event in clip.events:
        assert height[round(event.time * 200)] == pytest.approx(height.max(), abs=1e-9)


def test_an_object_rests_between_its_stops_and_starts(scene_clip):
    obj = ObjectSpec("star", "blue", motion=MotionSpec("stop_go_right", 0.3, period=0.8, phase=0.2))
    clip = Clip(scene_clip(obj, seconds=2.0, fps=100))
    moving = np.diff(clip.tracks.centers[:, 0, 0]) > 1e-9
    marks = [(event.time, event.kind) for event in clip.events]
    assert [kind for _, kind in marks] == ["stop", "start", "stop", "start", "stop"]
    (stopped, _), (started, _) = marks[:2]
    assert not moving[int(stopped * 100) + 1 : int(started * 100)].any()
    assert moving[: int(stopped * 100) - 1].all()


def test_entering_and_leaving_are_timed_to_the_boxes(scene_clip):
    obj = ObjectSpec("circle", "red", motion=MotionSpec("right", speed=0.5))
    clip = Clip(scene_clip(obj, seconds=4.0, camera=CameraSpec("pan_left", 0.1)))
    leave, enter = (event for event in clip.events if event.kind in ("leave", "enter"))
    assert (leave.kind, leave.text) == ("leave", "the red circle leaves the frame")
    assert leave.time == pytest.approx((0.5 + obj.radius) / (0.5 + 0.1 / 4), abs=1e-5)
    assert enter.time > leave.time


@pytest.mark.parametrize("kind", words.KINDS)
def test_sound_made_in_pieces_equals_the_whole(kind):
    clip = sample_clip(4, ClipOptions(kind=kind, seconds=2.0))
    pieces = [clip_audio(clip, begin, begin + 1237) for begin in range(0, clip.sample_count, 1237)]
    whole = clip_audio(clip)
    assert whole.shape == (1, clip.sample_count)
    assert np.allclose(np.concatenate(pieces, axis=1), whole, atol=1e-6)
    assert 0.02 < np.abs(whole).max() <= 1


@pytest.mark.parametrize("seed", range(4))
def test_the_lips_open_exactly_as_the_phonemes_say(seed):
    clip = Clip(sample_clip(seed, FACES))
    points, opening = clip.face.landmarks, clip.face.mouth.opening
    gap = np.linalg.norm(points[:, 66] - points[:, 62], axis=1)
    heads = np.array([stage.sprites[-1].place.scale for stage in clip.stages])
    assert opening.max() > 0.25
    assert np.corrcoef(gap / heads, opening)[0, 1] > 1 - 1e-9
    assert np.allclose(gap / heads, LIP_GAP[0] + LIP_GAP[1] * opening)


def test_the_painted_mouth_opens_with_the_track():
    clip = Clip(sample_clip(1, FACES))
    dark = []
    for frame, points in zip(clip.frames, clip.face.landmarks, strict=True):
        x, top, bottom = points[62, 0], points[51, 1], points[57, 1]
        dark.append((frame[int(top) : int(bottom) + 1, int(x)].sum(axis=1) < 420).sum())
    assert np.corrcoef(dark, clip.face.mouth.opening)[0, 1] > 0.7
    area = clip.masks.mouth.sum(axis=(1, 2))
    assert area[clip.face.mouth.opening.argmax()] > 1.3 * area[clip.face.mouth.opening.argmin()]


def test_open_vowels_are_loud_and_closed_lips_are_quiet():
    clip = Clip(sample_clip(3, FACES))
    sound = clip.audio[0]
    step = len(sound) / clip.count
    loud = np.array([sound[int(k * step) : int((k + 1) * step)].std() for k in range(clip.count)])
    opening = clip.face.mouth.opening
    assert loud[opening > 0.4].mean() > 2 * loud[opening < 0.05].mean()


def test_eyes_close_at_the_blinks():
    for seed in range(6):
        spec = sample_clip(seed, FACES)
        clip = Clip(spec)
        points = clip.face.landmarks
        height = np.linalg.norm(points[:, 37] - points[:, 41], axis=1)
        for event in (event for event in clip.events if event.kind == "blink"):
            frame = round(event.time * float(spec.fps))
            if 3 < frame < clip.count - 3:
                assert height[frame] < 0.5 * height.max()


def test_the_landmarks_lie_in_the_head_and_the_mouth_in_its_mask():
    clip = Clip(sample_clip(2, ClipOptions(width=128, height=128, kind="talking_face", cameras=("static",))))
    left, top, right, bottom = (clip.face.boxes * 128).T[:, :, None]
    x, y = clip.face.landmarks[..., 0], clip.face.landmarks[..., 1]
    assert ((x > left - 1) & (x < right + 1) & (y > top - 1) & (y < bottom + 1)).all()
    for index in range(clip.count):
        corner_left, corner_right = clip.face.landmarks[index, 48], clip.face.landmarks[index, 54]
        middle = ((corner_left + corner_right) / 2).astype(int)
        assert clip.masks.mouth[index, middle[1], middle[0]] > 0.9
