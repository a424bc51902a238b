"""The truths agree with the pictures and with each other."""

from __future__ import annotations

import numpy as np
import pytest
from kinograph.nodes.synthetic import vocabulary as words
from kinograph.nodes.synthetic.clip import Clip
from kinograph.nodes.synthetic.sampling import ClipOptions, sample_clip
from kinograph.nodes.synthetic.spec import (
    BackgroundSpec,
    CameraSpec,
    ClipSpec,
    MotionSpec,
    ObjectSpec,
    SceneSpec,
)


def sampled_at(picture: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The picture [H, W, C] at pixel coordinates, bilinearly."""
    height, width = picture.shape[:2]
    x, y = np.clip(x - 0.5, 0, width - 1.001), np.clip(y - 0.5, 0, height - 1.001)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, down = (x - left)[..., None], (y - top)[..., None]
    above = picture[top, left] * (1 - right) + picture[top, left + 1] * right
    below = picture[top + 1, left] * (1 - right) + picture[top + 1, left + 1] * right
    return above * (1 - down) + below * down


def inner(labels: np.ndarray, margin: int = 2) -> np.ndarray:
    """Pixels whose whole neighbourhood has one label."""
    same = np.zeros(labels.shape, bool)
    same[margin:-margin, margin:-margin] = True
    for down in range(-margin, margin + 1):
        for right in range(-margin, margin + 1):
            same &= labels == np.roll(labels, (down, right), axis=(0, 1))
    return same


def psnr_of_warp(clip: Clip, here: int, there: int) -> float:
    """How well frame `there`, sampled along the flow, gives frame `here` where nothing is hidden, in dB."""
    flow = clip.forward_flow if there > here else clip.backward_flow
    index = min(here, there)
    height, width = clip.spec.height, clip.spec.width
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    vectors = flow.vectors[index]
    warped = sampled_at(clip.frames[there].astype(float), x + vectors[..., 0], y + vectors[..., 1])
    seen = inner(clip.stages[here].labels) & ~flow.hidden[index]
    assert seen.mean() > 0.25
    error = np.mean((warped - clip.frames[here])[seen] ** 2)
    return 10 * np.log10(255**2 / (error + 1e-9))


@pytest.mark.parametrize("camera", words.CAMERAS)
def test_warping_along_the_flow_gives_the_other_frame(camera):
    options = ClipOptions(width=160, height=120, cameras=(camera,), max_objects=3, seconds=0.5)
    for seed in range(3):
        clip = Clip(sample_clip(seed, options), 4, 2)
        assert psnr_of_warp(clip, 0, 1) > 33
        assert psnr_of_warp(clip, 1, 0) > 33


@pytest.mark.parametrize("background", words.BACKGROUNDS)
def test_flow_follows_every_background(background, scene_clip):
    clip = Clip(
        scene_clip(
            camera=CameraSpec("truck_right", 1.5),
            background=BackgroundSpec(background, "clay", seed=7, speed=0.3),
            size=(200, 150),
        ),
        8,
        2,
    )
    assert psnr_of_warp(clip, 0, 1) > 34
    if background == "checker_floor":
        across = clip.forward_flow.vectors[0, :, 100, 0]
        assert across[-1] < 2 * across[60] < 0  # the near floor passes faster than the far one


def test_flow_follows_a_face_that_speaks():
    options = ClipOptions(width=192, height=192, kind="talking_face", seconds=1.0, cameras=("static",))
    for seed in range(3):
        clip = Clip(sample_clip(seed, options), 10, 2)
        assert psnr_of_warp(clip, 0, 1) > 38


@pytest.mark.parametrize("motion", words.MOTIONS)
def test_flow_follows_every_motion(motion, scene_clip):
    obj = ObjectSpec(
        "square", "red", "checkered", "large", motion=MotionSpec(motion, 0.4, 0.6, 1.3, phase=0.1)
    )
    clip = Clip(scene_clip(obj, size=(160, 160)), 3, 2)
    assert psnr_of_warp(clip, 0, 1) > 33


def test_what_is_about_to_be_covered_or_to_leave_is_marked_hidden(scene_clip):
    near = ObjectSpec("square", "red", size="large", x=-0.2, depth=1.2, motion=MotionSpec("right", speed=1.2))
    far = ObjectSpec("square", "blue", size="large", x=0.2, depth=2.0)
    clip = Clip(scene_clip(near, far), 0, 2)
    hidden = clip.forward_flow.hidden[0]
    edge = round((0.5 - 0.2 + 0.86 * near.radius) * 96)
    assert hidden[48, edge + 1 : edge + 4].all()  # the near square moves 4.8 px per frame
    assert not hidden[48, : edge - 1].any()
    assert not clip.backward_flow.hidden[0, 48, edge + 8 :].any()


def test_across_a_cut_all_is_hidden_and_nothing_moves():
    scenes = [SceneSpec(start, 0.5, (ObjectSpec("circle", "red"),)) for start in (0.0, 0.5)]
    clip = Clip(ClipSpec(64, 64, 10, tuple(scenes)))
    assert clip.cut_times == (0.5,)
    assert clip.forward_flow.hidden.all(axis=(1, 2)).tolist() == [index == 4 for index in range(9)]
    assert not clip.forward_flow.vectors[4].any()


def test_a_re_entering_object_has_no_flow_to_its_old_place(scene_clip):
    obj = ObjectSpec("circle", "red", size="large", motion=MotionSpec("right", speed=2.0))
    clip = Clip(scene_clip(obj, seconds=4.0, fps=4))
    for index in np.flatnonzero(np.diff([stage.sprites[0].lap[0] for stage in clip.stages])):
        assert clip.forward_flow.hidden[index][clip.labels[index] == 1].all()


@pytest.mark.parametrize("kind", words.KINDS)
def test_masks_and_background_partition_every_pixel(kind):
    for seed in range(4):
        clip = Clip(sample_clip(seed, ClipOptions(kind=kind, max_objects=4, seconds=1.0)), 0, 24)
        masks = clip.masks
        assert np.allclose(masks.visible.sum(axis=1) + masks.background, 1, atol=1e-5)
        assert (masks.whole >= masks.visible - 1e-6).all()
        assert (masks.mouth <= 1.000001).all()


def test_labels_name_what_the_masks_show():
    clip = Clip(sample_clip(2, ClipOptions(max_objects=4, min_objects=3)), 0, 3)
    everything = np.concatenate([clip.masks.background[:, None], clip.masks.visible], axis=1)
    sure = everything.max(axis=1) > 0.6
    assert np.array_equal(clip.labels[sure], everything.argmax(axis=1)[sure])


def test_the_nearer_object_hides_the_farther_one(scene_clip):
    objects = [ObjectSpec("circle", "red", size="large", depth=1.2), ObjectSpec("star", "blue", depth=2.0)]
    for pair in (objects, objects[::-1]):
        clip = Clip(scene_clip(*pair), 0, 1)
        front = pair.index(objects[0])
        assert clip.masks.visible[0, 1 - front].max() < 1e-6
        assert clip.masks.whole[0, 1 - front].max() == 1
        assert clip.depth[0, 48, 48] == pytest.approx(1.2)


def test_depth_changes_as_the_size_does_when_an_object_comes_closer(scene_clip):
    obj = ObjectSpec("circle", "red", depth=2.0, motion=MotionSpec("closer", amplitude=1.6, period=1.0))
    clip = Clip(scene_clip(obj, seconds=1.0))
    boxes = clip.tracks.boxes[:, 0]
    width = (boxes[:, 2] - boxes[:, 0]) * 96
    assert np.allclose(clip.depth[:, 48, 48] * width, clip.depth[0, 48, 48] * width[0], rtol=1e-5)
    assert width[-1] > 1.5 * width[0]


def test_the_floor_comes_nearer_towards_the_bottom(scene_clip):
    column = Clip(scene_clip(background=BackgroundSpec("checker_floor")), 0, 1).depth[0, :, 10]
    assert column[0] == pytest.approx(12)
    assert column[-1] == pytest.approx(4, rel=0.03)
    assert (np.diff(column) <= 0).all()


def test_a_stretch_of_a_clip_has_the_same_truths_as_the_whole():
    spec = sample_clip(9, ClipOptions(kind="mixed", seconds=1.5))
    whole, part = Clip(spec), Clip(spec, 10, 5)
    assert np.array_equal(whole.frames[10:15], part.frames)
    assert np.array_equal(whole.masks.visible[10:15], part.masks.visible)
    assert np.array_equal(whole.depth[10:15], part.depth)
    assert np.array_equal(whole.forward_flow.vectors[10:14], part.forward_flow.vectors)
    assert np.array_equal(whole.labels[10:15], part.labels)


def test_frames_beyond_the_end_are_refused():
    with pytest.raises(ValueError, match="12 to 22 are not in a clip of 17 frames"):
        Clip(sample_clip(0), 12, 10)
